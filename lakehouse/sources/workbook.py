"""Tables of workbooks and of HTML pages as comma-separated text: every cell as it is stored, none as it is displayed.

A sheet becomes UTF-8 text with a line for each row, so that it is read, kept and rebuilt like any other report. Numbers keep
their digits: see `stored_number`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from lakehouse.sources.limits import Limits, Refused

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

# The header stands among the first rows; shorter rows are filled up to the widest of these.
_WIDTH_FROM = 20
# Of a sheet in Excel.
_MAX_ROWS = 1 << 20
# Digits that a double holds in every case.
_SURE = 15
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_HTML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body|table|meta)\b", re.IGNORECASE)


def is_html(payload: bytes) -> bool:
    return _HTML.match(payload[:1024]) is not None


def stored_number(text: str) -> str:
    """The number that a cell of an XLSX file stores, from the text of its XML.

    Spreadsheets compute with doubles and print them with 17 digits: 0.1 is stored as 0.10000000000000001. Where the text is just
    that, the shortest number that stands for the same double is what was entered. Any other text was written by a program that keeps
    decimals and stays as it is."""
    # A number of up to 15 digits is its own shortest.
    if len(text) <= _SURE or not _PLAIN.fullmatch(text):
        return text
    double = float(text)
    return repr(double).removesuffix(".0") if Decimal(f"{double:.17g}") == Decimal(text) else text


def sheets_of_workbook(payload: bytes, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The sheets of an XLSX file that hold anything, with their names. Raises Refused."""
    import openpyxl

    try:
        _refuse_entities(payload)
        with warnings.catch_warnings():
            # About styles and extensions that have no bearing on cells.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(payload), read_only=True, data_only=True)
            for sheet in book.worksheets:
                text = _as_text(_sheet_rows(book, sheet), limits, len(payload))
                if text:
                    yield sheet.title, text
    except Refused:
        raise
    except Exception as error:
        # openpyxl answers a broken part with whatever its code stumbles over.
        raise Refused(f"its workbook cannot be read: {error}") from None


def tables_of_html(payload: bytes, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The tables of an HTML page that do not lie in another, numbered from 1. Excel's `x:num` is the number that a cell stores.

    Raises Refused."""
    from lxml import etree, html

    try:
        payload.decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = None
    try:
        page = html.document_fromstring(payload, parser=html.HTMLParser(encoding=encoding, no_network=True, huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise Refused(f"its HTML cannot be read: {error}") from None
    for number, table in enumerate(page.xpath("//table[not(ancestor::table)]"), start=1):
        text = _as_text((_html_cells(row) for row in table.xpath(".//tr")), limits, len(payload))
        if text:
            yield f"table {number}", text


def _refuse_entities(payload: bytes) -> None:
    """A workbook's XML needs no document type; one that has it may hold entities that multiply."""
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith((".xml", ".rels")):
                with archive.open(entry) as part:
                    start = part.read(4096)
                if not start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
                    raise Refused(f"its part {entry.filename} is not XML in UTF-8")
                if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                    raise Refused(f"its part {entry.filename} declares a document type")


def _sheet_rows(book: Workbook, sheet: Any) -> Iterator[list[str]]:
    from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser

    class Exact(WorkSheetParser):
        """openpyxl's reader of a sheet, which makes doubles of numbers: here their text stays."""

        def parse_cell(self, element: Element) -> dict[str, Any]:
            stored = element.findtext(VALUE_TAG)
            cell: dict[str, Any] = super().parse_cell(element)
            if stored and cell["data_type"] == "n":
                cell["value"] = stored_number(stored)
            elif not stored and element.find(FORMULA_TAG) is not None:
                cell["value"] = "#FORMULA WITHOUT A VALUE"
            return cell

    last = 0
    with sheet._get_source() as source:
        parser = Exact(
            source, sheet._shared_strings, data_only=True, epoch=book.epoch,
            date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,
        )  # fmt: skip
        for number, cells in parser.parse():
            if not last < number <= _MAX_ROWS:
                raise Refused(f"its sheet {sheet.title!r} has row {number} after row {last}")
            # Rows that hold nothing need not stand in the file.
            yield from ([] for _ in range(last + 1, number))
            last = number
            yield _in_places(cells)


def _in_places(cells: Iterable[dict[str, Any]]) -> list[str]:
    row: list[str] = []
    for cell in cells:
        row += [""] * (cell["column"] - len(row))
        row[cell["column"] - 1] = _cell_text(cell["value"])
    return row


def _cell_text(value: Any) -> str:
    """A day as `YYYY-MM-DD`, a moment with its time, a truth as TRUE or FALSE, anything else as it is stored."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)


def _html_cells(row: Any) -> list[str]:
    cells = []
    for cell in row.xpath("./td|./th"):
        stored = next((value for name, value in cell.attrib.items() if name.lower() in ("x:num", "num")), None)
        cells.append(stored_number(stored) if stored else " ".join(cell.text_content().split()))
        span = cell.get("colspan", "1")
        cells += [""] * (min(int(span), 1000) - 1 if span.isdigit() else 0)
    return cells


def _as_text(rows: Iterable[list[str]], limits: Limits, packed: int) -> bytes:
    """The rows as comma-separated UTF-8 with CRLF; empty where no row holds anything. Blank rows are blank lines."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    width, held, blank = 0, 0, 0
    for row in rows:
        while row and not row[-1]:
            row.pop()
        if not row:
            blank += 1
            continue
        out.write("\r\n" * blank)
        blank = 0
        held += 1
        width = max(width, len(row)) if held <= _WIDTH_FROM else width
        writer.writerow(row + [""] * (width - len(row)))
        limits.check(out.tell(), packed)
    return out.getvalue().encode("utf-8", errors="replace") if held else b""
