"""Any table of records, CSV or Parquet, as text by its standard names."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lakehouse.errors import Misuse

# Other names under which tables tell where a record is from.
_SOURCE = ("sourceid", "source_id")
_SEPARATORS = (",", ";", "\t", "|")
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_table(file: Path, columns: Sequence[str], renamed: Mapping[str, str]) -> list[dict[str, str | None]]:
    """Every row with the table's `columns` as text, None where it says nothing. `renamed`: standard name to the name in the file.

    Raises Misuse for a file that is neither CSV nor Parquet, without the column `id`, or without a column it was said to have.
    """
    kind = file.suffix.lower()
    if kind == ".parquet":
        names, rows = _parquet(file)
    elif kind in (".csv", ".tsv", ".txt"):
        names, rows = _delimited(file, kind)
    else:
        raise Misuse(f"{file}: give a .csv, .tsv or .parquet file.")
    places = {name.lstrip("\ufeff").strip().lower(): place for place, name in reversed(list(enumerate(names)))}
    if missing := sorted(name for name in renamed.values() if name.lower() not in places):
        raise Misuse(f"{file} has no column {', '.join(missing)}. It has: {', '.join(names)}.")
    found = {name: places.get(renamed.get(name, name).lower()) for name in columns}
    if found.get("source") is None:
        found["source"] = next((places[name] for name in _SOURCE if name in places), None)
    if found.get("id") is None:
        raise Misuse(f"{file} has no column id: name the column that tells records apart with --map COLUMN=id.")
    return [
        {name: (row[place] or None) if place is not None and place < len(row) else None for name, place in found.items()}
        for row in rows
    ]


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
