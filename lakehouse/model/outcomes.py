"""What became of usage, in shares of its lines and of its money, and how far those have moved since the source last reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from lakehouse.model.money import ZERO, add
from lakehouse.model.vocabulary import PAID

_EXACT = Context(prec=80)
_PLACES = Decimal("0.0001")
# From here on a share tells nothing: refunds have left next to nothing of the whole.
_ABSURD = 10_000

Row = Mapping[str, Any]


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """`part` of `whole`, with four places: 0.25 is a quarter. None where the whole is nothing, or next to nothing beside the part."""
    if not whole:
        return None
    found = _EXACT.divide(Decimal(part), Decimal(whole))
    return found.quantize(_PLACES, context=_EXACT) if abs(found) < _ABSURD else None


def less(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    """How far a share has moved; None where one of the two is not known."""
    return None if now is None or then is None else now - then


def match_rates(rows: Sequence[Row]) -> dict[str, Any]:
    """{lines, matched_lines, line_rate, amount, matched_amount, money_rate} of outcomes {status, lines, amount} in one currency."""
    paid = [row for row in rows if row["status"] in PAID]
    lines, matched_lines = (sum(row["lines"] for row in of) for of in (rows, paid))
    amount, matched_amount = (add(*(row["amount"] for row in of)) for of in (rows, paid))
    return {
        "lines": lines, "matched_lines": matched_lines, "line_rate": share(matched_lines, lines),
        "amount": amount, "matched_amount": matched_amount, "money_rate": share(matched_amount, amount),
    }  # fmt: skip


def with_trends(outcomes: Iterable[Row], recorded: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows of gold.fallback_outcomes for outcomes {period, source, currency, tier, status, gap, keys, lines, amount} of one period.

    `recorded` are the rows of that table of earlier periods. An outcome that a source had when it last reported in this currency, and has
    no more, comes with zeros: so the trends of a source add up to nothing, but for the places that are cut off.
    """
    then: dict[tuple[str, str], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in recorded:
        then[row["source"], row["currency"]][row["period"]].append(row)
    now: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in outcomes:
        now[row["source"], row["currency"]].append(row)
    found = []
    for key, rows in now.items():
        newest = max(then[key], default=None)
        found += _against(rows, newest, then[key][newest] if newest else [])
    return sorted(found, key=lambda row: [str(row[name]) for name in ("source", "currency", "tier", "status", "gap")])


def _against(rows: list[Row], compared_with: str | None, before: list[Row]) -> list[dict[str, Any]]:
    """The outcomes of one source and currency, beside those of the period `compared_with`."""
    own, was = ({_outcome(row): row for row in of} for of in (rows, before))
    gone = [
        {**row, "period": rows[0]["period"], "keys": 0, "lines": 0, "amount": ZERO}
        for row in before
        if row["lines"] and _outcome(row) not in own
    ]
    lines, amount = sum(row["lines"] for row in rows), add(*(row["amount"] for row in rows))
    # What was not there then had no part, where the whole could be told.
    no_money = Decimal(0) if any(row["money_share"] is not None for row in before) else None
    found = []
    for row in (*rows, *gone):
        earlier = was.get(_outcome(row), {"line_share": Decimal(0), "money_share": no_money})
        line_share, money_share = share(row["lines"], lines), share(row["amount"], amount)
        found.append({
            **row, "line_share": line_share, "money_share": money_share, "compared_with": compared_with,
            "line_trend": less(line_share, earlier["line_share"]) if compared_with else None,
            "money_trend": less(money_share, earlier["money_share"]),
        })  # fmt: skip
    return found


def _outcome(row: Row) -> tuple[str, str, str | None]:
    return row["tier"], row["status"], row["gap"]
