"""The same rows, whatever the encoding and the line end; other bytes are never taken for text."""

from __future__ import annotations

import codecs
import gzip

import pytest

from lakehouse.sources.dialect import Encoding
from lakehouse.sources.records import read_records
from lakehouse.sources.text import decoding_error, encode
from tests.support.reports import dialects

KNOWN = dialects()
PRS = KNOWN["prs_short"]
HEADER = list(PRS.header.columns)
ENCODINGS: list[Encoding] = ["utf-8", "utf-8-bom", "utf-16-le-bom", "latin-1", "cp1252", "cp932"]
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}


def rows_of(title: str) -> list[list[str]]:
    return [HEADER, ["1", "7", title, "0.25", "HOLLOWAY JUNE"], ["2", "7", '"two" lines', "0E-18", ""]]


def written(rows: list[list[str]], eol: str) -> str:
    quoted = ['"' + cell.replace('"', '""') + '"' for row in rows for cell in row]
    width = len(HEADER)
    return "".join(",".join(quoted[start : start + width]) + eol for start in range(0, len(quoted), width))


@pytest.mark.parametrize("eol", LINE_ENDS.values(), ids=LINE_ENDS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_are_the_same_in_every_encoding_and_with_every_line_end(encoding: Encoding, eol: str) -> None:
    title = "\u96e8\u306e\u591c" if encoding not in ("latin-1", "cp1252") else "Caf\u00e9"
    rows = rows_of(title)
    payload = encode(written(rows, eol), encoding)
    assert decoding_error(payload, encoding) is None
    records = list(read_records(payload, PRS, encoding))
    assert [record.cells for record in records if record.kind == "data"] == rows[1:]
    assert [record.line_no for record in records] == [1, 2, 3]
    assert {record.eol for record in records} == {eol}


@pytest.mark.parametrize("eol", LINE_ENDS.values(), ids=LINE_ENDS)
def test_a_line_end_inside_quotes_belongs_to_its_cell(eol: str) -> None:
    rows = [HEADER, ["1", "7", f"one{eol}two", "0.25", ""], ["2", "7", "b", "1", ""]]
    records = list(read_records(encode(written(rows, eol), "utf-8"), PRS, "utf-8"))
    assert [record.cells for record in records if record.kind == "data"] == rows[1:]
    assert [record.line_no for record in records] == [1, 2, 4]


@pytest.mark.parametrize(
    ("payload", "encoding", "reason"),
    [
        (b"a\nb\x9dc", "utf-8", "byte 0x9D near line 2 is not utf-8"),
        (codecs.BOM_UTF8 + b"a", "utf-8", "a byte order mark stands first"),
        (b"a", "utf-8-bom", "no byte order mark of utf-8-bom"),
        (codecs.BOM_UTF16_BE + b"\0a", "utf-16-le-bom", "no byte order mark of utf-16-le-bom"),
        (codecs.BOM_UTF16_LE + b"a\0\x00\xd8", "utf-16-le-bom", "byte 0x00 near line 1 is not utf-16-le-bom"),
        (b"\x81", "cp1252", "byte 0x81 near line 1 is not cp1252"),
        (b"\x82", "cp932", "byte 0x82 near line 1 is not cp932"),
    ],
)
def test_bytes_that_are_no_text_are_named(payload: bytes, encoding: Encoding, reason: str) -> None:
    assert decoding_error(payload, encoding) == reason


def test_a_gzip_under_another_name_and_a_cr_only_file_are_the_report() -> None:
    payload = encode(written(rows_of("a"), "\r"), "utf-8")
    seen = KNOWN.recognise(gzip.compress(payload), "statement.csv")
    assert seen.dialect is PRS
    assert (seen.container, seen.payload) == ("gzip", payload)
