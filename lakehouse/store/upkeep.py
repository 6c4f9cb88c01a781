"""Upkeep of tables by delta-rs: files are put together, logs get checkpoints, and what no version can need any more is removed.

No row changes, and nothing that a published period vouches for is touched: manifests name the files of gold one by one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import deltalake
import pyarrow as pa
from deltalake import CommitProperties

from lakehouse.errors import Findings
from lakehouse.place import Place
from lakehouse.store.lease import lease_of
from lakehouse.store.objects import object_store
from lakehouse.tables import Table, gold

# So many files in one partition are put together, and so many commits after the last checkpoint get another.
MANY_FILES = 8
MANY_COMMITS = 10


@dataclass(frozen=True)
class Kept:
    """What upkeep did to a table. `version` is the one after."""

    table: str
    version: int
    files_before: int
    files_after: int
    checkpoint: bool
    removed: int


def keep_up(root: str | Place, table: Table, note: Mapping[str, Any], compact: bool) -> Kept:
    """Compacts partitions of many files (where `compact`), writes a checkpoint if it is time, and vacuums by the table's own retention.

    Raises Findings where the table would let VACUUM remove files before the years that are declared are over.
    """
    place = Place.at(root)
    opened = deltalake.DeltaTable(place.uri(table.path), storage_options=place.storage_options)
    # After the table was opened, as before every commit: see `commit`.
    lease = lease_of(place)
    told = {**note, "fence": lease.fence} if lease else dict(note)
    declared, found = table.properties["delta.deletedFileRetentionDuration"], opened.metadata().configuration
    if (kept := found.get("delta.deletedFileRetentionDuration")) != declared:
        raise Findings(f"{table.name} keeps removed files for {kept or 'seven days'}, not for {declared}: nothing was vacuumed.")
    before = len(opened.file_uris())
    if compact and table not in (*gold.PUBLISHED, gold.periods):
        for partition in _crowded(opened, table):
            opened.optimize.compact(
                partition_filters=[(column, "=", value) for column, value in partition] or None,
                commit_properties=CommitProperties(custom_metadata={"userMetadata": json.dumps(told, sort_keys=True)}),
            )
    removed = opened.vacuum(dry_run=False)
    opened.update_incremental()
    due = opened.version() - _last_checkpoint(place, table) >= MANY_COMMITS
    if due:
        opened.create_checkpoint()
    return Kept(table.name, opened.version(), before, len(opened.file_uris()), due, len(removed))


def _crowded(opened: deltalake.DeltaTable, table: Table) -> list[tuple[tuple[str, str], ...]]:
    """The partitions of many files, as (column, value) pairs."""
    files = pa.table(opened.get_add_actions(flatten=True)).to_pylist()
    count = Counter(tuple((column, str(file[f"partition.{column}"])) for column in table.partition_by) for file in files)
    return sorted(partition for partition, number in count.items() if number >= MANY_FILES)


def _last_checkpoint(place: Place, table: Table) -> int:
    """The version of the newest checkpoint; -1 where there is none."""
    content = object_store(place).get(f"{table.path}/_delta_log/_last_checkpoint")
    return int(json.loads(content)["version"]) if content else -1
