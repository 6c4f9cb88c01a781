"""Which reports are held whole, and which of those a person let go on: the same as `transforms.held`, without Spark."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, ops
from lakehouse.views.common import write_money


def held_query(reader: LakeReader, up_to: str | None = None) -> str:
    """A query for [file_id, cause, lines, refused, max_quarantine] of what is held, as of a period or now: a row for each cause.

    A cause is ``controls`` (its own totals disagree with its lines) or ``quarantine`` (too many of its lines are refused).
    """
    files, holds, releases = (reader.relation(table.name) for table in (bronze.files, ops.held_files, ops.file_releases))
    then = "true" if up_to is None else f"period <= '{up_to}'"
    return f"""
        SELECT * FROM (
            SELECT file_id, 'controls' AS cause, NULL AS lines, NULL AS refused, NULL AS max_quarantine FROM {files}
            WHERE {then} AND len(list_filter(controls, lambda c: NOT c.ok)) > 0
            UNION ALL
            SELECT file_id, 'quarantine', arg_max(lines, judged_at), arg_max(refused, judged_at), arg_max(max_quarantine, judged_at)
            FROM {holds} WHERE {then} GROUP BY file_id HAVING bool_and(entry = 'hold'))
        WHERE (file_id, cause) NOT IN (SELECT (file_id, cause) FROM {releases} WHERE {then})
    """


def held_files(reader: LakeReader, up_to: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """file_id: why it is held."""
    found = defaultdict(list)
    for row in reader.sql(f"{held_query(reader, up_to)} ORDER BY cause"):
        file_id = row.pop("file_id")
        found[file_id].append({name: value for name, value in row.items() if value is not None})
    return found


def releases_of_files(reader: LakeReader) -> dict[str, list[dict[str, Any]]]:
    """file_id: what a person decided on it: {cause, period, reason, by, at, controls, booked}."""
    found = defaultdict(list)
    for row in reader.sql(f"SELECT * FROM {reader.relation(ops.file_releases.name)} ORDER BY released_at, cause"):
        found[row["file_id"]].append(
            {
                **{name: row[name] for name in ("cause", "period", "reason", "controls")},
                "by": row["released_by"],
                "at": row["released_at"].isoformat(timespec="seconds"),
                "booked": {currency: write_money(amount, currency) for currency, amount in sorted(row["booked"].items())},
            }
        )
    return found
