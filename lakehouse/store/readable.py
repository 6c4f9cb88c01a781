"""Opening the log of a table: patiently, and only where this software can read what it names."""

from __future__ import annotations

import deltalake

from lakehouse.errors import Misuse
from lakehouse.place import Place
from lakehouse.store.objects import object_store
from lakehouse.tables import Table
from lakehouse.tables.declare import SCHEMA_VERSION

# Features under which the files named in the log are not the rows of the table.
_FILES_ARE_NOT_ROWS = {"deletionVectors", "columnMapping"}


# A request that the store cut off while it went down is made again so often, each time after the store has answered.
_TRIES = 3


def open_table(place: Place, table: Table, version: int | None = None) -> deltalake.DeltaTable:
    """A declared table at a version, by default the newest. Raises what delta-rs raises, Busy where the store is away, Misuse as below."""
    for left in reversed(range(_TRIES)):
        try:
            opened = deltalake.DeltaTable(place.uri(table.path), version=version, storage_options=place.storage_options)
            break
        except OSError:
            if place.is_local or not left:
                raise
            # boto3 asks until the store is back, or gives up with a sentence.
            object_store(place).get(f"{table.path}/_delta_log/_last_checkpoint")
    return _require_readable(opened, table, place)


def _require_readable(opened: deltalake.DeltaTable, table: Table, place: Place) -> deltalake.DeltaTable:
    """The table as it was opened. Raises Misuse where its files are not its rows, or where it lacks columns that are declared today."""
    if blocked := _FILES_ARE_NOT_ROWS & set(opened.protocol().reader_features or ()):
        raise Misuse(
            f"{table.name} of {place.root} uses {', '.join(sorted(blocked))}: its files are not its rows. Rewrite it without."
        )
    there = {field.name for field in opened.schema().fields}
    if missing := [column for column in table.columns if column not in there]:
        made = opened.metadata().configuration.get(SCHEMA_VERSION, "unknown")
        raise Misuse(
            f"{table.name} of {place.root} has no column {', '.join(missing)}: the lake was made by an older version of this software "
            f"(schema {made} of the table, here it is {table.version}). Look at it with the version that made it, which `history` and "
            "ops.runs name; to go on with this one, make a new lake with `lakehouse init` and land the reports there again."
        )
    return opened
