"""The refused rows of one file, for its sender: in the file's own columns, with what is wrong with each.

Nothing is mended. Cells are as the sender wrote them, and personal columns as they are kept: blank.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.export import Exported, sums, write_files
from lakehouse.export.spreadsheet import csv_bytes, disarmed, set_text, without_time
from lakehouse.sources.dialect import Dialect
from lakehouse.sources.recognise import Dialects
from lakehouse.sources.records import cell_order, csv_options
from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, ops

# After the file's own columns: its line there, what is wrong, and the row itself where it could not be cut into cells.
OURS = ("line", "error", "row")
REPORTS = ("csv", "xlsx")


def refusal_report(reader: LakeReader, dialects: Dialects, file_id: str, fmt: str, out: str | Path) -> dict[str, Any]:
    """Writes what of a file waits in quarantine to the folder `out`: {format, files: [{path, sha256, rows, totals}]}.

    Raises Misuse for an unknown format, a file that is not in the lake, or one of which nothing waits.
    """
    if fmt not in REPORTS:
        raise Misuse(f"There is no report format {fmt!r}. Formats are {', '.join(REPORTS)}.")
    file, rows = _read(reader, file_id)
    if not rows:
        raise Misuse(f"Nothing of {file['name']} waits in quarantine.")
    dialect = dialects.by_id.get(file["source"])
    if dialect is None:
        raise Misuse(
            f"{file['name']} was read by {file['source']}, which is not known here: give its folder by LAKEHOUSE_SOURCES."
        )
    names = _own_columns(reader, file, dialect)
    table = [[*names, *OURS], *(_line(row, names, dialect, file["variant"]) for row in rows)]
    money = [row for row in rows if row["amount"] is not None and row["currency"] is not None]
    content = _csv(table) if fmt == "csv" else _xlsx(table)
    name = f"{Path(file['name'].replace(chr(92), '/')).stem}-refused.{fmt}"
    return write_files(fmt, [Exported(name, content, len(rows), sums(money, "amount"))], out)


def _read(reader: LakeReader, file_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    files = reader.sql(
        f"SELECT name, source, variant, file_id FROM {reader.relation(bronze.files.name)} WHERE file_id = ?", [file_id]
    )
    if not files:
        raise Misuse(f"There is no file {file_id} in the lake. `lakehouse files` lists them.")
    rows = reader.sql(
        f"""SELECT line_no, text, cells, reasons, amount, currency FROM {reader.relation(ops.quarantine.name)}
            WHERE file_id = ? AND record_id NOT IN (SELECT record_id FROM {reader.relation(ops.releases.name)}) ORDER BY line_no""",
        [file_id],
    )
    return files[0], rows


def _own_columns(reader: LakeReader, file: dict[str, Any], dialect: Dialect) -> list[str]:
    """The columns of the file itself, in its order. A DSR flat file has none: each kind of record has its own."""
    lines = bronze.lines.name
    headers = reader.sql(
        f"SELECT text FROM {reader.relation(lines)} WHERE file_id = ? AND kind = 'header' ORDER BY line_no LIMIT 1",
        [file["file_id"]],
    )
    if dialect.dsr or not headers:
        return []
    return next(csv.reader([headers[0]["text"]], **csv_options(dialect.under(file["variant"]))), [])  # type: ignore[arg-type]


def _line(row: dict[str, Any], names: Sequence[str], dialect: Dialect, variant: str | None) -> list[str]:
    own, uncut = [""] * len(names), "" if row["cells"] and names else row["text"]
    if row["cells"] and names:
        places = cell_order(list(names), dialect, variant) or range(len(names))
        for place, cell in zip(places, row["cells"], strict=False):
            if place is not None:
                own[place] = cell or ""
    return [*own, str(row["line_no"]), "; ".join(map(_sentence, row["reasons"])), uncut]


def _sentence(reason: dict[str, Any]) -> str:
    where = f"{reason['column']}: " if reason["column"] else ""
    found = f" (found {reason['value']!r})" if reason["value"] else ""
    return f"{where}{reason['message']}{found}"


def _csv(table: Sequence[Sequence[str]]) -> bytes:
    return csv_bytes([disarmed(cell) for cell in row] for row in table)


def _xlsx(table: Sequence[Sequence[str]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=False)
    sheet = book.worksheets[0]
    sheet.title = "Refused"
    sheet.freeze_panes = "A2"
    for down, row in enumerate(table, start=1):
        for across, cell in enumerate(row, start=1):
            if cell:
                set_text(sheet, down, across, cell)
    stream = io.BytesIO()
    book.save(stream)
    return without_time(stream.getvalue())
