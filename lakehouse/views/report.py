"""The reconciliation of a period: lines, matching and money, each with nothing left over. No JVM."""

from __future__ import annotations

from typing import Any

from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, gold, ops, silver
from lakehouse.views.duplicates import sums_of_duplicates
from lakehouse.views.held import held_files, held_query

PLACES = ("revenue", "payable", "retained", "fees", "tax", "held", "quarantined", "adjusted", "difference")


def report_period(reader: LakeReader, period: str, ruleset: str = "") -> dict[str, Any]:
    """{lines, matching, money, statements, held_files, duplicates} of a period, from its drafts or from gold once it is closed.

    Of several decisions on a key, one under `ruleset` counts before those under other rules.
    """
    return {
        "lines": _lines(reader, period),
        "matching": _matching(reader, period, ruleset),
        "money": _money(reader, period),
        "statements": _statements(reader, period),
        "held_files": _held_files(reader, period),
        "duplicates": sums_of_duplicates(reader, period),
    }


def layer_of(reader: LakeReader, period: str) -> str:
    """``gold`` for a published period, ``draft`` for an open one."""
    published = reader.sql(f"SELECT 1 FROM {reader.relation(gold.periods.name)} WHERE period = ?", [period])
    return "gold" if published else "draft"


def _of(reader: LakeReader, name: str, period: str) -> str:
    return reader.relation(name, where={"period": period})


def _lines(reader: LakeReader, period: str) -> dict[str, int]:
    usage, ignored, refused, lines, files = (
        _of(reader, table.name, period) for table in (silver.usage, ops.ignored, ops.quarantine, bronze.lines, bronze.files)
    )
    # What a later period released was in quarantine when this one was drawn up, and is accepted there.
    released = f"SELECT record_id FROM {reader.relation(ops.releases.name)} WHERE period <= ?"
    row = reader.sql(
        f"""
        WITH held AS (SELECT file_id FROM {files} WHERE file_id IN (SELECT file_id FROM ({held_query(reader, period)})))
        SELECT (SELECT count(*) FROM {lines}) AS read,
               (SELECT count(*) FROM {usage}) AS accepted,
               (SELECT count(*) FROM {ignored}) + (SELECT count(*) FROM {lines} WHERE kind != 'data') AS ignored,
               (SELECT count(*) FROM {refused} WHERE record_id NOT IN ({released})) AS quarantined,
               (SELECT count(*) FROM {lines} WHERE kind = 'data' AND file_id IN (SELECT file_id FROM held)) AS held
    """,
        [period],
    )[0]
    return {name: int(value) for name, value in row.items()}


def _matching(reader: LakeReader, period: str, ruleset: str) -> dict[str, int]:
    matches = reader.relation(silver.matches.name)
    rows = reader.sql(
        f"""
        WITH keys AS (SELECT DISTINCT usage_key FROM {_of(reader, silver.usage.name, period)}),
             latest AS (SELECT usage_key, arg_max(reconciliation_status, (ruleset = ?, period, catalog_version, review_no)) AS status
                        FROM {matches} WHERE period <= ? GROUP BY usage_key)
        SELECT coalesce(status, 'UNCLAIMED') AS status, count(*) AS keys FROM keys LEFT JOIN latest USING (usage_key) GROUP BY 1
        """,
        [ruleset, period],
    )
    counts = {row["status"].lower(): int(row["keys"]) for row in rows}
    return {"keys": sum(counts.values()), **{name.lower(): counts.get(name.lower(), 0) for name in silver.STATUSES}}


def _money(reader: LakeReader, period: str) -> list[dict[str, Any]]:
    sums = ", ".join(f"sum({place}) AS {place}" for place in PLACES)
    conservation = _of(reader, f"{layer_of(reader, period)}.conservation", period)
    rows = reader.sql(f"SELECT currency, {sums} FROM {conservation} GROUP BY currency ORDER BY currency")
    return [{name: value if name == "currency" else f"{value:f}" for name, value in row.items()} for row in rows]


def _statements(reader: LakeReader, period: str) -> int:
    statements = _of(reader, f"{layer_of(reader, period)}.statements", period)
    return int(reader.sql(f"SELECT count(*) AS n FROM {statements}")[0]["n"])


def _held_files(reader: LakeReader, period: str) -> list[dict[str, Any]]:
    """Reports that contradict their own totals, or of which too many lines are refused: none of their lines goes on."""
    holds = held_files(reader, up_to=period)
    files = reader.sql(f"""
        SELECT file_id, name, list_filter(controls, lambda c: NOT c.ok) AS controls
        FROM {_of(reader, bronze.files.name, period)} ORDER BY name, file_id
    """)
    return [{**file, "holds": holds[file["file_id"]]} for file in files if file["file_id"] in holds]
