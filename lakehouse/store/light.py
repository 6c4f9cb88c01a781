"""Writes that need no JVM: making the declared tables, and replacing the small ones that people load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import deltalake
import pyarrow as pa
from deltalake import CommitProperties, write_deltalake

from lakehouse.place import Place
from lakehouse.store.commit import changed, commit
from lakehouse.tables import ALL, Table
from lakehouse.tables.arrow import arrow_schema

# Writers older than this do not know CHECK constraints.
_PROTOCOL = {"delta.minReaderVersion": "1", "delta.minWriterVersion": "3"}
_SIDE_BY_SIDE = 8


def create_tables(root: str | Place, tables: Iterable[Table] = ALL) -> list[str]:
    """Creates what is not there yet, with every constraint and property of the declaration; the names of what it created."""
    place = Place.at(root)
    with ThreadPoolExecutor(1 if place.is_local else _SIDE_BY_SIDE) as pool:
        return [name for name in pool.map(lambda table: _create(place, table), tables) if name]


def _create(place: Place, table: Table) -> str | None:
    uri = place.uri(table.path)
    if deltalake.DeltaTable.is_deltatable(uri, place.storage_options):
        return None
    deltalake.DeltaTable.create(
        uri, _documented(table), partition_by=list(table.partition_by), description=table.doc,
        configuration={**table.properties, **_PROTOCOL}, raise_if_key_not_exists=False, storage_options=place.storage_options,
    )  # fmt: skip
    return table.name


def _documented(table: Table) -> pa.Schema:
    """The Arrow schema with each column's doc as its comment."""
    described = zip(table.fields, arrow_schema(table), strict=True)
    return pa.schema([column.with_metadata({"comment": field.doc}) for field, column in described])


def replace_rows(
    root: str | Place, table: Table, rows: Sequence[Mapping[str, Any]], note: Mapping[str, Any], read_at: int
) -> int:
    """Replaces all rows of a small table in one commit, and returns the version after.

    `read_at` is the version that the rows were made from. Raises Busy where another writer has changed the table since.
    """
    return _write(Place.at(root), table, rows, note, "overwrite", read_at)


def append_rows(
    root: str | Place, table: Table, rows: Sequence[Mapping[str, Any]], note: Mapping[str, Any], once: str | None = None
) -> int:
    """Appends a few rows in one commit, and returns the version after. The caller holds the lease of the lake.

    With `once`, a second append under the same id adds nothing.
    """
    return _write(Place.at(root), table, rows, note, "append", once=once)


def _write(
    place: Place, table: Table, rows: Sequence[Mapping[str, Any]], note: Mapping[str, Any],
    mode: Literal["append", "overwrite"], read_at: int | None = None, once: str | None = None,
) -> int:  # fmt: skip
    opened = deltalake.DeltaTable(place.uri(table.path), storage_options=place.storage_options)
    if once and opened.transaction_version(once) is not None:
        return opened.version()
    if read_at is not None and opened.version() != read_at:
        raise changed(place, table)
    values = [{column: row.get(column) for column in table.columns} for row in rows]

    def put(properties: CommitProperties) -> None:
        written = pa.Table.from_pylist(values, schema=arrow_schema(table))
        write_deltalake(opened, written, mode=mode, partition_by=list(table.partition_by) or None, commit_properties=properties)

    return commit(place, table, opened, note, put, once=once)
