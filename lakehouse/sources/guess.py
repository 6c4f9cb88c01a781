"""What an unknown text file looks like: encoding, line ends, delimiter, header, and what stands in each column.

A guess is for a person to judge. Nothing here decides how a report is read; that a dialect says. Cells are never shown: they may be
personal data.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lakehouse.model.identifiers import ISRC, currency_codes, gtin_check_digit_holds
from lakehouse.model.territories import alpha2_codes, spellings
from lakehouse.sources.dialect import DELIMITERS, Encoding
from lakehouse.sources.grammar import EXCEL_WRAPPER, PADDING, time_pattern
from lakehouse.sources.payload import Payload
from lakehouse.sources.recognise import MAX_COLUMNS
from lakehouse.sources.text import decoding_error, head

_ENCODINGS: tuple[Encoding, ...] = ("utf-8-bom", "utf-16-le-bom", "utf-8", "cp932", "cp1252", "latin-1")
_KANA = re.compile("[\u3041-\u30ff]")
_HEAD_BYTES = 1 << 20
_ROWS = 1000
# A kind is told from this part of the filled cells on: reports have odd cells.
_AGREEING = 0.9
_DAYS = (
    "YYYY-MM-DD", "YYYYMMDD", "MM/DD/YYYY", "DD/MM/YYYY", "M/D/YYYY", "D/M/YYYY", "DD.MM.YYYY", "YYYY/MM/DD", "YYYY-MM-DD {time}",
    "M/D/YYYY {time}", "D MMM YYYY", "DD-MMM-YY",
)  # fmt: skip
_MONTHS = ("YYYY-MM", "YYYYMM", "YYYY_MM", "YYYYMMM", "MMM-YY", "MMMM YYYY", "MM/YYYY", "YYYY/MM", "YYYY[M]MM")
_NUMBER = re.compile(r"[-+(]?[$€£¥]? ?[-+]?(?P<digits>[0-9][0-9.,' ]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?[-)]?")
_PERSONAL = re.compile(
    r"e-?mail|phone|address|street|city|zip|postal|buyer|(?<!display )first name|last name|customer name", re.I
)


@dataclass(frozen=True)
class ColumnGuess:
    """One column: its name, what its cells are, how they are spelled, and how many of the rows looked at have it filled."""

    place: int
    name: str
    kind: str
    spelling: str | None
    filled: int
    personal: bool


@dataclass(frozen=True)
class TableGuess:
    """A text file with a header. `rows` is how many rows were looked at."""

    encoding: Encoding
    line_end: str
    delimiter: str
    preamble: tuple[str, ...]
    header: tuple[str, ...]
    rows: int
    columns: tuple[ColumnGuess, ...]


def guess_table(payload: Payload) -> TableGuess | None:
    """What the file looks like, or None where no delimiter cuts it into a table."""
    encoding = guess_encoding(payload)
    if encoding is None or (b"\0" in payload[:_HEAD_BYTES] and not encoding.startswith("utf-16")):
        return None
    lines = [line for line in head(payload, encoding, _HEAD_BYTES)[: _ROWS + 10] if line.strip()]
    name = _delimiter(lines)
    if name is None:
        return None
    rows = _rows(lines, DELIMITERS[name])
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    at = next((place for place, row in enumerate(rows) if len(row) == width and _is_header(row)), None)
    if at is None or width > MAX_COLUMNS:
        return None
    data = [row for row in rows[at + 1 :] if len(row) == width]
    columns = tuple(guess_column(place, name, cells) for place, (name, *cells) in enumerate(zip(rows[at], *data, strict=True), 1))
    return TableGuess(encoding, _line_end(payload), name, tuple(lines[:at]), tuple(rows[at]), len(data), columns)


def guess_encoding(payload: Payload) -> Encoding | None:
    """The first encoding that the bytes are in; those that take nearly any bytes come last, and Japanese only where there is kana."""
    for encoding in _ENCODINGS:
        fits = decoding_error(payload, encoding) is None
        if fits and (encoding != "cp932" or any(map(_KANA.search, head(payload, encoding, _HEAD_BYTES)))):
            return encoding
    return None


def _line_end(payload: Payload) -> str:
    start = payload[:_HEAD_BYTES].replace(b"\0", b"")
    return "CRLF" if b"\r\n" in start else "LF" if b"\n" in start else "CR" if b"\r" in start else "none"


def _delimiter(lines: Sequence[str]) -> str | None:
    """The delimiter that cuts most lines into the same number of cells, more than one."""
    best: tuple[int, int, str] | None = None
    for name, mark in DELIMITERS.items():
        widths = Counter(len(row) for row in _rows(lines[:50], mark))
        width, agreeing = max(widths.items(), key=lambda found: (found[0] > 1, found[1], found[0]), default=(0, 0))
        if width > 1 and 2 * agreeing >= sum(widths.values()) and (best is None or (agreeing, width) > best[:2]):
            best = (agreeing, width, name)
    return best[2] if best else None


def _rows(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    found = []
    for line in lines:
        try:
            found += list(csv.reader([line], delimiter=delimiter))
        except csv.Error:
            found.append(line.split(delimiter))
    return found


def _is_header(row: Sequence[str]) -> bool:
    """Names and nothing else: most cells filled, none a number or a day, hardly one twice."""
    filled = [cell.strip() for cell in row if cell.strip()]
    return len(filled) > len(row) / 2 and len(set(filled)) >= len(filled) - 1 and not any(map(_is_value, filled))


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or re.fullmatch(ISRC, cell) or _time_spelling([cell], _DAYS))


def guess_column(place: int, name: str, cells: Sequence[str]) -> ColumnGuess:
    """What the cells of a column are."""
    trimmed = [cell.strip(PADDING) for cell in cells]
    wrapped = any(re.fullmatch(EXCEL_WRAPPER, cell) for cell in trimmed)
    bare = [found[1] if (found := re.fullmatch(EXCEL_WRAPPER, cell)) else cell for cell in trimmed]
    filled = [cell for cell in bare if cell]
    kind, spelling = _kind(filled)
    return ColumnGuess(place, name, kind, 'wrapped as ="..."' if wrapped else spelling, len(filled), bool(_PERSONAL.search(name)))


def _kind(cells: Sequence[str]) -> tuple[str, str | None]:
    if not cells:
        return "blank", None
    if _most(cells, lambda cell: bool(re.fullmatch(ISRC, re.sub("[- ]", "", cell.upper())))):
        return "isrc", None
    if _most(cells, lambda cell: bool(re.fullmatch("[0-9]{11,14}", cell)) and gtin_check_digit_holds(cell.zfill(14))):
        return "upc", None
    if _most(cells, lambda cell: cell.upper() in currency_codes()):
        return "currency", None
    if _most(cells, lambda cell: cell.upper() in alpha2_codes()):
        return "territory", "alpha2"
    for form in ("alpha3", "name"):
        known = {spelling.lower() for spelling in spellings(form)}
        if _most(cells, lambda cell, known=known: cell.lower() in known):
            return "territory", form
    if spelling := _time_spelling(cells, _DAYS):
        return "day", spelling
    if spelling := _time_spelling(cells, _MONTHS):
        return "month", spelling
    if _most(cells, lambda cell: bool(_NUMBER.fullmatch(cell))):
        return _number_kind(cells)
    return "text", None


def _most(cells: Sequence[str], holds: object) -> bool:
    assert callable(holds)
    return sum(1 for cell in cells if holds(cell)) >= _AGREEING * len(cells)


def _time_spelling(cells: Sequence[str], candidates: Iterable[str]) -> str | None:
    """The first spelling that reads every cell as a time there is: `13/05/2026` is no month first."""
    for spelling in candidates:
        pattern = time_pattern(spelling)
        read = [pattern.read(cell) for cell in cells]
        if all(found and 1900 <= int(found[:4]) <= 2100 and _exists(found) for found in read):
            return spelling
    return None


def _exists(read: str) -> bool:
    parts = [int(part) for part in read.split("-")]
    return 1 <= parts[1] <= 12 and (len(parts) < 3 or 1 <= parts[2] <= 31)


def _number_kind(cells: Sequence[str]) -> tuple[str, str | None]:
    """`count` for whole numbers, else `amount` with its decimal mark: the last mark in most cells that have one."""
    digits = [found["digits"].strip() for cell in cells if (found := _NUMBER.fullmatch(cell))]
    marks = Counter(
        text[max(text.rfind("."), text.rfind(","))] for text in digits if re.search(r"[.,](?![0-9]{3}$)[0-9]*$", text)
    )
    if not marks:
        return "count", None
    mark = marks.most_common(1)[0][0]
    places = max(len(text.rsplit(mark, 1)[1]) for text in digits if mark in text)
    return "amount", f"decimal {'point' if mark == '.' else 'comma'}, up to {places} places"
