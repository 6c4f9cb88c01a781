"""Small lakes for tests, written by delta-rs: no JVM."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from lakehouse.model.types import parse_type
from lakehouse.tables.arrow import arrow_schema
from lakehouse.tables.declare import Table


def arrow_table(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table in the declared schema. Missing columns are NULL; money may be given as text."""
    return pa.Table.from_pylist(
        [{f.name: _cell(f.type, row.get(f.name)) for f in table.fields} for row in rows], schema=arrow_schema(table)
    )


def _cell(type_: str, value: Any) -> Any:
    kind = parse_type(type_).kind
    if kind == "decimal" and isinstance(value, (str, int)):
        return Decimal(value)
    return list(value.items()) if kind == "map" and isinstance(value, Mapping) else value


def append(root: Path, table: Table, rows: Sequence[Mapping[str, Any]], run_id: str = "run-1", job: str = "test") -> int:
    """Appends rows to a table of the lake and returns the new Delta version."""
    folder = root / table.path
    write_deltalake(
        folder, arrow_table(table, rows), mode="append", partition_by=list(table.partition_by) or None,
        commit_properties=CommitProperties(custom_metadata={"userMetadata": json.dumps({"run_id": run_id, "job": job})}),
    )  # fmt: skip
    return DeltaTable(folder).version()


def filled(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with something in every required column that it does not name."""
    empty = {
        "string": "-", "int": 0, "bigint": 0, "boolean": False, "array": [], "map": {}, "decimal": Decimal(0),
        "timestamp": datetime(2026, 6, 1, tzinfo=timezone.utc),
    }  # fmt: skip
    return {**{f.name: empty[parse_type(f.type).kind] for f in table.fields if f.required}, **row}
