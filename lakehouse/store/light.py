"""Writes that need no JVM: making the declared tables, and replacing the small ones that people load."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import deltalake
import pyarrow as pa
from deltalake import CommitProperties, write_deltalake

from lakehouse.tables import ALL, Table
from lakehouse.tables.arrow import arrow_schema

# Writers older than this do not know CHECK constraints.
_PROTOCOL = {"delta.minReaderVersion": "1", "delta.minWriterVersion": "3"}


def create_tables(root: str, tables: Iterable[Table] = ALL) -> list[str]:
    """Creates what is not there yet, with every constraint and property of the declaration; the names of what it created."""
    missing = [table for table in tables if not deltalake.DeltaTable.is_deltatable(f"{root}/{table.path}")]
    for table in missing:
        deltalake.DeltaTable.create(
            f"{root}/{table.path}", _documented(table), partition_by=list(table.partition_by), description=table.doc,
            configuration={**table.properties, **_PROTOCOL}, raise_if_key_not_exists=False,
        )  # fmt: skip
    return [table.name for table in missing]


def _documented(table: Table) -> pa.Schema:
    """The Arrow schema with each column's doc as its comment."""
    described = zip(table.fields, arrow_schema(table), strict=True)
    return pa.schema([column.with_metadata({"comment": field.doc}) for field, column in described])


def replace_rows(root: str, table: Table, rows: Sequence[Mapping[str, Any]], note: Mapping[str, Any]) -> int:
    """Replaces all rows of a small table in one commit, and returns the version after."""
    values = [{column: row.get(column) for column in table.columns} for row in rows]
    write_deltalake(
        f"{root}/{table.path}", pa.Table.from_pylist(values, schema=arrow_schema(table)), mode="overwrite",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": json.dumps(note, sort_keys=True)}),
    )  # fmt: skip
    return deltalake.DeltaTable(f"{root}/{table.path}").version()


def append_rows(root: str, table: Table, rows: Sequence[Mapping[str, Any]], note: Mapping[str, Any]) -> int:
    """Appends a few rows in one commit, and returns the version after. The caller holds the lease of the lake."""
    values = [{column: row.get(column) for column in table.columns} for row in rows]
    write_deltalake(
        f"{root}/{table.path}", pa.Table.from_pylist(values, schema=arrow_schema(table)), mode="append",
        partition_by=list(table.partition_by) or None,
        commit_properties=CommitProperties(custom_metadata={"userMetadata": json.dumps(note, sort_keys=True)}),
    )  # fmt: skip
    return deltalake.DeltaTable(f"{root}/{table.path}").version()
