"""The label's recordings, from CSV, Parquet or DDEX ERN XML, as rows of silver.catalog.

Columns of a table, by name: title and artist are needed; recording_id, isrc, album, label, upc, track_number, duration
(seconds, m:ss or PT..S), year, iswc, release_type and proprietary_ids (joined by `|`) may be missing. One row is one
recording on one release. What is odd is kept and reported; a row without title or artist is left out and reported.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Misuse
from lakehouse.model.identifiers import ISRC, UPC, gtin_check_digit_holds, padded_upc, plain_iswc
from lakehouse.model.normalize import normalize
from lakehouse.sources.ern_rows import ErnRows
from lakehouse.tables import silver

if TYPE_CHECKING:
    from lakehouse.sources.ern import Contributor

# What a message gets wrong is found, not told.
_FOUND = "deficiencies"
COLUMNS = tuple(name for name in silver.catalog.columns if name != _FOUND)
_NUMBERS = ("track_number", "duration", "year")
_DURATION = re.compile(r"(?:PT)?(?:(?:(\d+)[H:])?(\d+)[M:])?(\d+)(?:\.\d+)?S?")

Row = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One recording on one release as its file tells it: text by column, and where it stands."""

    file: str
    line: int
    cells: Mapping[str, str | None]
    contributors: Sequence[Contributor] = ()
    deficiencies: Sequence[str] = ()


@dataclass
class CatalogLoad:
    """What was read. `findings` name file, line, rule, severity (warn: kept; error: left out) and a sentence, and in XML the XPath.
    `messages` is what DDEX messages say besides."""

    recordings: list[Row] = field(default_factory=list)
    findings: list[Row] = field(default_factory=list)
    messages: ErnRows = field(default_factory=ErnRows)

    @property
    def releases(self) -> int:
        """Distinct releases among the rows."""
        return len({row["upc"] for row in self.recordings if row["upc"]})

    def find(self, entry: Entry, rule: str, message: str, severity: str = "warn") -> None:
        self.findings.append({"file": entry.file, "line": entry.line, "rule": rule, "severity": severity, "message": message})


def read_catalog(files: Sequence[Path]) -> CatalogLoad:
    """Reads all files together, in order of name. Raises Misuse where a file is of no known kind or cannot be read."""
    load = CatalogLoad()
    titles: dict[str, tuple[str, Entry]] = {}
    for file in sorted(files):
        for entry in _entries(file, load):
            row = _row(entry, load)
            if row is not None:
                _hold_against_others(row, entry, titles, load)
                load.recordings.append(row)
                load.messages.add_contributors(row["recording_id"], entry.contributors)
    return load


def merge_catalog(existing: Iterable[Mapping[str, Any]], loaded: Iterable[Mapping[str, Any]]) -> tuple[list[Row], int]:
    """The catalog after a load: rows by (recording_id, upc), loaded ones replacing existing ones, ordered by that key.
    Also how many rows were added or differ. Of two loaded rows with one key the later holds."""
    before = {(row["recording_id"], row["upc"]): _plain(row) for row in existing}
    after = {**before, **{(row["recording_id"], row["upc"]): _plain(row) for row in loaded}}
    changed = sum(1 for key, row in after.items() if before.get(key) != row)
    return [after[key] for key in sorted(after)], changed


def derived_id(title: str, artist: str) -> str:
    """The id of a recording that has neither id nor ISRC: `rec-` and 16 hex digits of SHA-256 over its names' normal forms."""
    names = [normalize(title), normalize(artist)]
    return "rec-" + hashlib.sha256("|".join(f"{len(name.encode())}:{name}" for name in names).encode()).hexdigest()[:16]


def _entries(file: Path, load: CatalogLoad) -> Iterator[Entry]:
    readers: dict[str, Callable[[Path], Iterator[Entry]]] = {
        ".csv": _csv_entries, ".parquet": _parquet_entries, ".xml": partial(_ern_entries, load=load)
    }  # fmt: skip
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise Misuse(f"{file}: a catalog is a .csv, .parquet or DDEX ERN .xml file. Rename or convert it.")
    if not file.is_file():
        raise Misuse(f"{file}: there is no such file.")
    return reader(file)


def _csv_entries(file: Path) -> Iterator[Entry]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            _require_columns(file, rows.fieldnames or ())
            for row in rows:
                if None in row or None in row.values():
                    raise Misuse(f"{file}:{rows.line_num}: the row has another number of cells than the header.")
                yield Entry(str(file), rows.line_num, row)
    except UnicodeDecodeError as error:
        raise Misuse(f"{file}: not UTF-8 at byte {error.start}. Save the catalog as UTF-8.") from None
    except csv.Error as error:
        raise Misuse(f"{file}: not a valid CSV file: {error}.") from None


