"""The one way into a table's log: the very next entry after the version that was opened, or none.

delta-rs puts the entry, on S3 with If-None-Match: whoever was held up between opening and committing, for however long, finds the
entry taken and has written nothing. So a holder that lost its lease cannot come between the commits of the next one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import deltalake
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError

from lakehouse.errors import Busy
from lakehouse.place import Place
from lakehouse.store.lease import lease_of
from lakehouse.store.objects import object_store
from lakehouse.tables import Table


@contextmanager
def next_commit(
    place: Place, table: Table, opened: deltalake.DeltaTable, note: Mapping[str, Any], once: str | None = None
) -> Iterator[CommitProperties]:
    """The properties of the one commit that the block makes through `opened`: its note, the lease it is made under, its id.

    The table is opened before the lease is looked at: who takes the lake over after that look commits to the table first, and this
    commit comes too late. After the block `opened` is at the new version. An answer that was lost on its way is no failure: the entry says whose it is. Raises Busy where another
    process was faster, or has the lease.
    """
    lease, mark, version = lease_of(place), uuid.uuid4().hex, opened.version() + 1
    told = {**note, "commit": mark, **({"fence": lease.fence} if lease else {})}
    try:
        yield CommitProperties(
            custom_metadata={"userMetadata": json.dumps(told, sort_keys=True)},
            max_commit_retries=0,
            app_transactions=[Transaction(once, 1)] if once else None,
        )
    except CommitFailedError:
        entry = object_store(place).get(f"{table.path}/_delta_log/{version:020}.json")
        if mark not in (entry or b"").decode():
            raise changed(place, table) from None
    opened.update_incremental()


def changed(place: Place, table: Table) -> Busy:
    """What a writer is told that came too late."""
    return Busy(f"Another process has changed {table.name} of {place.root} meanwhile. Nothing was written; try again.")
