"""Money without an owner: what is held now, why, since when, and from whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lakehouse.store.reader import LakeReader
from lakehouse.views.common import published_or_draft, write_money

# A reader that asks for no period asks for all of them.
_ALL = "9999-12"


def open_holds(reader: LakeReader, period: str | None = None, *, own_draft_alone: bool = False) -> str:
    """A query for the holds, published and drafted, that nothing has taken away by the end of `period` (by default: of all periods).

    Two drafts may release the same hold, for neither knows which will be closed first; it is gone once. `own_draft_alone` leaves
    out the drafts of other periods: what a run of the period starts from.
    """
    entries = published_or_draft(reader, "holding")
    until = f"period <= '{period or _ALL}'"
    if own_draft_alone:
        until += f" AND (status = 'closed' OR period = '{period}')"
    return f"""(
        SELECT * FROM {entries} WHERE entry = 'hold' AND {until}
        AND entry_id NOT IN (SELECT releases FROM {entries} WHERE entry <> 'hold' AND {until}))"""


def holding(reader: LakeReader, period: str | None = None) -> dict[str, Any]:
    """{period, balances, held}: the balance by currency, and what makes it up by currency, reason, age and source.

    `age` is in months from the period in which the money was first held to `period`, by default the newest that holds any.
    """
    rows = reader.sql(f"""
        SELECT currency, reason, held_since, source, sum(amount) AS amount, count(*) AS holds, count(DISTINCT usage_key) AS keys,
               sum(usage_lines)::BIGINT AS usage_lines
        FROM {open_holds(reader, period)} GROUP BY ALL ORDER BY currency, reason, held_since, source
    """)
    now = period or newest_period(reader)
    balances: dict[str, Decimal] = {}
    for row in rows:
        balances[row["currency"]] = balances.get(row["currency"], Decimal(0)) + row["amount"]
    return {
        "period": now,
        "balances": [{"currency": code, "amount": write_money(amount, code)} for code, amount in sorted(balances.items())],
        "held": [
            {**row, "amount": write_money(row["amount"], row["currency"]), "age": months_between(row["held_since"], now)}
            for row in rows
        ],
    }


def newest_period(reader: LakeReader) -> str | None:
    """The newest period with an entry in the holding ledger; None where there is none."""
    newest = reader.sql(f"SELECT max(period) AS period FROM {published_or_draft(reader, 'holding')}")[0]["period"]
    return None if newest is None else str(newest)


def months_between(first: str, last: str | None) -> int:
    """2026-11 to 2027-02 is 3; 0 where there is no last."""
    return 12 * (int(last[:4]) - int(first[:4])) + int(last[5:]) - int(first[5:]) if last else 0
