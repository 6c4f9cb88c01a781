"""A contract book tried on what a period of the lake is made of, before it is loaded. No JVM.

The usage is the period's groups as the last run made them; the accounts open with what the latest closed period left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.accounts import Balance, Event, Line, Statement, rounded
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Step, Usage
from lakehouse.model.counting import balances_of
from lakehouse.model.money import exact
from lakehouse.model.pools import STEPS
from lakehouse.model.settle import settle
from lakehouse.model.trial import Unresolved, resolve_lines
from lakehouse.model.trial_rows import UsageRow
from lakehouse.runs.environment import Environment
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, silver
from lakehouse.tables.gold import POOLED, UNCLAIMED, line_key
from lakehouse.views.common import closed_periods, published_or_draft
from lakehouse.views.holding import open_holds
from lakehouse.views.review import newest_decisions

# In royalty lines, of a group: what tells it apart, and what it carries.
_GROUP = (*gold.GROUP, "recording_id", "release", "release_type", "catalog_group", "usage_lines", "units", "gross")
_TOLD = tuple(name for name in Usage.__dataclass_fields__ if name not in ("recording", "cost_type", "sale_date"))


@dataclass(frozen=True)
class Month:
    """What a period is made of, without its contracts. `reversals`, and what is divided by market share, stand as they are under any book."""

    period: str
    usage: list[UsageRow]
    reversals: list[Line]
    taken_back: list[Balance]
    events: list[Event]
    opening: list[Balance]


@dataclass(frozen=True)
class Outcome:
    statements: tuple[Statement, ...]
    unresolved: list[Unresolved]


def read_month(env: Environment, period: str) -> Month:
    """Raises Misuse where the period has no drafts and is not published."""
    reader = env.reader
    lines = reader.sql(f"SELECT * FROM {published_or_draft(reader, 'royalty_lines', period)} WHERE period = ?", [period])
    waiting = _waiting(reader, period, env.rules.ruleset)
    if not lines and not waiting:
        raise Misuse(f"The lake has no royalty lines of {period}. Run the period first, or give a table of usage.")
    names = _names(reader)
    usage = [_row(group, period, names) for group in (*_groups(lines), *waiting)]
    back = [line for line in lines if line["kind"] == "reversal"]
    standing = [line for line in lines if line["kind"] == "reversal" or line["recording_id"] == UNCLAIMED]
    return Month(
        period, usage, [_line(line) for line in standing], _taken_back(back), _events(reader, period), _opening(reader, period)
    )


def try_month(book: ContractBook, month: Month) -> Outcome:
    """The statements of the period under a book, and the usage that it covers with no contract. The usage is what its pools have made of it."""
    book = replace(book, rules=book.rules.model_copy(update={"pools": ()}))
    opening = [*month.opening, *month.taken_back]
    resolved = resolve_lines(book, month.usage, [], opening)
    settled = settle(book, None, month.period, [*opening, *resolved.counts], [*resolved.lines, *month.reversals], month.events)
    return Outcome(rounded([settled]).statements, resolved.unresolved)


def _groups(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The groups behind royalty lines. Two groups alike in everything (one fresh, one from a hold) show as each part being there twice."""
    parts: dict[tuple[Any, ...], Counter[Any]] = {}
    for line in lines:
        if line["kind"] == "royalty" and line["recording_id"] not in (POOLED, UNCLAIMED):
            part = (line["payee"], line["role"], line["category"], str(line["stages"]))
            pooled = [step["amount_out"] for step in line["stages"] if step["stage"] in STEPS]
            group = (*(line[name] for name in _GROUP), pooled[-1] if pooled else line["base"])
            parts.setdefault(group, Counter())[part] += 1
    for values, counted in parts.items():
        for number in range(max(counted.values())):
            yield {**dict(zip((*_GROUP, "amount"), values, strict=True)), "hold_id": str(number) if number else None}


def _waiting(reader: LakeReader, period: str, ruleset: str) -> list[dict[str, Any]]:
    """The open holds whose recording is known: they wait for a contract, or for what a contract asks."""
    releases = f"(SELECT recording_id, list((upc, release_type, catalog_group)) AS on_ FROM {reader.relation('silver.catalog')} GROUP BY 1)"
    rows = reader.sql(f"""
        SELECT h.*, d.recording_id, r.on_ FROM {open_holds(reader, period, own_draft_alone=True)} h
        JOIN {newest_decisions(reader, ruleset)} d USING (usage_key) LEFT JOIN {releases} r USING (recording_id)
        WHERE d.reconciliation_status IN ('MATCHED', 'DRIFT_FLAGGED') AND h.reason NOT IN ('AMBIGUOUS', 'UNCLAIMED', 'DUPLICATE')""")
    found = []
    for row in rows:
        on = row.pop("on_") or []
        release = next(
            (one for one in on if one[0] == row["upc"]), on[0] if row["upc"] is None and len(on) == 1 else (None, None, None)
        )
        told = {"release": row["upc"] or release[0] or None, "release_type": release[1], "catalog_group": release[2]}
        found.append({**row, **told, "hold_id": row["entry_id"]})
    return found


def _names(reader: LakeReader) -> dict[str, tuple[str, str | None]]:
    """Artist and label of each recording, by its first release in order of UPC."""
    rows = reader.sql(
        f"SELECT recording_id, arg_min((artist, label), upc) AS first FROM {reader.relation('silver.catalog')} GROUP BY 1"
    )
    return {row["recording_id"]: tuple(row["first"]) for row in rows}


def _row(group: Mapping[str, Any], period: str, names: Mapping[str, tuple[str, str | None]]) -> UsageRow:
    artist, label = names.get(group["recording_id"], ("", None))
    return UsageRow(line_key(group), period, group["amount"], group["currency"], artist, label, "", _usage(group))


def _usage(group: Mapping[str, Any]) -> Usage:
    day = group["sale_date"]
    told = {name: group[name] for name in _TOLD}
    return Usage(recording=group["recording_id"], sale_date=day.isoformat() if day else None, **told)


def _line(line: Mapping[str, Any]) -> Line:
    steps = tuple(Step(s["stage"], s["term"], s["amount_in"], s["amount_out"]) for s in line["stages"])
    return Line(
        line["line_id"], line["period"], line["contract_id"], line["contract_version"], line["payee"], line["role"], line["category"],
        line["amount"], line["currency"], steps, _usage(line),
    )  # fmt: skip


def _taken_back(lines: list[dict[str, Any]]) -> list[Balance]:
    return balances_of({(c["counter"], c["currency"]): exact(c["size"]) for c in line["counts"] or ()} for line in lines)


def _events(reader: LakeReader, period: str) -> list[Event]:
    rows = reader.sql(f"SELECT * FROM {reader.relation(silver.account_events.name)} WHERE period = ?", [period])
    return [Event(**row) for row in rows]


def _opening(reader: LakeReader, period: str) -> list[Balance]:
    earlier = [closed for closed in closed_periods(reader) if closed < period]
    if not earlier:
        return []
    rows = reader.sql(f"SELECT * FROM {reader.relation(gold.balances.name)} WHERE period = ?", [max(earlier)])
    return [Balance(r["kind"], r["contract_id"], r["payee"], r["currency"], r["ref"], r["amount"]) for r in rows]
