"""Containers: what a file really is, whatever its name says, and the report inside it, within bounds."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from lakehouse.sources.limits import DEFAULT_LIMITS, Limits, Refused
from lakehouse.sources.payload import Payload, open_payload
from lakehouse.sources.workbook import is_html, sheets_of_workbook, tables_of_html

GZIP = b"\x1f\x8b"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
_CHUNK = 1 << 20
# A report inside a gzip inside a ZIP is met; more is a puzzle, not a report.
_DEPTH = 2


@dataclass(frozen=True)
class Member:
    """A file found in a container: its name, its bytes, and the containers it came out of, outermost first. `part` names the sheet
    or table that the bytes are the text of."""

    name: str
    payload: Payload
    container: str
    part: str = ""


def unpack(data: Payload, name: str, limits: Limits = DEFAULT_LIMITS) -> list[Member]:
    """The files in `data`: one, unless it is a ZIP of several or a workbook of several sheets. Raises Refused."""
    return _unpack(Member(name, data, "plain"), limits, _DEPTH)


def _unpack(member: Member, limits: Limits, depth: int) -> list[Member]:
    opened = None if member.part else _open(member, limits)
    if opened is None:
        return [member]
    if depth == 0:
        raise Refused("containers are nested more than twice")
    return [found for inner in opened for found in _unpack(inner, limits, depth - 1)]


def _open(member: Member, limits: Limits) -> list[Member] | None:
    if member.payload.startswith(GZIP):
        inner_name = member.name[:-3] if member.name.lower().endswith(".gz") else member.name
        return [Member(inner_name, _gunzip(bytes(member.payload), limits), _inside(member, "gzip"))]
    if member.payload.startswith(ZIP):
        return _unzip(member, limits)
    if member.payload.startswith(OLE2):
        raise Refused("it is a workbook in Excel's old binary form; save it as .xlsx or as text")
    if is_html(member.payload[:1024]):
        return _tables(member, "html", tables_of_html(bytes(member.payload), limits))
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
        archive = zipfile.ZipFile(open_payload(member.payload))
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]
        if sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
            raise Refused(f"it unpacks to more than {limits.unpacked_bytes} bytes")
        if any(entry.filename == "[Content_Types].xml" for entry in entries):
            limits.check(sum(entry.file_size for entry in entries), len(member.payload))
            return _tables(member, "xlsx", sheets_of_workbook(bytes(member.payload), limits))
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


def _tables(member: Member, container: str, tables: Iterable[tuple[str, bytes]]) -> list[Member]:
    """The tables of a workbook or page as members of their own, in its order."""
    found = [Member(member.name, text, _inside(member, container), part) for part, text in tables]
    if not found:
        raise Refused("its sheets hold nothing" if container == "xlsx" else "its HTML holds no table")
    return found


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, before: int, packed: int, limits: Limits) -> bytes:
    out = io.BytesIO()
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            out.write(chunk)
            limits.check(before + out.tell(), packed)
    return out.getvalue()
