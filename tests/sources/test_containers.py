"""Workbooks and HTML tables are read as text: what a cell stores, to its last digit."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.limits import Limits, Refused
from lakehouse.sources.records import read_records
from lakehouse.sources.unpack import unpack
from lakehouse.sources.workbook import stored_number
from tests.support.reports import SAMPLES, dialects

KNOWN = dialects()
CARGO = (SAMPLES / "cargo_physical/sample.xlsx").read_bytes()
ORCHARD = (SAMPLES / "orchard_old/sample.xls").read_bytes()


def workbook(*sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_part(data: bytes, name: str, change: tuple[bytes, bytes]) -> bytes:
    """The workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == name:
                assert change[0] in content
                content = content.replace(*change)
            new.writestr(entry, content)
    return out.getvalue()


def text_of(data: bytes) -> str:
    (member,) = unpack(data, "report")
    return member.payload.decode()


@pytest.mark.parametrize(
    ("stored", "number"),
    [
        ("0.10000000000000001", "0.1"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("1.0000000000000001", "1.0000000000000001"),
        ("1E+16", "1E+16"),
        ("24", "24"),
        ("5060000000026", "5060000000026"),
        ("1.2E-3", "1.2E-3"),
        ("0.123456789012345678", "0.123456789012345678"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        ("-0.050000000000000003", "-0.05"),
        ("not a number", "not a number"),
    ],
)
def test_a_stored_number_is_the_shortest_for_its_double_or_keeps_every_digit(stored: str, number: str) -> None:
    assert stored_number(stored) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_spreadsheet_stores_of_a_double_is_the_number_that_was_entered(entered: float) -> None:
    assert float(stored_number(f"{entered:.17g}")) == entered
    assert Decimal(stored_number(f"{entered:.17g}")) == Decimal(repr(entered))


def test_a_number_stored_with_more_digits_than_a_double_holds_arrives_whole() -> None:
    data = with_part(workbook([["a"], [1.5]]), "xl/worksheets/sheet1.xml", (b"<v>1.5</v>", b"<v>1.000000000000000001</v>"))
    assert text_of(data) == "a\r\n1.000000000000000001\r\n"


def test_cells_are_text_days_are_iso_and_rows_are_filled_up() -> None:
    rows = [
        ["UPC", "When", "Yes", "Note"],
        ["008", dt.date(2026, 5, 3), True, 'a "quoted"\nline'],
        [],
        ["9", dt.datetime.fromisoformat("2026-05-03T07:30")],
    ]
    assert text_of(workbook(rows)) == (
        'UPC,When,Yes,Note\r\n008,2026-05-03,TRUE,"a ""quoted""\nline"\r\n\r\n9,2026-05-03 07:30:00,,\r\n'
    )


def test_a_formula_that_was_never_computed_is_no_number() -> None:
    assert text_of(workbook([["a", "b"], [1, "=A2*2"]])) == "a,b\r\n1,#FORMULA WITHOUT A VALUE\r\n"


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: data], ids=["gzip", "plain"])
def test_the_sheet_that_counts_is_found_between_others(pack: object) -> None:
    recognition = KNOWN.recognise(pack(CARGO), "cargo.xlsx")  # type: ignore[operator]
    assert recognition.dialect is not None
    assert recognition.dialect.id == "cargo_physical"
    assert recognition.payload.startswith(b"Period,Catalogue No.,")


def test_a_workbook_with_two_reports_is_refused_by_the_names_of_its_sheets() -> None:
    header = list(KNOWN["cargo_physical"].header.columns)
    reason = KNOWN.recognise(workbook([header], [header]), "two.xlsx").reason
    assert reason is not None
    assert "found: two.xlsx, Sheet 1 (cargo_physical), two.xlsx, Sheet 2 (cargo_physical)" in reason


def test_a_workbook_where_text_is_expected_is_refused_as_such() -> None:
    header = list(KNOWN["tunecore"].header.columns)
    reason = KNOWN.recognise(workbook([header]), "tunecore.xlsx").reason
    assert reason is not None
    assert "the nearest is tunecore (TuneCore sales), but it lies in xlsx where plain or gzip or zip is expected" in reason


def test_a_workbook_that_declares_a_document_type_is_refused() -> None:
    bomb = with_part(workbook([["a"]]), "xl/worksheets/sheet1.xml", (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'))
    with pytest.raises(Refused, match=r"xl/worksheets/sheet1\.xml declares a document type"):
        unpack(bomb, "bomb.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(Refused, match="it unpacks to more than"):
        unpack(workbook([["a" * 1000]] * 50), "large.xlsx", Limits(unpacked_bytes=10_000))


def test_a_cell_far_out_costs_no_more_than_its_row() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].cell(row=1, column=1, value="a")
    book.worksheets[0].cell(row=1_000_000, column=16_384, value="z")
    out = io.BytesIO()
    book.save(out)
    assert len(text_of(out.getvalue())) < 3_000_000


@pytest.mark.parametrize(("row", "reason"), [(b'r="999999999"', "row 999999999 after row 1"), (b'r="1"', "row 1 after row 1")])
def test_a_row_where_no_row_can_be_is_refused(row: bytes, reason: str) -> None:
    data = with_part(workbook([["a"], ["b"]]), "xl/worksheets/sheet1.xml", (b'<row r="2">', b"<row " + row + b">"))
    with pytest.raises(Refused, match=reason):
        unpack(data, "far.xlsx")


def html_of(rows: list[list[str]]) -> bytes:
    body = "".join("<tr>" + "".join(f"<td>{cell.replace('&', '&amp;')}</td>" for cell in row) + "</tr>" for row in rows)
    return f"\n<html><head><meta charset='utf-8'></head><body><table>{body}</table></body></html>".encode()


def test_an_html_table_under_the_name_of_a_workbook_is_the_report() -> None:
    lines = [line.split("\t") for line in ORCHARD.decode("latin-1").split("\r\n")[:8]]
    recognition = KNOWN.recognise(html_of(lines), "orchard.xls")
    assert recognition.dialect is not None, recognition.reason
    assert (recognition.dialect.id, recognition.variant, recognition.container) == ("orchard_old", "workbook", "html")
    records = list(read_records(recognition.payload, recognition.dialect, "utf-8", recognition.variant))
    place = recognition.dialect.position("Label Share Net Receipts")
    amounts = [Decimal(record.cells[place] or 0) for record in records if record.cells]
    assert sum(amounts) == Decimal("3.501500000000000002")
    assert records[1].cells
    assert records[1].cells[recognition.dialect.position("Track Name")] == "Üksi"


def test_html_gives_the_number_that_a_cell_stores_not_the_one_it_shows() -> None:
    page = b"<table><tr><th colspan=2>t</th></tr><tr><td x:num='0.10000000000000001'>0.10</td><td> a\n b </td></tr></table>"
    assert text_of(page) == "t\r\n0.1,a b\r\n"


def test_a_page_that_is_not_a_report_says_what_differs(tmp_path: Path) -> None:
    reason = KNOWN.recognise(html_of([["Store", "Total"], ["X", "1"]]), "page.xls").reason
    assert reason is not None
    assert "no known report looks like it" in reason
