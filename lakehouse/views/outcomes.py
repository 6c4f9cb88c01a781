"""How well matching does, and what became of the rest: by lines and by money, for each tier, source and period. No JVM."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from lakehouse.model.outcomes import less, match_rates
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, silver
from lakehouse.views.common import write_money, write_number
from lakehouse.views.held import Versions, superseded_query
from lakehouse.views.holding import holding

# A period, a source or all of them, and a currency.
Group = tuple[str, str | None, str]


def fallback_outcomes(
    reader: LakeReader, ruleset: str, period: str | None = None, as_read: Versions | None = None
) -> list[dict[str, Any]]:
    """{period, source, currency, tier, status, gap, keys, lines, amount} for every combination there is, in that order.

    Of the usage of reports that count, under the decision that stands today: a hold that was released since counts for the tier that
    found its owner. `gap` is that of the routing event of the decision. With `as_read`, the Delta versions that a run of `period` read,
    what stood for that run.
    """
    up_to = period if as_read else None

    def at(name: str, where: str | None = None) -> str:
        return reader.relation(name, (as_read or {}).get(name), {"period": where} if where else None)

    return reader.sql(
        f"""
        WITH said AS (
            SELECT period, source, currency, usage_key, count(*) AS lines, sum(amount) AS amount
            FROM {at(silver.usage.name, period)} WHERE file_id NOT IN ({superseded_query(reader, up_to, as_read)}) GROUP BY ALL),
        decided AS (SELECT usage_key, arg_max({{'status': reconciliation_status, 'tier': tier}},
                {{'rules': ruleset = $ruleset, 'catalog': catalog_version, 'review': review_no}}) AS of
            FROM {at(silver.matches.name)} WHERE $up_to IS NULL OR period <= $up_to GROUP BY usage_key),
        routed AS (SELECT usage_key, arg_max(coalesce(gap, ''), decided_at) AS gap
            FROM {at(silver.routing_audit.name)} WHERE $up_to IS NULL OR period <= $up_to GROUP BY usage_key)
        SELECT s.period, s.source, s.currency, coalesce(d.of.tier, 'none') AS tier, coalesce(d.of.status, 'UNCLAIMED') AS status,
               nullif(r.gap, '') AS gap, count(DISTINCT s.usage_key) AS keys, sum(s.lines)::BIGINT AS lines, sum(s.amount) AS amount
        FROM said s LEFT JOIN decided d USING (usage_key) LEFT JOIN routed r USING (usage_key)
        GROUP BY ALL ORDER BY ALL
        """,
        {"ruleset": ruleset, "up_to": up_to},
    )


def recorded_outcomes(reader: LakeReader, before: str | None = None) -> list[dict[str, Any]]:
    """What was recorded of closed periods when they were closed: the rows of gold.fallback_outcomes; with `before`, of those before it."""
    # A lake made by an earlier version has no such table.
    if not reader.exists(gold.fallback_outcomes.name):
        return []
    return reader.sql(
        f"""SELECT * FROM {reader.relation(gold.fallback_outcomes.name)}
            WHERE period IN (SELECT period FROM {reader.relation(gold.periods.name)} WHERE ? IS NULL OR period < ?)
            ORDER BY period, source, currency, tier, status, gap""",
        [before, before],
    )


def matching(reader: LakeReader, ruleset: str, period: str | None = None) -> dict[str, Any]:
    """{period, outcomes, rates, held}: every outcome, the match rates by lines and by money, and what is held with its age.

    `rates` has a row for each period, source and currency, and one with no source for each period and currency: lines, matched_lines,
    line_rate, amount, matched_amount, money_rate, and what the two rates have gained since the closed period `compared_with`, as it was when it
    was closed: line_trend, money_trend. A rate is a decimal from 0 to 1 with four places; money_rate is empty where the amounts add up to
    next to nothing, a trend where there is nothing to compare with.
    """
    outcomes = fallback_outcomes(reader, ruleset, period)
    rates = _rates(outcomes)
    recorded = _rates(recorded_outcomes(reader, period))
    ordered = sorted(rates, key=lambda group: (group[0], group[1] or "", group[2]))
    return {
        "period": period,
        "outcomes": [{**row, "amount": write_money(row["amount"], row["currency"])} for row in outcomes],
        "rates": [_written(group, rates[group], recorded) for group in ordered],
        "held": holding(reader, period)["held"],
    }


def _rates(outcomes: list[dict[str, Any]]) -> dict[Group, dict[str, Any]]:
    groups: dict[Group, list[dict[str, Any]]] = defaultdict(list)
    for row in outcomes:
        for source in (None, row["source"]):
            groups[row["period"], source, row["currency"]].append(row)
    return {group: match_rates(rows) for group, rows in groups.items()}


def _written(group: Group, rates: dict[str, Any], recorded: dict[Group, dict[str, Any]]) -> dict[str, Any]:
    """A row of `rates`, beside what was recorded of the same source and currency last."""
    period, source, currency = group
    compared_with = max((one[0] for one in recorded if one[0] < period and one[1:] == group[1:]), default=None)
    then = recorded[compared_with, source, currency] if compared_with else {}
    money = {name: write_money(rates[name], currency) for name in ("amount", "matched_amount")}
    trends = {f"{of}_trend": less(rates[f"{of}_rate"], then.get(f"{of}_rate")) for of in ("line", "money")}
    numbers = {name: _number(rates[name]) for name in ("line_rate", "money_rate")}
    told = {"period": period, "source": source, "currency": currency}
    return {**told, **rates, **money, **numbers, "compared_with": compared_with, **{n: _number(t) for n, t in trends.items()}}


def _number(value: Decimal | None) -> str | None:
    return None if value is None else write_number(value)
