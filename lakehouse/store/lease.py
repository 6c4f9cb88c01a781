"""One writer of a lake at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lakehouse.errors import Busy, Misuse
from lakehouse.store.objects import object_store
from lakehouse.tables import gold


def require_lake(root: str) -> None:
    """Raises Misuse where there is no lake: a mistyped name must not become a folder."""
    import deltalake

    if not deltalake.DeltaTable.is_deltatable(f"{root}/{gold.periods.path}"):
        raise Misuse(f"{root} is not a lake. Run `lakehouse init` first.")


@contextmanager
def writer_lease(root: str, wait_seconds: float = 0, *, new: bool = False) -> Iterator[None]:
    """Holds the lake for writing; `new` also where there is none yet. The operating system gives the lease back when its holder dies.

    Raises Busy when another process holds it longer than `wait_seconds`, Misuse where there is no lake, or no such store.
    """
    file = Path(object_store(root).path("_leases/writer.lock"))
    if not new:
        require_lake(root)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(file, timeout=wait_seconds):
            yield
    except Timeout:
        raise Busy(f"Another process is writing to {root}. Wait for it to end and try again.") from None
