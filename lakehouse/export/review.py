"""The review queue as a workbook: one row for each recording that a key may be, with two cells to fill in, and the way back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.export import Exported, write_files
from lakehouse.export.spreadsheet import set_text, without_time

# The first two are for the reviewer: `accept` on the row of the right recording, or `reject` on any row of the key.
COLUMNS = (
    "decision", "reason", "usage_key", "money", "held_since", "title", "artist", "album", "isrc", "recording_id", "score",
    "catalog_title", "catalog_artist", "catalog_album", "catalog_isrc", "evidence",
)  # fmt: skip
_SHEET = "Review"


def review_workbook(queue: Sequence[dict[str, Any]], out: str | Path) -> dict[str, Any]:
    """Writes review.xlsx to the folder `out`: {format, files: [{path, sha256, rows, totals}]}. `queue` is that of views.review."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title, sheet.freeze_panes = _SHEET, "C2"
    rows: list[dict[str, str | None]] = [row for entry in queue for row in _rows(entry)]
    header: dict[str, str | None] = {column: column for column in COLUMNS}
    for down, row in enumerate([header, *rows], start=1):
        for across, column in enumerate(COLUMNS, start=1):
            if text := row.get(column):
                set_text(sheet, down, across, text)
    stream = io.BytesIO()
    book.save(stream)
    return write_files("review-xlsx", [Exported("review.xlsx", without_time(stream.getvalue()), len(rows), {})], out)


def _rows(entry: dict[str, Any]) -> list[dict[str, str | None]]:
    ours = {name: entry[name] for name in ("usage_key", "held_since", "title", "artist", "album", "isrc")}
    ours["money"] = ", ".join(f"{amount} {currency}" for currency, amount in entry["money"].items())
    return [
        {
            **ours, "recording_id": one["recording_id"], "score": one["score"],
            **{f"catalog_{name}": one[name] for name in ("title", "artist", "album", "isrc")},
            "evidence": ", ".join(f"{item['field']} {item['level']}" for item in one["evidence"]),
        }
        for one in entry["candidates"]
    ]  # fmt: skip


def read_workbook(file: Path) -> list[dict[str, str]]:
    """The verdicts in a workbook: [{usage_key, decision, recording_id, reason}], one for each key that has any, in its order.

    Where one row of a key is accepted, rejections of its other rows only say so again. Raises Misuse, naming rows, for a file
    that is no such workbook, a word that is no decision, a decision without its reason, and two recordings accepted for a key.
    """
    verdicts: dict[str, dict[str, str]] = {}
    wrong = []
    for number, row in _decided(file):
        key, decision = row["usage_key"], row["decision"].lower()
        if decision not in ("accept", "reject"):
            wrong.append(f"row {number}: {row['decision']!r} is neither accept nor reject")
        elif not row["reason"]:
            wrong.append(f"row {number}: a decision needs a reason")
        elif decision == "accept" and not row["recording_id"]:
            wrong.append(f"row {number}: which recording is accepted? recording_id is empty")
        elif decision == "accept" and verdicts.get(key, row)["decision"] == "accept" and key in verdicts:
            wrong.append(f"row {number}: another recording is accepted for {key}")
        elif decision == "accept" or key not in verdicts:
            verdicts[key] = {**row, "decision": decision}
    if wrong:
        raise Misuse(f"{file} was not imported: " + "; ".join(wrong))
    return list(verdicts.values())


def _decided(file: Path) -> list[tuple[int, dict[str, str]]]:
    """(row number, cells as text) of each row that has a decision."""
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
        raise Misuse(f"{file} is not an XLSX workbook. `lakehouse review export` writes one to fill in.") from None
    try:
        lines = [
            ["" if cell is None else str(cell).strip() for cell in line]
            for line in book.worksheets[0].iter_rows(values_only=True)
        ]
    finally:
        book.close()
    needed = ("usage_key", "decision", "recording_id", "reason")
    places = {name: lines[0].index(name) for name in needed if lines and name in lines[0]}
    if missing := [name for name in needed if name not in places]:
        raise Misuse(f"{file}: no column {', '.join(missing)} in row 1. `lakehouse review export` writes a workbook to fill in.")
    rows = [
        (n, {name: line[at] if at < len(line) else "" for name, at in places.items()})
        for n, line in enumerate(lines[1:], start=2)
    ]
    return [(number, row) for number, row in rows if row["decision"]]
