"""Money without an owner: what is held now, why, since when, and from whom."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, ops, silver
from lakehouse.views.common import published_or_draft, write_money

# A reader that asks for no period asks for all of them.
_ALL = "9999-12"


def open_holds(
    reader: LakeReader, period: str | None = None, *, own_draft_alone: bool = False, closed_alone: bool = False
) -> str:
    """A query for the holds, published and drafted, that nothing has taken away by the end of `period` (by default: of all periods), their
    amounts as they have been adjusted by then.

    Two drafts may release the same hold, for neither knows which will be closed first; it is gone once. `own_draft_alone` leaves
    out the drafts of other periods: what a run of the period starts from; `closed_alone` all drafts.
    """
    entries = published_or_draft(reader, "holding")
    until = f"period <= '{period or _ALL}'"
    if own_draft_alone:
        until += f" AND (status = 'closed' OR period = '{period}')"
    if closed_alone:
        until += " AND status = 'closed'"
    standing = ", ".join(f"'{entry}'" for entry in gold.STANDING_ENTRIES)
    return f"""(
        SELECT h.* REPLACE (CAST(h.amount + coalesce(a.added, 0) AS DECIMAL(38, 18)) AS amount)
        FROM (SELECT * FROM {entries} WHERE entry = 'hold' AND {until}
              AND entry_id NOT IN (SELECT releases FROM {entries} WHERE entry NOT IN ({standing}) AND {until})) h
        LEFT JOIN (SELECT releases, sum(amount) AS added FROM {entries} WHERE entry = 'adjust' AND {until} GROUP BY 1) a
            ON a.releases = h.entry_id)"""


def holding(reader: LakeReader, period: str | None = None) -> dict[str, Any]:
    """{period, balances, held, adjustments}: the balance by currency, and what makes it up by currency, reason, age and source; what people have
    decided to add to it or take from it, and whether that is booked.

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
        "adjustments": _adjustments(reader, period),
    }


def _adjustments(reader: LakeReader, period: str | None) -> list[dict[str, Any]]:
    booked = f"(SELECT DISTINCT period, releases FROM {published_or_draft(reader, 'holding')} WHERE entry = 'adjust')"
    rows = reader.sql(
        f"""SELECT a.entry_id, a.period, a.amount, a.currency, a.reason, a.adjusted_by AS by, a.adjusted_at AS at, b.releases IS NOT NULL AS booked
            FROM {reader.relation(ops.holding_adjustments.name)} a LEFT JOIN {booked} b ON b.releases = a.entry_id AND b.period = a.period
            WHERE a.period <= ? ORDER BY a.period, a.adjusted_at, a.adjustment_id""",
        [period or _ALL],
    )
    return [
        {**row, "amount": write_money(row["amount"], row["currency"]), "at": row["at"].isoformat(timespec="seconds")}
        for row in rows
    ]


def pending_adjustments(reader: LakeReader, closed: Iterable[str]) -> list[dict[str, Any]]:
    """The decisions on holds that no closed book has booked: {adjustment_id, entry_id, period, amount, by}."""
    rows: list[dict[str, Any]] = reader.sql(
        f"""SELECT adjustment_id, entry_id, period, amount, adjusted_by AS by FROM {reader.relation(ops.holding_adjustments.name)}
            WHERE NOT list_contains(?, period) ORDER BY adjustment_id""",
        [list(closed)],
    )
    return rows


def list_holds(reader: LakeReader, period: str | None = None) -> list[dict[str, Any]]:
    """Every open hold at the end of `period`, the oldest first: its id, what the reports call it, where it comes from, and what it comes to."""
    rows = reader.sql(f"""
        WITH held AS (SELECT * FROM {open_holds(reader, period)}),
        reported AS (
            SELECT usage_key, min(isrc) AS isrc, min(title) AS title, min(artist) AS artist FROM {reader.relation(silver.usage.name)}
            WHERE usage_key IN (SELECT usage_key FROM held) GROUP BY 1)
        SELECT entry_id, usage_key, isrc, title, artist, reason, held_since, source, territory, usage_period, amount, currency, status
        FROM held LEFT JOIN reported USING (usage_key) ORDER BY held_since, entry_id""")
    return [{**row, "amount": write_money(row["amount"], row["currency"])} for row in rows]


def newest_period(reader: LakeReader) -> str | None:
    """The newest period with an entry in the holding ledger; None where there is none."""
    newest = reader.sql(f"SELECT max(period) AS period FROM {published_or_draft(reader, 'holding')}")[0]["period"]
    return None if newest is None else str(newest)


def months_between(first: str, last: str | None) -> int:
    """2026-11 to 2027-02 is 3; 0 where there is no last."""
    return 12 * (int(last[:4]) - int(first[:4])) + int(last[5:]) - int(first[5:]) if last else 0
