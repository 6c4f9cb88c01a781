"""Statements for people: CSV and XLSX, each with a summary and the lines behind it.

Amounts keep all their digits. A spreadsheet program holds 15 digits of a number, so in XLSX exact amounts are text; only
`payable`, which is in whole minor units, is a number that can be summed there. Text that a spreadsheet would take for a
formula is disarmed (OWASP, "CSV Injection"): a leading apostrophe in CSV, a text cell in XLSX.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.export import Exported, sums
from lakehouse.store.reader import LakeReader
from lakehouse.views.statements import list_statements, statement_lines

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

SUMMARY = (
    "statement_id",
    "period",
    "currency",
    "payee",
    "payee_name",
    "opening",
    "earned",
    "deducted",
    "recouped",
    "reserved",
    "taxed",
    "payable",
    "carried",
    "rounding",
    "line_count",
)
LINES = (
    "statement_id",
    "line_id",
    "kind",
    "reverses",
    "source",
    "report_period",
    "usage_period",
    "channel",
    "configuration",
    "territory",
    "price_category",
    "recording_id",
    "title",
    "artist",
    "contract_id",
    "contract_version",
    "role",
    "usage_lines",
    "units",
    "base",
    "amount",
    "currency",
)
NUMBERS = frozenset(
    {
        "opening",
        "earned",
        "deducted",
        "recouped",
        "reserved",
        "taxed",
        "payable",
        "carried",
        "rounding",
        "line_count",
        "usage_lines",
        "units",
        "base",
        "amount",
    }
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# The digits that every spreadsheet program keeps of a number.
_SPREADSHEET_DIGITS = 15
# The earliest moment a ZIP archive can state: the same in every export.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOMENT = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
# What XML 1.0 cannot carry, and openpyxl therefore refuses.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def statements_csv(reader: LakeReader, period: str) -> list[Exported]:
    """statements-<period>.csv and statement-lines-<period>.csv: RFC 4180, UTF-8, comma, point as decimal mark."""
    summary, lines = _read(reader, period)
    return [
        Exported(f"statements-{period}.csv", _csv(SUMMARY, summary), len(summary), sums(summary, "payable")),
        Exported(f"statement-lines-{period}.csv", _csv(LINES, lines), len(lines), sums(lines, "amount")),
    ]


def statements_xlsx(reader: LakeReader, period: str) -> list[Exported]:
    """statements-<period>.xlsx with the sheets Summary and Lines."""
    from openpyxl import Workbook

    summary, lines = _read(reader, period)
    book = Workbook(write_only=False)
    _fill(book.worksheets[0], "Summary", SUMMARY, summary)
    _fill(book.create_sheet(), "Lines", LINES, lines)
    stream = io.BytesIO()
    book.save(stream)
    return [Exported(f"statements-{period}.xlsx", _without_time(stream.getvalue()), len(summary), sums(summary, "payable"))]


def _read(reader: LakeReader, period: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    lines = statement_lines(reader, period)
    for line in lines:
        line["statement_id"] = f"{period}-{line['currency']}-{line['payee']}"
    return list_statements(reader, period), lines


def _csv(columns: Sequence[str], rows: list[dict[str, Any]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_disarmed(column, row[column]) for column in columns] for row in rows)
    return stream.getvalue().encode()


def _disarmed(column: str, value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if column not in NUMBERS and text.startswith(_FORMULA) else text


def _fill(sheet: Worksheet, title: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
    sheet.title = title
    sheet.freeze_panes = "A2"
    for across, column in enumerate(columns, start=1):
        sheet.cell(1, across, column)
        for down, row in enumerate(rows, start=2):
            _set(sheet, down, across, column, row[column])


def _set(sheet: Worksheet, down: int, across: int, column: str, value: Any) -> None:
    if value is None:
        return
    cell = sheet.cell(down, across)
    if isinstance(value, int):
        cell.value = value
    elif column == "payable" and len(value.strip("-").replace(".", "")) <= _SPREADSHEET_DIGITS:
        cell.value = Decimal(value)
        cell.number_format = "0." + "0" * len(value.partition(".")[2]) if "." in value else "0"
    else:
        cell.value = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)
        cell.data_type = "s"  # openpyxl takes a leading = for a formula
        cell.quotePrefix = value.startswith(_FORMULA)


def _without_time(content: bytes) -> bytes:
    """The same workbook with every moment of writing taken out, so that the same statements are the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as made, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in sorted(made.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            part = made.read(name)
            if name == "docProps/core.xml":
                part = _MOMENT.sub(rb"\g<1>1980-01-01T00:00:00Z", part)
            kept.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), part, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
