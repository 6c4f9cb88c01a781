"""The way back from quarantine: tried first, then released once, in the open period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from pyspark.sql import functions as F

from lakehouse.errors import Misuse
from lakehouse.model.period import next_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import run_jobs
from lakehouse.runs.stages import conform
from lakehouse.tables import bronze, ops
from lakehouse.transforms.conform import conform as conform_lines
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.release import released_lines


def release_records(env: Environment, records: Sequence[str], reason: str, changes: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tries the quarantined lines under today's dialects, with `changes` (the report's column: value) in their cells.

    Those that pass become usage of the open period, once; the others stay, with today's reasons. One row for each record:
    {record_id, status: released | refused, period, reasons}. Raises Misuse for a record that is not in quarantine.
    """
    refused = _waiting(env, records)
    outcome = _tried(env, refused, changes)
    closed = env.closed_periods()
    rows = [
        (books_of(refused[record], closed), record, reason, dict(changes) or None, datetime.now(timezone.utc))
        for record, reasons in outcome.items()
        if not reasons
    ]
    if rows:
        frame = local_rows(env.spark, ops.releases.types, rows)
        env.store.append(ops.releases, frame.coalesce(1), {"job": "quarantine release", "records": len(rows)})
        for period in sorted({row[0] for row in rows}):
            run_jobs([conform], env, period)
    periods = {row[1]: row[0] for row in rows}
    return [
        {"record_id": record, "status": "refused" if reasons else "released", "period": periods.get(record), "reasons": reasons}
        for record, reasons in outcome.items()
    ]


def _waiting(env: Environment, records: Sequence[str]) -> dict[str, str]:
    """record_id: period, of these records or of all that wait. Raises Misuse for one that does not."""
    reader = env.reader
    rows = reader.sql(
        f"""SELECT record_id, period FROM {reader.relation(ops.quarantine.name)}
            WHERE record_id NOT IN (SELECT record_id FROM {reader.relation(ops.releases.name)}) ORDER BY record_id"""
    )
    waiting = {row["record_id"]: row["period"] for row in rows}
    if unknown := [record for record in records if record not in waiting]:
        raise Misuse(
            f"Not in quarantine, or released already: {', '.join(unknown)}. `lakehouse quarantine list` shows what waits."
        )
    return {record: waiting[record] for record in records} if records else waiting


def books_of(period: str, closed: Sequence[str]) -> str:
    """The period itself while it is open, else the first after the closed ones."""
    return period if period not in closed else next_period(max(closed))


def _tried(env: Environment, refused: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """record_id: what is wrong with the line today, which is nothing where it passes."""
    if not refused:
        return {}
    spark, store = env.spark, env.store
    columns = {"record_id": "string", "changes": "map<string,string>"}
    asked = local_rows(spark, columns, [(record, dict(changes) or None) for record in refused])
    known = store.read(ops.quarantine).join(F.broadcast(asked.select("record_id")), "record_id", "left_semi")
    lines = released_lines(store.read(bronze.lines), known, asked, env.dialects)
    typed = conform_lines(lines, store.read(bronze.files), env.dialects)
    still = {
        row.record_id: [reason.asDict() for reason in row.reasons]
        for row in typed.quarantine.select("record_id", "reasons").collect()
    }
    return {record: still.get(record, []) for record in refused}
