"""One writer of a lake at a time: a file lock for a folder, a lease object for a bucket."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from lakehouse.errors import Busy, LakehouseError, Misuse
from lakehouse.place import Place
from lakehouse.store.objects import object_store
from lakehouse.tables import gold

if TYPE_CHECKING:
    from lakehouse.store.bucket_lease import BucketLease

# Who waits asks now and then, with chance in it: many wait for one.
_LONGEST_PAUSE = 4.0
# The leases on S3 that this process holds, by root: every commit asks for its own here.
_held: dict[str, BucketLease] = {}


def require_lake(root: str | Place) -> None:
    """Raises Misuse where there is no lake: a mistyped name must not become a folder."""
    import deltalake

    place = Place.at(root)
    if not deltalake.DeltaTable.is_deltatable(place.uri(gold.periods.path), place.storage_options):
        raise Misuse(f"{place.root} is not a lake. Run `lakehouse init` first.")


@contextmanager
def writer_lease(root: str | Place, wait_seconds: float | None = None, *, new: bool = False) -> Iterator[None]:
    """Holds the lake for writing; `new` also where there is none yet. It ends with its holder: at once on a folder, on S3 when it expires.

    Raises Busy when another process holds it longer than `wait_seconds` (by default as the settings say), Misuse where there is no
    lake, or its store cannot keep two writers apart.
    """
    place = Place.at(root)
    wait = place.lease_wait if wait_seconds is None else wait_seconds
    if not new:
        require_lake(place)
    with _folder_lease(place, wait) if place.is_local else _bucket_lease(place, wait):
        yield


def lease_of(place: Place) -> BucketLease | None:
    """The lease under which this process writes to a lake on S3, still its own; None for a folder. Raises Busy where it was lost."""
    if place.is_local:
        return None
    if (lease := _held.get(place.root)) is None:
        raise AssertionError(f"a write to {place.root} outside `writer_lease`")
    lease.check()
    return lease


@contextmanager
def _folder_lease(place: Place, wait: float) -> Iterator[None]:
    file = Path(object_store(place).path("_leases/writer.lock"))
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(file, timeout=wait):
            yield
    except Timeout:
        raise Busy(f"Another process is writing to {place.root}. Wait for it to end and try again.") from None


@contextmanager
def _bucket_lease(place: Place, wait: float) -> Iterator[None]:
    from lakehouse.store.bucket_lease import holder_of, take
    from lakehouse.store.fence import fence_off
    from lakehouse.store.probe import require_conditional_writes
    from lakehouse.store.s3 import S3Objects

    objects = S3Objects(place)
    require_conditional_writes(objects)
    patience = time.monotonic() + wait
    pause = 0.5
    while (lease := take(objects, place.lease_seconds)) is None:
        if time.monotonic() > patience:
            raise Busy(f"{holder_of(objects).capitalize()} is writing to {place.root}. Wait for it to end and try again.")
        time.sleep(random.uniform(pause / 2, pause))
        pause = min(2 * pause, _LONGEST_PAUSE)
    _held[place.root] = lease
    threading.Thread(target=lease.renew_until_released, name="lakehouse-lease", daemon=True).start()
    try:
        if lease.broken:
            fence_off(place, lease)
        yield
    except LakehouseError:
        raise
    except Exception:
        # A commit that was fenced off fails with an error of its engine: what the person must know is that the lease was lost.
        lease.check()
        raise
    finally:
        del _held[place.root]
        lease.release()
