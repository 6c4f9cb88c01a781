"""Holding reports whole of which too many lines are refused, within `conform`."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.sql import functions as F

from lakehouse.checks.share import judge
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Append, Work
from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, ops
from lakehouse.transforms.conform import Conformed
from lakehouse.transforms.local import local_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Going(NamedTuple):
    """What goes on of the lines that were read, and the entries for `ops.held_files`."""

    entries: tuple[Append, ...]
    lines: Conformed


def hold_overfull(work: Work, typed: Conformed, begun: DataFrame) -> Going:
    """Takes the lines of overfull reports out of `typed`. A report in `begun` ([file_id]) has lines in the books, and goes on."""
    limit, reader = work.env.settings.max_quarantine, work.env.reader
    holds = _holds(reader, work.period)
    if limit is None and not holds:
        return Going((), typed)
    sources = {
        row["file_id"]: row["source"] for row in reader.sql(f"SELECT file_id, source FROM {reader.relation(bronze.files.name)}")
    }
    held, rows = [], []
    for file_id, lines, refused in _counts(typed, begun):
        dialect = work.env.dialects[sources[file_id]].sha256
        is_held, entry = judge(lines, refused, dialect, limit, holds.get(file_id, {}))
        held += [file_id] if is_held else []
        if entry:
            rows.append({**entry._asdict(), "period": work.period, "file_id": file_id, "judged_at": datetime.now(timezone.utc)})
    going = Conformed(*(part.where(~F.col("file_id").isin(held)) for part in typed)) if held else typed
    if not rows:
        return Going((), going)
    entries = local_rows(work.env.spark, ops.held_files.types, [tuple(row[c] for c in ops.held_files.columns) for row in rows])
    return Going((Append(ops.held_files, entries.coalesce(1)),), going)


def reports_let_go(env: Environment) -> list[str]:
    """The reports that go on under today's limit although they were held under a smaller one: a change of outcome that no input
    and no dialect shows. Those that a person released are not among them. A report stays in the list once it went on so: the list decides whether there is work to do."""
    limit, reader = env.settings.max_quarantine, env.reader
    entries: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: {"hold": [], "clear": []})
    decided = f"SELECT file_id FROM {reader.relation(ops.file_releases.name)} WHERE cause = 'quarantine'"
    for row in reader.sql(
        f"""SELECT file_id, entry, dialect_sha256, lines, refused FROM {reader.relation(ops.held_files.name)}
            WHERE file_id NOT IN ({decided})"""
    ):
        entries[row["file_id"]][row["entry"]].append(row)
    return sorted(file_id for file_id, of in entries.items() if _goes_by_limit(of["hold"], of["clear"], limit))


def _goes_by_limit(holds: list[dict[str, Any]], clears: list[dict[str, Any]], limit: Fraction | None) -> bool:
    if clears:
        return bool({row["dialect_sha256"] for row in clears} & {row["dialect_sha256"] for row in holds})
    return limit is not None and any(Fraction(row["refused"], row["lines"]) <= limit for row in holds)


def _holds(reader: LakeReader, period: str) -> dict[str, dict[tuple[str, str], int]]:
    """file_id: its open holds as (dialect_sha256, max_quarantine), numbered in the order they were made."""
    entries = reader.relation(ops.held_files.name)
    rows = reader.sql(
        f"""SELECT file_id, dialect_sha256, max_quarantine FROM {entries} WHERE entry = 'hold' AND period <= ?
            AND file_id NOT IN (SELECT file_id FROM {entries} WHERE entry = 'clear') ORDER BY judged_at, dialect_sha256, max_quarantine""",
        [period],
    )
    found: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for number, row in enumerate(rows):
        found[row["file_id"]][row["dialect_sha256"], row["max_quarantine"]] = number
    return found


def _counts(typed: Conformed, begun: DataFrame) -> list[tuple[str, int, int]]:
    """(file_id, lines, refused) of the reports that have not begun."""
    refused = typed.quarantine.select("file_id", F.lit(1).alias("refused"))
    others = typed.usage.select("file_id", F.lit(0).alias("refused")).union(typed.ignored.select("file_id", F.lit(0)))
    counts = refused.union(others).groupBy("file_id").agg(F.count(F.lit(1)).alias("lines"), F.sum("refused").alias("refused"))
    return [
        (row.file_id, row.lines, row.refused)
        for row in counts.join(F.broadcast(begun.distinct()), "file_id", "left_anti").collect()
    ]
