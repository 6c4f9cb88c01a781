"""Holds that are past their time under a policy of release by market share, and the markets that they are of. No JVM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lakehouse.model.holding import MARKET, OWNED, Held, HeldItem, HoldingPolicy, statutory_report
from lakehouse.model.money import add
from lakehouse.model.vocabulary import UNPAID
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, ops
from lakehouse.views.holding import open_holds

_RIGHT = "CASE WHEN configuration = 'performance' THEN 'performance' ELSE 'recording' END"


@dataclass(frozen=True)
class Due:
    """A hold past its time. `waits` says why it stays all the same; empty where it can go."""

    row: dict[str, Any]
    policy: HoldingPolicy
    due: str
    waits: str = ""


def due_by_market(reader: LakeReader, policies: Sequence[HoldingPolicy], period: str, year_ends: int = 12) -> list[Due]:
    """Every hold of closed books that has no owner (all else waits for something other than one), whose policy releases by market share and whose time is up in `period`, in order of their ids."""
    rows = {row["entry_id"]: row for row in reader.sql(_candidates(reader, period), [list(UNPAID)])}
    items = [
        HeldItem(entry, "", "", "", row["territory"], row["right_"], row["usage_period"], row["held_since"], row["amount"], row["currency"])
        for entry, row in sorted(rows.items())
    ]  # fmt: skip
    told = statutory_report(items, policies, period, year_ends=year_ends)
    ripe = [(one, rows[one.item.entry_id]) for one in told if one.status == "due" and one.policy.release == "market_share"]
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for one, row in ripe:
        sums[_of(one, row)] = add(sums[_of(one, row)], row["amount"])
    found = []
    for one, row in ripe:
        least = one.policy.minimum.get(row["currency"])
        waits = "" if row["owners"] else "nobody earned in its market"
        if least is not None and sums[_of(one, row)] < least:
            waits = waits or f"less than {least:f} {row['currency']} is due in its market"
        found.append(Due(row, one.policy, one.due or period, waits))
    return sorted(found, key=lambda one: one.row["entry_id"])


def _of(held: Held, row: Mapping[str, Any]) -> tuple[str, ...]:
    return (held.policy.policy, *(row[name] for name in MARKET))


def _candidates(reader: LakeReader, period: str) -> str:
    """A query for the open holds without an owner, each with its market and how many earned in that by the lines that stand."""
    lines, periods, released = (reader.relation(t.name) for t in (gold.royalty_lines, gold.periods, ops.unclaimed_releases))
    market, closed = ", ".join(MARKET), f"(SELECT period FROM {periods} WHERE period < '{period}')"
    nobodys, owned = (", ".join(f"'{name}'" for name in names) for names in (gold.NOBODYS, OWNED))
    return f"""
        WITH earned AS (
            SELECT {market}, payee, contract_id, contract_version, category = 'retained' AS kept, sum(amount) AS amount FROM {lines}
            WHERE period IN {closed} AND category IN ({owned}) AND recording_id NOT IN ({nobodys})
            GROUP BY ALL HAVING sum(amount) > 0),
        markets AS (SELECT {market}, count(*) AS owners FROM earned GROUP BY ALL)
        SELECT entry_id, usage_key, {market}, held_since, reason, amount, {_RIGHT} AS right_, coalesce(owners, 0) AS owners
        FROM {open_holds(reader, period)} LEFT JOIN markets USING ({market})
        WHERE list_contains(?, reason) AND status = 'closed' AND entry_id NOT IN (SELECT entry_id FROM {released})"""
