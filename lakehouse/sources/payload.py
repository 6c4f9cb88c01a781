"""What a file holds: bytes in memory, or, for a large one, the file itself, read where it is asked for."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Files larger than this stay on disk.
IN_MEMORY = 64 << 20
BLOCK = 1 << 20


class FileBytes:
    """A file on disk that is sliced as bytes are. Only what a slice covers is in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        self._size = os.fstat(self._file.fileno()).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        return os.pread(self._file.fileno(), max(0, stop - start), start)

    def __bytes__(self) -> bytes:
        return self.path.read_bytes()

    def startswith(self, prefix: bytes | tuple[bytes, ...]) -> bool:
        return self[:16].startswith(prefix)

    def open(self) -> BinaryIO:
        return self.path.open("rb")


Payload = bytes | FileBytes


def payload_of(path: Path) -> Payload:
    """What the file holds, in memory where it is small enough."""
    return path.read_bytes() if path.stat().st_size <= IN_MEMORY else FileBytes(path)


def open_payload(payload: Payload) -> BinaryIO:
    return payload.open() if isinstance(payload, FileBytes) else io.BytesIO(payload)


def sha256_of(payload: Payload) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(payload), BLOCK):
        digest.update(payload[start : start + BLOCK])
    return digest.hexdigest()


def found_in_lines(pattern: re.Pattern[bytes], payload: Payload) -> set[bytes]:
    """The first group of every line that begins with the pattern."""
    with open_payload(payload) as stream:
        return {found.group(1) for found in _matches(pattern, stream)}


def _matches(pattern: re.Pattern[bytes], stream: BinaryIO) -> Iterator[re.Match[bytes]]:
    for line in stream:
        if found := pattern.match(line):
            yield found
