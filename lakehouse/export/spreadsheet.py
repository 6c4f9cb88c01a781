"""What every file for a spreadsheet program needs: text that is never run as a formula, and the same bytes for the same content.

Text that a spreadsheet would take for a formula is disarmed (OWASP, "CSV Injection"): a leading apostrophe in CSV, a text cell in XLSX.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# A printed number is no formula, whatever its sign.
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' ]*(?:[eE][+-]?[0-9]{1,3})?")
# The earliest moment a ZIP archive can state: the same in every export.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOMENT = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
# What XML 1.0 cannot carry, and openpyxl therefore refuses.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet program would run the text."""
    return text.startswith(_FORMULA)


def disarmed(text: str) -> str:
    """The text with a leading apostrophe where it would be run; numbers stay as they are printed."""
    return f"'{text}" if is_formula(text) and not _NUMBER.fullmatch(text) else text


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """RFC 4180, UTF-8, comma. The cells must be disarmed."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\r\n").writerows(rows)
    return stream.getvalue().encode()


def set_text(sheet: Worksheet, down: int, across: int, text: str) -> None:
    """Writes a cell as text, whatever it looks like."""
    cell = sheet.cell(down, across)
    cell.value = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    cell.data_type = "s"  # openpyxl takes a leading = for a formula
    cell.quotePrefix = is_formula(text)


def without_time(content: bytes) -> bytes:
    """The same workbook with every moment of writing taken out, so that the same content is the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as made, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in sorted(made.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            part = made.read(name)
            if name == "docProps/core.xml":
                part = _MOMENT.sub(rb"\g<1>1980-01-01T00:00:00Z", part)
            kept.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), part, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
