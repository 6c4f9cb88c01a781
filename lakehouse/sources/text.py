"""From bytes to lines of text and back, without loss."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from lakehouse.sources.dialect import Encoding
from lakehouse.sources.payload import Payload, open_payload

# Encoding as dialects name it: Python codec, byte order mark that must stand first.
_CODECS: dict[str, tuple[str, bytes]] = {
    "utf-8": ("utf-8", b""),
    "utf-8-bom": ("utf-8", codecs.BOM_UTF8),
    "utf-16-le-bom": ("utf-16-le", codecs.BOM_UTF16_LE),
    "latin-1": ("latin-1", b""),
    "cp1252": ("cp1252", b""),
    "cp932": ("cp932", b""),
}
_CHUNK = 1 << 20
MAX_LINE = 1 << 20


def decoding_error(payload: Payload, encoding: Encoding) -> str | None:
    """Why the bytes are not text of that encoding, naming the first wrong byte; None when they are."""
    codec, mark = _CODECS[encoding]
    if not payload.startswith(mark):
        return f"no byte order mark of {encoding}"
    if not mark and payload.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "a byte order mark stands first"
    decoder = codecs.getincrementaldecoder(codec)()
    for start in range(len(mark), len(payload), _CHUNK):
        try:
            decoder.decode(payload[start : start + _CHUNK], final=start + _CHUNK >= len(payload))
        except UnicodeDecodeError as error:
            # The offset is inside the decoder's buffer: near enough to find the line.
            before = range(0, start + error.start, _CHUNK)
            line = 1 + sum(payload[at : min(at + _CHUNK, start + error.start)].count(b"\n") for at in before)
            return f"byte 0x{error.object[error.start]:02X} near line {line} is not {encoding}"
    return None


def long_line(payload: Payload) -> str | None:
    """Where a line is longer than MAX_LINE bytes, or None. No report has one, and reading it would take its size in memory."""
    last_end = -1
    for start in range(0, len(payload), MAX_LINE):
        chunk = payload[start : start + MAX_LINE]
        ends = [place for place in (chunk.find(b"\n"), chunk.find(b"\r")) if place >= 0]
        # A line within the chunk is not longer than the chunk.
        first_end = start + min(ends) if ends else start + len(chunk)
        if first_end - last_end - 1 > MAX_LINE:
            return f"the line after byte {last_end + 1} is longer than {MAX_LINE} bytes"
        if ends:
            last_end = start + max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    return None


def open_lines(payload: Payload, encoding: Encoding) -> Iterator[str]:
    """The lines of the text, each with the line end it has in the file: LF, CRLF or CR."""
    return lines_of(open_payload(payload), encoding)


def lines_of(stream: BinaryIO, encoding: Encoding) -> Iterator[str]:
    """The same of a stream that stands at the start of the file. The stream is closed with the iterator."""
    codec, mark = _CODECS[encoding]
    stream.seek(len(mark))
    return io.TextIOWrapper(stream, encoding=codec, newline="")


def lines_of_part(part: bytes, encoding: Encoding) -> Iterator[str]:
    """The lines of a part of a file that starts with a line and is not the file's first."""
    return io.TextIOWrapper(io.BytesIO(part), encoding=_CODECS[encoding][0], newline="")


def octets(encoding: Encoding) -> tuple[int, Callable[[str], int]] | None:
    """The bytes before the first line, and how many bytes a line is in the file. None for encodings that write one text in several
    ways, in which the places of lines cannot be told from their text."""
    codec, mark = _CODECS[encoding]
    if codec == "utf-8":
        return len(mark), lambda line: len(line) if line.isascii() else len(line.encode())
    return (len(mark), len) if codec in ("latin-1", "cp1252") else None


def head(payload: Payload, encoding: Encoding, size: int = 1 << 16) -> list[str]:
    """The first lines, without line ends: those that lie whole in the first `size` bytes."""
    codec, mark = _CODECS[encoding]
    text = codecs.getincrementaldecoder(codec)(errors="replace").decode(payload[len(mark) : size])
    lines = io.StringIO(text, newline="").readlines()
    if len(payload) > size and lines:
        lines.pop()
    return [split_eol(line)[0] for line in lines]


def split_eol(line: str) -> tuple[str, str]:
    """A line without its line end, and the line end."""
    text = line.rstrip("\r\n")
    return text, line[len(text) :]


def encode(text: str, encoding: Encoding) -> bytes:
    """The bytes of a whole file's text."""
    codec, mark = _CODECS[encoding]
    return mark + text.encode(codec)
