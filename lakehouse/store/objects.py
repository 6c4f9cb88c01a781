"""Objects outside Delta: landed files, receipts, manifests, leases. Written once, never changed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from lakehouse.errors import Misuse


def object_store(root: str) -> LocalObjects:
    """The object store of a lake. Raises Misuse for a scheme that is not supported."""
    if "://" in root and not root.startswith("file://"):
        raise Misuse(f"A lake at {root} is not supported yet: give a folder.")
    return LocalObjects(Path(root.removeprefix("file://")))


class LocalObjects:
    """Objects in a folder, by key with '/' between its parts."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> str:
        return str(self.root / key)

    def put_new(self, key: str, content: bytes) -> bool:
        """Stores the object whole or not at all, and never over another. False when the key is taken."""
        part, target = self._written(key, content)
        try:
            os.link(part, target)
        except FileExistsError:
            return False
        finally:
            part.unlink()
        return True

    def put(self, key: str, content: bytes) -> None:
        """Stores the object whole or not at all, over another of that key: only for what is not published yet."""
        part, target = self._written(key, content)
        part.replace(target)

    def _written(self, key: str, content: bytes) -> tuple[Path, Path]:
        """The content, safe on disk under a hidden name beside its target."""
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.parent / f".{target.name}.{uuid.uuid4().hex}"
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        return part, target

    def get(self, key: str) -> bytes | None:
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below a folder, in order."""
        folder = self.root / prefix
        if folder.is_dir():
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
                yield path.relative_to(self.root).as_posix()
