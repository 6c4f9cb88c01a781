"""Which reports count: those that are held whole or were replaced do not. What a person decided on them, and booked.

A lake has a row for each report, not for each line: so DuckDB tells it, to those who look and to the jobs alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lakehouse.model.period import previous_period
from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, gold, ops
from lakehouse.views.common import write_money

Versions = Mapping[str, int]


def held_query(reader: LakeReader, up_to: str | None = None, versions: Versions | None = None) -> str:
    """A query for [file_id, cause, lines, refused, max_quarantine] of what is held, as of a period or now: a row for each cause.

    `versions` are the Delta versions to read, by table; the newest of those it does not name. A cause is ``controls`` (its own totals disagree with its lines) or ``quarantine`` (too many of its lines are refused).
    """
    files, holds, releases = (
        reader.relation(table.name, (versions or {}).get(table.name))
        for table in (bronze.files, ops.held_files, ops.file_releases)
    )
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


def superseded_query(reader: LakeReader, up_to: str | None = None, versions: Versions | None = None) -> str:
    """A query for [file_id] of every report of which a later version has arrived, as of a period or now. The latest alone counts.

    Versions are ordered by the version the report states, then by arrival. A version that is held whole replaces nothing.
    """
    then = "true" if up_to is None else f"period <= '{up_to}'"
    return f"""
        SELECT file_id FROM {reader.relation(bronze.files.name, (versions or {}).get(bronze.files.name))}
        WHERE {then} AND file_id NOT IN (SELECT file_id FROM ({held_query(reader, up_to, versions)}))
        QUALIFY row_number() OVER (
            PARTITION BY source, report_key ORDER BY report_version DESC, received_at DESC, file_id DESC) > 1
    """


def superseded(reader: LakeReader, up_to: str, versions: Versions | None = None) -> set[str]:
    """The file_id of every report that a later version replaces."""
    return {row["file_id"] for row in reader.sql(superseded_query(reader, up_to, versions))}


def contradicted(reader: LakeReader, up_to: str, versions: Versions | None = None) -> set[str]:
    """The file_id of every report whose own totals disagree with its lines, unless a person let it go on."""
    query = f"SELECT file_id FROM ({held_query(reader, up_to, versions)}) WHERE cause = 'controls'"
    return {row["file_id"] for row in reader.sql(query)}


def accepted_differences(
    reader: LakeReader, period: str, versions: Versions | None = None
) -> list[tuple[str, str, str, Decimal, str]]:
    """(file_id, source, currency, amount, memo): money that reports of the period declare beyond their lines, as a person accepted
    it, and the exact mirror of what was booked for a report that this period's files replace.
    """
    dead = superseded(reader, period, versions)
    newly = dead - superseded(reader, previous_period(period), versions)
    releases = reader.relation(ops.file_releases.name, (versions or {}).get(ops.file_releases.name))
    found = []
    for row in reader.sql(f"SELECT * FROM {releases} WHERE period <= ? ORDER BY period, file_id, cause", [period]):
        own = row["period"] == period
        if row["file_id"] in dead if own else row["file_id"] not in newly:
            continue
        why, sign = (row["reason"], 1) if own else ("the report was replaced", -1)
        memo = f"Difference of the report of {row['source']}, accepted: {why}"
        found += [
            (row["file_id"], row["source"], currency, sign * amount, memo) for currency, amount in sorted(row["booked"].items())
        ]
    return found


def adjustments_of_replaced(
    reader: LakeReader, period: str, versions: Versions | None = None
) -> list[tuple[str, str, str, Decimal]]:
    """(file_id, source, currency, amount): what had been added to holds of reports that are replaced, where that is not undone yet."""
    conservation = reader.relation(gold.conservation.name, (versions or {}).get(gold.conservation.name))
    rows = reader.sql(
        f"""SELECT file_id, source, currency, sum(adjusted)::DECIMAL(38, 18) AS amount FROM {conservation}
            WHERE period < ? AND list_contains(?, file_id) GROUP BY ALL HAVING sum(adjusted) <> 0 ORDER BY ALL""",
        [period, sorted(superseded(reader, period, versions))],
    )
    return [(row["file_id"], row["source"], row["currency"], row["amount"]) for row in rows]


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
