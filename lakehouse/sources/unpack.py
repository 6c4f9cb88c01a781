"""Containers: what a file really is, whatever its name says, and the report inside it, within bounds."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
_CHUNK = 1 << 20
# A report inside a gzip inside a ZIP is met; more is a puzzle, not a report.
_DEPTH = 2


class Refused(Exception):
    """Why a file cannot be unpacked, for the person who sent it."""


@dataclass(frozen=True)
class Limits:
    """What unpacking may cost. A report shrinks some 10 to 60 times; a bomb a thousand times."""

    unpacked_bytes: int = 4 << 30
    ratio: int = 250
    # Small files may shrink as they like: the ratio counts from here.
    ratio_from: int = 16 << 20
    members: int = 1000

    def check(self, unpacked: int, packed: int) -> None:
        if unpacked > self.unpacked_bytes:
            raise Refused(f"it unpacks to more than {self.unpacked_bytes} bytes")
        if unpacked > self.ratio_from and unpacked > self.ratio * packed:
            raise Refused(f"it unpacks to more than {self.ratio} times its size: a decompression bomb")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Member:
    """A file found in a container: its name, its bytes, and the containers it came out of, outermost first."""

    name: str
    payload: bytes
    container: str


def unpack(data: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> list[Member]:
    """The files in `data`: one, unless it is a ZIP of several. Raises Refused."""
    return _unpack(Member(name, data, "plain"), limits, _DEPTH)


def _unpack(member: Member, limits: Limits, depth: int) -> list[Member]:
    opened = _open(member, limits)
    if opened is None:
        return [member]
    if depth == 0:
        raise Refused("containers are nested more than twice")
    return [found for inner in opened for found in _unpack(inner, limits, depth - 1)]


def _open(member: Member, limits: Limits) -> list[Member] | None:
    if member.payload.startswith(GZIP):
        inner_name = member.name[:-3] if member.name.lower().endswith(".gz") else member.name
        return [Member(inner_name, _gunzip(member.payload, limits), _inside(member, "gzip"))]
    if member.payload.startswith(ZIP):
        return _unzip(member, limits)
    return None


def _inside(member: Member, container: str) -> str:
    return container if member.container == "plain" else f"{member.container}+{container}"


def _gunzip(data: bytes, limits: Limits) -> bytes:
    """Every member of the gzip stream, inflated in steps so that a bomb is stopped early."""
    out = io.BytesIO()
    rest = data
    while rest:
        inflater = zlib.decompressobj(wbits=31)
        while rest and not inflater.eof:
            try:
                out.write(inflater.decompress(rest, _CHUNK))
            except zlib.error as error:
                raise Refused(f"its gzip data is damaged: {error}") from None
            limits.check(out.tell(), len(data))
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if not inflater.eof:
            raise Refused("its gzip data is cut off")
        # Padding with zeros after the last member is allowed by RFC 1952 readers.
        rest = rest.lstrip(b"\0")
    return out.getvalue()


def _unzip(member: Member, limits: Limits) -> list[Member]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(member.payload))
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]
        if any(entry.filename == "[Content_Types].xml" for entry in entries):
            raise Refused("it is an Office workbook; export the report as text")
        if len(entries) > limits.members:
            raise Refused(f"it is a ZIP of more than {limits.members} files")
        members, total = [], 0
        for entry in entries:
            content = _read_entry(archive, entry, total, len(member.payload), limits)
            total += len(content)
            # Only the last part of the name is kept: a path that climbs out of a folder leads nowhere here.
            members.append(Member(entry.filename.replace("\\", "/").rsplit("/", 1)[-1], content, _inside(member, "zip")))
        return members
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise Refused(f"its ZIP data cannot be read: {error}") from None


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, before: int, packed: int, limits: Limits) -> bytes:
    out = io.BytesIO()
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            out.write(chunk)
            limits.check(before + out.tell(), packed)
    return out.getvalue()
