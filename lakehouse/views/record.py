"""The record of each source: how much of what it reported was matched, and could be read, in the latest closed periods. No JVM."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lakehouse.model.vocabulary import UNPAID
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, ops, silver
from lakehouse.views.common import closed_periods

_PLACES = Decimal("0.0001")


def source_records(reader: LakeReader, most: int, before: str | None = None) -> list[dict[str, Any]]:
    """{source, periods, usage_lines, held_lines, refused_lines, match_rate, fidelity} of each source, in order.

    Of the `most` latest closed periods, those before the period `before` alone. `match_rate` is the share of its usage lines that were not
    first held there for want of a match, `fidelity` the share of all its lines that were not refused: decimals of four places, as text.
    """
    periods = [period for period in closed_periods(reader) if before is None or period < before][-most:]
    if not periods:
        return []
    told = " UNION ALL ".join(_told(reader, period) for period in periods)
    rows = reader.sql(f"""
        SELECT source, list_sort(list(DISTINCT period)) AS periods, sum(usage_lines)::BIGINT AS usage_lines,
               sum(held_lines)::BIGINT AS held_lines, sum(refused_lines)::BIGINT AS refused_lines
        FROM ({told}) GROUP BY source ORDER BY source""")
    return [
        {
            **row,
            "match_rate": _share(row["usage_lines"] - row["held_lines"], row["usage_lines"]),
            "fidelity": _share(row["usage_lines"], row["usage_lines"] + row["refused_lines"]),
        }
        for row in rows
    ]


def _told(reader: LakeReader, period: str) -> str:
    """A query for what became of each line of a period, or of each group of lines. Files of other periods are not opened."""
    usage, holding, refused = (
        reader.relation(table.name, where={"period": period}) for table in (silver.usage, gold.holding, ops.quarantine)
    )
    waits = ", ".join(f"'{status}'" for status in UNPAID)
    return f"""
        SELECT source, period, 1 AS usage_lines, 0 AS held_lines, 0 AS refused_lines FROM {usage}
        UNION ALL SELECT source, period, 0, usage_lines, 0 FROM {holding}
            WHERE entry = 'hold' AND held_since = period AND reason IN ({waits})
        UNION ALL SELECT source, period, 0, 0, 1 FROM {refused}"""


def _share(part: int, whole: int) -> str | None:
    return str((Decimal(max(part, 0)) / whole).quantize(_PLACES)) if whole else None
