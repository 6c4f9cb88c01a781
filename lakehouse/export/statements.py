"""Statements for people: CSV and XLSX, each with a summary and the lines behind it.

Amounts keep all their digits. A spreadsheet program holds 15 digits of a number, so in XLSX exact amounts are text; only
`payable`, which is in whole minor units, is a number that can be summed there.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.export import Exported, sums
from lakehouse.export.spreadsheet import csv_bytes, is_formula, set_text, without_time
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
# The digits that every spreadsheet program keeps of a number.
_SPREADSHEET_DIGITS = 15


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
    return [Exported(f"statements-{period}.xlsx", without_time(stream.getvalue()), len(summary), sums(summary, "payable"))]


def _read(reader: LakeReader, period: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    lines = statement_lines(reader, period)
    for line in lines:
        line["statement_id"] = f"{period}-{line['currency']}-{line['payee']}"
    return list_statements(reader, period), lines


def _csv(columns: Sequence[str], rows: list[dict[str, Any]]) -> bytes:
    return csv_bytes([columns, *([_disarmed(column, row[column]) for column in columns] for row in rows)])


def _disarmed(column: str, value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if column not in NUMBERS and is_formula(text) else text


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
    if isinstance(value, int):
        sheet.cell(down, across, value)
    elif column == "payable" and len(value.strip("-").replace(".", "")) <= _SPREADSHEET_DIGITS:
        cell = sheet.cell(down, across, Decimal(value))
        cell.number_format = "0." + "0" * len(value.partition(".")[2]) if "." in value else "0"
    else:
        set_text(sheet, down, across, value)
