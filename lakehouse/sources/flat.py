"""Any table of records, CSV or Parquet, as text by its standard names."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lakehouse.errors import Misuse

_SEPARATORS = (",", ";", "\t", "|")
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Flat:
    """The rows of a file by standard names, None where one says nothing; what its columns are called, and which of them each name was found in."""

    rows: list[dict[str, str | None]]
    names: list[str]
    taken: dict[str, str]


def read_table(file: Path, columns: Sequence[str], renamed: Mapping[str, str], others: Mapping[str, Sequence[str]]) -> Flat:
    """Every row with the table's `columns` as text. A name is found in the column that is `renamed` to it, else in the one of that name, else in the
    first that has one of its `others`, whatever the case and with blanks or strokes for `_`.

    Raises Misuse for a file that is neither CSV nor Parquet, or has no column for `id`.
    """
    kind = file.suffix.lower()
    if kind == ".parquet":
        names, rows = _parquet(file)
    elif kind in (".csv", ".tsv", ".txt"):
        names, rows = _delimited(file, kind)
    else:
        raise Misuse(f"{file}: give a .csv, .tsv or .parquet file.")
    places = {plain_name(name): place for place, name in reversed(list(enumerate(names)))}
    found: dict[str, int] = {}
    for name in columns:
        asked = [*([renamed[name]] if name in renamed else []), name]
        # A column that is named is no other's, however well it would fit.
        free = [one for one in others.get(name, ()) if one not in columns and places.get(one) not in found.values()]
        place = next((places[one] for one in (*map(plain_name, asked), *free) if one in places), None)
        if place is not None:
            found[name] = place
    if "id" not in found:
        raise Misuse(f"{file} has no column id: name the column that tells records apart with --map COLUMN=id.")
    told = [
        {name: (row[place] or None) if (place := found.get(name, len(row))) < len(row) else None for name in columns}
        for row in rows
    ]
    return Flat(told, names, {name: names[place] for name, place in found.items()})


def plain_name(name: str) -> str:
    """A column's name as names are compared: "Song Name" is "song_name"."""
    return "_".join(re.split(r"[\s_-]+", name.lstrip("\ufeff").strip().lower()))


def _delimited(file: Path, kind: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows. A byte that is no UTF-8 becomes a replacement character: one bad name must not stop the rest."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with file.open("rb") as start:
        encoding = _BOMS.get(start.read(2), "utf-8-sig")
    with file.open(encoding=encoding, errors="replace", newline="") as text:
        header = text.readline()
        separator = "\t" if kind == ".tsv" else max(_SEPARATORS, key=header.count)
        text.seek(0)
        try:
            rows = [row for row in csv.reader((line.replace("\0", "") for line in text), delimiter=separator) if row]
        except csv.Error as error:
            raise Misuse(f"{file} cannot be read as a table: {error}.") from None
    if not rows:
        raise Misuse(f"{file} is empty: a table has a header line with its columns' names.")
    return rows[0], rows[1:]


def _parquet(file: Path) -> tuple[list[str], list[list[str]]]:
    try:
        table = pyarrow.parquet.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise Misuse(f"{file} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    return list(table.column_names), [list(row) for row in zip(*columns, strict=True)]


def _text(value: object) -> str:
    """A cell as CSV would have it: a whole float is the number it stands for."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def write_table(table: pa.Table, file: Path) -> None:
    """Writes rows as one CSV or Parquet file, by the ending of its name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix.lower() == ".parquet":
        pyarrow.parquet.write_table(table, file)
    else:
        pyarrow.csv.write_csv(table, file)
