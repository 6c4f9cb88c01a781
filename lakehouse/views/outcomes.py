"""How well matching does, and what became of the rest: by lines and by money, for each tier, source and period. No JVM."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any

from lakehouse.model.vocabulary import PAID
from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, silver
from lakehouse.views.common import write_money, write_number
from lakehouse.views.holding import holding

_EXACT = Context(prec=80)


def fallback_outcomes(reader: LakeReader, ruleset: str, period: str | None = None) -> list[dict[str, Any]]:
    """{period, source, currency, tier, status, gap, keys, lines, amount} for every combination there is, in that order.

    Of the usage of reports that count, under the decision that stands today: a hold that was released since counts for the tier that
    found its owner. `gap` is that of the routing event of the decision.
    """
    rows = reader.sql(
        f"""
        WITH dead AS (
            SELECT file_id FROM (
                SELECT file_id, row_number() OVER (
                    PARTITION BY source, report_key ORDER BY report_version DESC, received_at DESC, file_id DESC) AS age
                FROM {reader.relation(bronze.files.name)} WHERE len(list_filter(coalesce(controls, []), lambda c: NOT c.ok)) = 0)
            WHERE age > 1),
        decided AS (SELECT usage_key, arg_max({{'status': reconciliation_status, 'tier': tier}},
                {{'rules': ruleset = ?, 'catalog': catalog_version, 'review': review_no}}) AS of
            FROM {reader.relation(silver.matches.name)} GROUP BY usage_key),
        routed AS (SELECT usage_key, arg_max(coalesce(gap, ''), decided_at) AS gap
            FROM {reader.relation(silver.routing_audit.name)} GROUP BY usage_key)
        SELECT u.period, u.source, u.currency, coalesce(d.of.tier, 'none') AS tier, coalesce(d.of.status, 'UNCLAIMED') AS status,
               nullif(r.gap, '') AS gap, count(DISTINCT u.usage_key) AS keys, count(*) AS lines, sum(u.amount) AS amount
        FROM {reader.relation(silver.usage.name, where={"period": period} if period else None)} u
        LEFT JOIN decided d USING (usage_key) LEFT JOIN routed r USING (usage_key)
        WHERE u.file_id NOT IN (SELECT file_id FROM dead)
        GROUP BY ALL ORDER BY ALL
        """,
        [ruleset],
    )
    return list(rows)


def matching(reader: LakeReader, ruleset: str, period: str | None = None) -> dict[str, Any]:
    """{period, outcomes, rates, held}: every outcome, the match rates by lines and by money, and what is held with its age.

    `rates` has a row for each period, source and currency, and one with no source for each period and currency: lines, matched_lines,
    line_rate, amount, matched_amount, money_rate. A rate is a decimal from 0 to 1 with four places; money_rate is empty where the
    amounts add up to zero.
    """
    outcomes = fallback_outcomes(reader, ruleset, period)
    groups: dict[tuple[str, str | None, str], list[dict[str, Any]]] = {}
    for row in outcomes:
        for source in (None, row["source"]):
            groups.setdefault((row["period"], source, row["currency"]), []).append(row)
    ordered = sorted(groups, key=lambda key: (key[0], key[1] or "", key[2]))
    return {
        "period": period,
        "outcomes": [{**row, "amount": write_money(row["amount"], row["currency"])} for row in outcomes],
        "rates": [{"period": p, "source": source, "currency": c, **_rates(groups[p, source, c], c)} for p, source, c in ordered],
        "held": holding(reader, period)["held"],
    }


def _rates(rows: list[dict[str, Any]], currency: str) -> dict[str, Any]:
    paid = [row for row in rows if row["status"] in PAID]
    lines, matched_lines = (sum(row["lines"] for row in of) for of in (rows, paid))
    amount, matched_amount = _sum(rows), _sum(paid)
    return {
        "lines": lines, "matched_lines": matched_lines, "line_rate": _rate(Decimal(matched_lines), Decimal(lines)),
        "amount": write_money(amount, currency), "matched_amount": write_money(matched_amount, currency),
        "money_rate": _rate(matched_amount, amount),
    }  # fmt: skip


def _sum(rows: Iterable[dict[str, Any]]) -> Decimal:
    total = Decimal(0)
    for row in rows:
        total = _EXACT.add(total, row["amount"])
    return total


def _rate(part: Decimal, whole: Decimal) -> str | None:
    return write_number(_EXACT.divide(part, whole).quantize(Decimal("0.0001"))) if whole else None
