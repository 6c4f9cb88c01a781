"""Objects outside Delta: landed files, receipts, manifests, leases. Written once, never changed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from lakehouse.place import Place

COPY_BYTES = 1 << 20


class Objects(Protocol):
    """The objects of one lake, by key with '/' between its parts. A store that cannot be reached raises Busy."""

    def path(self, key: str) -> str:
        """Where the object is, for people and engines."""

    def put_new(self, key: str, content: bytes) -> bool:
        """Stores the object whole or not at all, and never over another. False when the key is taken."""

    def put_file(self, key: str, file: Path) -> bool:
        """The same with what a file holds, in blocks: its size is no matter."""

    def put(self, key: str, content: bytes) -> None:
        """Stores the object whole or not at all, over another of that key: only for what is not published yet."""

    def get(self, key: str) -> bytes | None:
        """The object, None where there is none."""

    def open(self, key: str) -> BinaryIO:
        """The object as a stream that seeks. Raises FileNotFoundError."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below a folder, in order."""

    def remove(self, key: str) -> None:
        """Removes an object of passing use, such as a lease; nothing where there is none."""


def object_store(root: str | Place) -> Objects:
    """The object store of a lake. Raises Misuse for a scheme that is not supported."""
    place = Place.at(root)
    if place.is_local:
        return LocalObjects(Path(place.root))
    from lakehouse.store.s3 import S3Objects

    return S3Objects(place)


class LocalObjects:
    """Objects in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> str:
        return str(self.root / key)

    def put_new(self, key: str, content: bytes) -> bool:
        return self._link(self._written(key, content), key)

    def put_file(self, key: str, file: Path) -> bool:
        if (self.root / key).exists():
            return False
        return self._link(self._written(key, file), key)

    def put(self, key: str, content: bytes) -> None:
        self._written(key, content).replace(self.root / key)

    def _link(self, part: Path, key: str) -> bool:
        try:
            os.link(part, self.root / key)
        except FileExistsError:
            return False
        finally:
            part.unlink()
        return True

    def _written(self, key: str, content: bytes | Path) -> Path:
        """The content, safe on disk under a hidden name beside its target."""
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.parent / f".{target.name}.{uuid.uuid4().hex}"
        with part.open("wb") as stream:
            if isinstance(content, Path):
                with content.open("rb") as source:
                    shutil.copyfileobj(source, stream, COPY_BYTES)
            else:
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        return part

    def get(self, key: str) -> bytes | None:
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None

    def open(self, key: str) -> BinaryIO:
        return (self.root / key).open("rb")

    def keys(self, prefix: str) -> Iterator[str]:
        folder = self.root / prefix
        if folder.is_dir():
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
                yield path.relative_to(self.root).as_posix()

    def remove(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)
