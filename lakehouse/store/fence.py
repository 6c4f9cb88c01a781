"""Fencing off a writer whose lease was broken: it may be paused in the midst of a commit, and wake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import deltalake
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError

from lakehouse.place import Place
from lakehouse.store.bucket_lease import BucketLease
from lakehouse.tables import ALL, Table

# Every Spark write to a lake on S3 is numbered under this Delta transaction id, see BucketLease.next_write.
WRITER = "lakehouse writer"
PROPERTY = "lakehouse.fence"
_SIDE_BY_SIDE = 8
_TRIES = 5


def fence_off(place: Place, lease: BucketLease) -> None:
    """One commit to each table that jobs append to: a change of its properties, under the number of the new lease.

    A commit that was under way when the lease was broken fails on the change; one that begins later under the old lease has a lower
    number than the table's, and Delta leaves it out. The tables that people load are replaced at the version that was read, or not at
    all, and need no fence; their versions are pins of every run, and stay as they are.
    """
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        list(
            pool.map(
                lambda table: _fence(place, table, lease), [table for table in ALL if table.append_only or table.partition_by]
            )
        )


def _fence(place: Place, table: Table, lease: BucketLease) -> None:
    uri = place.uri(table.path)
    if not deltalake.DeltaTable.is_deltatable(uri, place.storage_options):
        return
    for attempt in range(_TRIES):
        number = CommitProperties(app_transactions=[Transaction(WRITER, lease.next_write())])
        try:
            opened = deltalake.DeltaTable(uri, storage_options=place.storage_options)
            opened.alter.set_table_properties({PROPERTY: str(lease.fence)}, raise_if_not_exists=False, commit_properties=number)
            return
        except CommitFailedError:
            # Someone commits at the same moment: the writer to be fenced off, or one that has broken this lease in its turn.
            lease.check()
            if attempt == _TRIES - 1:
                raise
