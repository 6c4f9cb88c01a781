"""Fencing off a writer whose lease was broken: it may be paused in the midst of a write, and wake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import deltalake
from deltalake.exceptions import CommitFailedError

from lakehouse.place import Place
from lakehouse.store.bucket_lease import BucketLease
from lakehouse.tables import ALL, Table

PROPERTY = "lakehouse.fence"
_SIDE_BY_SIDE = 8
_TRIES = 5


def fence_off(place: Place, lease: BucketLease) -> None:
    """One commit to each table that jobs append to: its properties name the new lease.

    A writer opens a table before it looks at its lease, and commits the entry after the version that it opened. So one that had the
    lease when it looked finds that entry taken, and one that looks later finds the lease gone. The tables that people load are
    replaced at the version that was read, or not at all, and need no fence; their versions are pins of every run, and stay as they are.
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
        opened = deltalake.DeltaTable(uri, storage_options=place.storage_options)
        # This lease may have been broken in its turn, by one that has fenced already.
        lease.check()
        try:
            opened.alter.set_table_properties({PROPERTY: str(lease.fence)}, raise_if_not_exists=False)
            return
        except CommitFailedError:
            # Someone commits at the same moment: the writer to be fenced off, or one that has broken this lease.
            if attempt == _TRIES - 1:
                raise
