"""One writer of a lake at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lakehouse.errors import Busy
from lakehouse.store.objects import object_store


@contextmanager
def writer_lease(root: str, wait_seconds: float = 0) -> Iterator[None]:
    """Holds the lake for writing. The operating system gives the lease back when its holder dies, however it dies.

    Raises Busy when another process holds it longer than `wait_seconds`, Misuse for a store that is not supported.
    """
    file = Path(object_store(root).path("_leases/writer.lock"))
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(file, timeout=wait_seconds):
            yield
    except Timeout:
        raise Busy(f"Another process is writing to {root}. Wait for it to end and try again.") from None
