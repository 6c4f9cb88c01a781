"""The state of every period, and the history of every table."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold
from lakehouse.tables.bronze import files
from lakehouse.views.common import closed_periods, published_or_draft
from lakehouse.views.files import landing_receipts


def status(reader: LakeReader) -> list[dict[str, Any]]:
    """Every period that a file, a draft or a publication belongs to: `state` is open, draft or closed."""
    closed = set(closed_periods(reader))
    counted = _count(reader, f"SELECT period, count(*) AS n FROM {published_or_draft(reader, 'statements')} GROUP BY 1")
    read = reader.sql(f"SELECT file_id, period FROM {reader.relation(files.name)}")
    known = {row["file_id"] for row in read}
    waiting = [r for r in landing_receipts(reader) if r["status"] == "landed" and r["file_id"] not in known]
    periods = sorted(closed | set(counted) | {row["period"] for row in read} | {r["report_period"] for r in waiting})
    roots = {row["period"]: row["root"] for row in reader.sql(f"SELECT period, root FROM {reader.relation(gold.periods.name)}")}
    return [
        {
            "period": period,
            "state": "closed" if period in closed else "draft" if period in counted else "open",
            "files": sum(row["period"] == period for row in read),
            "waiting": sum(receipt["report_period"] == period for receipt in waiting),
            "statements": counted.get(period, 0),
            "root": roots.get(period),
        }
        for period in periods
    ]


def _count(reader: LakeReader, query: str) -> dict[str, int]:
    return {row["period"]: row["n"] for row in reader.sql(query)}


def history(reader: LakeReader, name: str) -> list[dict[str, Any]]:
    """The Delta versions of a table, newest first, each with the run that made it. Raises Misuse for an unknown table."""
    return [_version(entry) for entry in reader.delta(name).history()]


def _version(entry: dict[str, Any]) -> dict[str, Any]:
    try:
        made_by = json.loads(entry.get("userMetadata") or "{}")
    except ValueError:
        made_by = {}
    made_by = made_by if isinstance(made_by, dict) else {}
    metrics = entry.get("operationMetrics") or {}
    rows = metrics.get("numOutputRows", metrics.get("num_added_rows"))
    return {
        "version": entry["version"],
        "timestamp": datetime.fromtimestamp(entry["timestamp"] / 1000, timezone.utc).isoformat(timespec="milliseconds"),
        "operation": entry.get("operation"),
        "run_id": made_by.get("run_id"),
        "job": made_by.get("job"),
        "rows": None if rows is None else int(rows),
    }
