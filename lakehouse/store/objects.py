"""Objects outside Delta: landed files, receipts, manifests, leases. Written once, never changed."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from lakehouse.errors import Busy
from lakehouse.place import Place
from lakehouse.sources.payload import BLOCK, FileBytes, sha256_of


@dataclass(frozen=True)
class Listed:
    """An object as a listing shows it: `etag` changes with its content, `age` is in seconds, by the clock of the store."""

    key: str
    size: int
    etag: str
    age: float


class Objects(Protocol):
    """The objects of one lake, by key with '/' between its parts. A store that cannot be reached raises Busy."""

    def path(self, key: str) -> str:
        """Where the object is, for people and engines."""

    def put_new(self, key: str, content: bytes) -> bool:
        """Stores the object whole or not at all, and never over another. False when the key is taken."""

    def put_file(self, key: str, file: Path, sha256: str) -> bool:
        """The same with what a file holds, in blocks: its size is no matter. Raises Busy where that has not this SHA-256 any more."""

    def put(self, key: str, content: bytes) -> None:
        """Stores the object whole or not at all, over another of that key: only for what is not published yet."""

    def get(self, key: str) -> bytes | None:
        """The object, None where there is none."""

    def open(self, key: str) -> BinaryIO:
        """The object as a stream that seeks. Raises FileNotFoundError."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below a folder, in order."""

    def listing(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        """Every object below a folder, in order of keys; those after the key `after` alone."""

    def fetch(self, listed: Listed, to: Path) -> bool:
        """Copies an object as it was listed to a file, in blocks. False where it is gone, or another by now."""

    def remove(self, key: str) -> None:
        """Removes an object of passing use, such as a lease; nothing where there is none."""


def object_store(root: str | Place) -> Objects:
    """The object store of a lake. Raises Misuse for a scheme that is not supported."""
    place = Place.at(root)
    if place.is_local:
        return LocalObjects(Path(place.root))
    from lakehouse.store.s3 import S3Objects

    return S3Objects(place)


def changed(file: Path) -> Busy:
    return Busy(f"{file} was changed while it was being read. Nothing of it was stored; try again when it is complete.")


class LocalObjects:
    """Objects in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> str:
        return str(self.root / key)

    def put_new(self, key: str, content: bytes) -> bool:
        return self._link(self._written(key, content), key)

    def put_file(self, key: str, file: Path, sha256: str) -> bool:
        if (self.root / key).exists():
            return False
        part = self._written(key, file)
        if sha256_of(FileBytes(part)) != sha256:
            part.unlink()
            raise changed(file)
        return self._link(part, key)

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
                    shutil.copyfileobj(source, stream, BLOCK)
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
            found = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
            # By the text of the whole key, as a bucket lists them.
            yield from sorted(path.relative_to(self.root).as_posix() for path in found)

    def listing(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        for key in self.keys(prefix):
            if after is None or key > after:
                with suppress(FileNotFoundError):
                    yield self._listed(key)

    def _listed(self, key: str) -> Listed:
        found = (self.root / key).stat()
        return Listed(
            key, found.st_size, f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}", time.time() - found.st_mtime
        )

    def fetch(self, listed: Listed, to: Path) -> bool:
        try:
            shutil.copyfile(self.root / listed.key, to)
            return self._listed(listed.key).etag == listed.etag
        except FileNotFoundError:
            return False

    def remove(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)