def _parquet_entries(file: Path) -> Iterator[Entry]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise Misuse(f"{file}: not a Parquet file: {error}.") from None
    _require_columns(file, table.schema_arrow.names)
    line = 0
    for batch in table.iter_batches():
        for row in batch.to_pylist():
            line += 1
            yield Entry(str(file), line, {name: _as_text(value) for name, value in row.items()})


def _ern_entries(file: Path, load: CatalogLoad) -> Iterator[Entry]:
    """The recordings of a DDEX message; its releases, parties, deals and deficiencies go to the load at once."""
    from lakehouse.sources.ern import read_ern

    message = read_ern(file)
    load.messages.add_message(message)
    for flag in message.flags:
        place = {"file": str(file), "line": flag.line, "xpath": flag.xpath}
        load.findings.append({**place, "rule": flag.rule, "severity": "warn", "message": flag.message})
    return (Entry(str(file), found.line, cells, found.contributors, found.deficiencies) for found, cells in message.on_releases())


def _require_columns(file: Path, names: Iterable[str]) -> None:
    given = list(names)
    if unknown := [name for name in given if name not in COLUMNS]:
        raise Misuse(f"{file}: unknown columns {', '.join(map(repr, unknown))}; a catalog has {', '.join(COLUMNS)}.")
    if missing := {"title", "artist"} - {*given}:
        raise Misuse(f"{file}: no column {' and no column '.join(sorted(missing))}; a catalog needs title and artist.")


def _as_text(value: object) -> str | None:
    if isinstance(value, (list, tuple)):
        return "|".join(str(item) for item in value)
    return None if value is None else str(value)


def _row(entry: Entry, load: CatalogLoad) -> Row | None:
    cells = {name: (entry.cells.get(name) or "").strip() for name in COLUMNS}
    if missing := [name for name in ("title", "artist") if not cells[name]]:
        load.find(entry, "missing_" + missing[0], f"no {' and no '.join(missing)}: the recording was left out", "error")
        return None
    row: Row = {name: cells[name] or None for name in COLUMNS}
    row.update({name: _number(name, cells[name], entry, load) for name in _NUMBERS})
    row["isrc"] = _isrc(cells["isrc"], entry, load)
    row["upc"] = _upc(cells["upc"], entry, load)
    row["iswc"] = plain_iswc(cells["iswc"]) or None
    row["proprietary_ids"] = [part.strip() for part in cells["proprietary_ids"].split("|") if part.strip()] or None
    row[_FOUND] = list(entry.deficiencies) or None
    row["recording_id"] = cells["recording_id"] or row["isrc"] or derived_id(cells["title"], cells["artist"])
    return row


def _isrc(text: str, entry: Entry, load: CatalogLoad) -> str | None:
    isrc = re.sub(r"[^0-9A-Z]", "", text.upper())
    if isrc and not re.fullmatch(ISRC, isrc):
        load.find(entry, "isrc", f"{text!r} is not an ISRC: two letters, three letters or digits, seven digits")
    return isrc or None


def _upc(text: str, entry: Entry, load: CatalogLoad) -> str:
    padded = padded_upc(text)
    if padded and not re.fullmatch(UPC, padded):
        load.find(entry, "upc", f"{text!r} is not a UPC or EAN: 8 to 14 digits")
    elif padded and not gtin_check_digit_holds(padded):
        load.find(entry, "upc_check_digit", f"the check digit of {text!r} is wrong")
    return padded


def _number(name: str, text: str, entry: Entry, load: CatalogLoad) -> int | None:
    if not text:
        return None
    found = _DURATION.fullmatch(text.upper()) if name == "duration" else re.fullmatch(r"()()(\d+)", text)
    if not found:
        load.find(entry, name, f"{text!r} is not a {name.replace('_', ' ')}: left empty")
        return None
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def _hold_against_others(row: Row, entry: Entry, titles: dict[str, tuple[str, Entry]], load: CatalogLoad) -> None:
    """One ISRC is one recording: another title under it is worth a look."""
    if not row["isrc"]:
        return
    title, first = titles.setdefault(row["isrc"], (row["title"], entry))
    if normalize(title) != normalize(row["title"]):
        where = f"{first.file}:{first.line}"
        load.find(entry, "isrc_titles", f"{row['isrc']} is {row['title']!r} here and {title!r} in {where}")


def _plain(row: Mapping[str, Any]) -> Row:
    lists = {name: list(row[name]) for name in ("proprietary_ids", _FOUND) if row.get(name) is not None}
    return {**{name: row.get(name) for name in silver.catalog.columns}, **lists}
