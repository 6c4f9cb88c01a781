"""The one way into a table's log: the very next entry after the version that was opened, or none.

delta-rs puts the entry, on S3 with If-None-Match: whoever was held up between opening and committing, for however long, finds the
entry taken and has written nothing. So a holder that lost its lease cannot come between the commits of the next one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import deltalake
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError

from lakehouse.errors import Busy
from lakehouse.place import Place
from lakehouse.store.lease import lease_of
from lakehouse.store.objects import object_store
from lakehouse.tables import Table

# A put that was under way when the store went away is tried again so often, each time after the store has answered.
_TRIES = 3


def commit(
    place: Place, table: Table, opened: deltalake.DeltaTable, note: Mapping[str, Any], put: Callable[[CommitProperties], None],
    *, once: str | None = None, rows: int | None = None,
) -> int:  # fmt: skip
    """Makes one commit with `put`, which does it through `opened`, and returns its version: the one after that of `opened`.

    The table is opened before the lease is looked at here: who takes the lake over after that look commits to the table first, and this
    commit comes too late. The entry carries the note, the number of the lease and a mark of its own: an answer that was lost on its way
    is no failure, since the entry says whose it is. `once` is the id that the commit leaves in the log, `rows` how many it writes.
    Raises Busy where another process was faster, or has the lease.
    """
    lease, mark, version = lease_of(place), uuid.uuid4().hex, opened.version() + 1
    told = {**note, "commit": mark, **({"fence": lease.fence} if lease else {})}
    metadata: dict[str, Any] = {"userMetadata": json.dumps(told, sort_keys=True)}
    if rows is not None:
        metadata["operationMetrics"] = {"numOutputRows": str(rows)}
    properties = CommitProperties(metadata, max_commit_retries=0, app_transactions=[Transaction(once, 1)] if once else None)
    for left in reversed(range(_TRIES)):
        try:
            put(properties)
            break
        except (CommitFailedError, OSError) as error:
            # boto3 asks until the store is back, or gives up with a sentence.
            entry = object_store(place).get(f"{table.path}/_delta_log/{version:020}.json")
            if entry is None and (not left or isinstance(error, CommitFailedError)):
                raise
            if entry is not None and mark not in entry.decode():
                raise changed(place, table) from None
            if entry is not None:
                break
    opened.update_incremental()
    return version


def changed(place: Place, table: Table) -> Busy:
    """What a writer is told that came too late."""
    return Busy(f"Another process has changed {table.name} of {place.root} meanwhile. Nothing was written; try again.")
