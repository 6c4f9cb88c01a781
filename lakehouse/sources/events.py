"""Events of accounts from CSV: advances, costs and payments, as the label's books tell them.

Columns, by name: event_id, period (YYYY-MM), event (advance, cost, payment, society_payment), contract, payee, amount, currency,
and where they matter cost_type, territory (ISO 3166-1 alpha-2) and date (YYYY-MM-DD).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.errors import Findings
from lakehouse.model.money import parse_amount
from lakehouse.model.period import DAY, PERIOD
from lakehouse.tables import silver

_NEEDED = ("event_id", "period", "event", "amount", "currency")
_EVENT = next(field for field in silver.account_events.fields if field.name == "event")

Row = dict[str, Any]

# What `contracts try` takes as a row of its table, and where a lake has it from.
_ELSEWHERE = {
    "return": "a lake has returns from reports, as lines with negative units and amounts",
    "adjustment": "it changes what lines are worth; `lakehouse adjust` spreads it over the usage of its month",
}


def read_events(files: Sequence[Path]) -> list[Row]:
    """Rows of silver.account_events. Raises Findings naming file, line and every reason where a row cannot be booked."""
    events: list[Row] = []
    wrong: list[str] = []
    seen: dict[str, str] = {}
    for file in sorted(files):
        for number, cells in _rows(file):
            where = f"{file.name} line {number}"
            reasons = list(_reasons(cells))
            if (first := seen.setdefault(cells.get("event_id", ""), where)) != where:
                reasons.append(f"event_id {cells['event_id']} is on {first} too")
            wrong += [f"{where}: {reason}" for reason in reasons]
            if not reasons:
                events.append(_event(cells))
    if wrong:
        raise Findings("The events cannot be booked, and none was: " + "; ".join(wrong) + ".")
    return events


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        for row in reader:
            yield reader.line_num, {name: (cell or "").strip() for name, cell in row.items() if name}


def _reasons(cells: Mapping[str, str]) -> Iterator[str]:
    unknown = sorted(set(cells) - set(silver.account_events.columns))
    if unknown:
        yield f"{', '.join(unknown)} is no column of events: there are {', '.join(silver.account_events.columns)}"
    if missing := [name for name in _NEEDED if not cells.get(name)]:
        yield f"{', '.join(missing)} must be given"
        return
    if not re.fullmatch(PERIOD, cells["period"]):
        yield f"period {cells['period']!r} is not YYYY-MM"
    if hint := _ELSEWHERE.get(cells["event"]):
        yield f"the event {cells['event']} is no booking of an account: {hint}"
    elif cells["event"] not in (_EVENT.one_of or ()):
        yield f"event {cells['event']!r} is none of {', '.join(_EVENT.one_of or ())}"
    elif cells["event"] in ("advance", "cost") and not cells.get("contract"):
        article = "an" if cells["event"] == "advance" else "a"
        yield f"{article} {cells['event']} needs its contract"
    elif cells["event"] in ("payment", "society_payment") and not cells.get("payee"):
        yield f"a {cells['event']} needs its payee"
    if (amount := _amount(cells["amount"])) is None or amount <= 0:
        yield f"amount {cells['amount']!r} is no positive number with a point and at most 18 decimals"
    if not re.fullmatch(r"[A-Z]{3}", cells["currency"]):
        yield f"currency {cells['currency']!r} is no ISO 4217 code"
    if cells.get("territory") and not re.fullmatch(r"[A-Z]{2}", cells["territory"]):
        yield f"territory {cells['territory']!r} is no ISO 3166-1 alpha-2 code"
    if cells.get("date") and not re.fullmatch(DAY, cells["date"]):
        yield f"date {cells['date']!r} is not YYYY-MM-DD"


def _amount(text: str) -> Decimal | None:
    try:
        return parse_amount(text)
    except ValueError:
        return None


def _event(cells: Mapping[str, str]) -> Row:
    return {
        **{name: cells.get(name) or None for name in silver.account_events.columns},
        "contract": cells.get("contract", ""), "payee": cells.get("payee", ""), "territory": cells.get("territory") or "ZZ",
        # As the table gives it back, so that the same event is the same row.
        "amount": parse_amount(cells["amount"]).quantize(Decimal("1e-18")),
    }  # fmt: skip
