"""Rows of one dialect by column: a field is read once for each distinct combination of the cells that decide it.

The same readers as for one row at a time (`RowReader`, `beside_reader`): dates, stores, territories and titles repeat, and a batch
asks for each only once. Numbers hardly repeat, but most are plain already, and those stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.model.usage import FIELDS
from lakehouse.sources.beside import beside_places, beside_reader
from lakehouse.sources.dialect import Dialect
from lakehouse.sources.grammar import PLAIN_NUMBER, SCALE
from lakehouse.sources.mapping import FieldReader, RowReader
from lakehouse.tables import ops
from lakehouse.tables.arrow import arrow_type
from lakehouse.transforms.combinations import codes, distinct
from lakehouse.transforms.wide import Places

REASONS = arrow_type(ops.quarantine.types["reasons"])
AMOUNTS = arrow_type("map<string,string>")
ODDITIES = arrow_type("array<string>")
# A plain number that no field cuts: it has the decimals of an amount at most.
_AS_IS = rf"\A{PLAIN_NUMBER}\z".replace("[0-9]*[1-9]", f"[0-9]{{0,{SCALE - 1}}}[1-9]")


class Read(NamedTuple):
    """What rows say, by column: canonical text of the fields of a usage line, what is against each row (REASONS), and what stands
    beside its fields (AMOUNTS, ODDITIES; NULL where there is nothing)."""

    fields: list[pa.Array]
    faults: pa.Array
    amounts: pa.Array
    oddities: pa.Array


class ColumnReader:
    """Reads rows of one dialect, in one variant."""

    def __init__(self, dialect: Dialect) -> None:
        self._rows = RowReader(dialect)
        self._width = len(dialect.fields)
        self._beside, self._beside_places = beside_reader(dialect), beside_places(dialect)

    def fits(self, cells: pa.ListArray) -> pa.BooleanArray:
        """Which rows can be read by column: those with a cell for every column of the dialect."""
        return pc.fill_null(pc.equal(pc.list_value_length(cells), self._width), False)

    def read(self, cells: pa.ListArray, captured: Mapping[str, str]) -> Read:
        """Rows that `fits`, of one file or of files from which the same values were captured."""
        columns = _Columns(cells)
        fields = [self._field(field, columns, captured) for field in self._rows.fields]
        amounts, oddities = self._beside_of(columns)
        return Read(fields, self._faults(fields, columns, captured), amounts, oddities)

    def read_one_by_one(self, cells: pa.ListArray, errors: pa.Array, captured: Mapping[str, str]) -> Read:
        """Any rows: also those that could not be cut into cells (`errors` says why)."""
        rows = cells.to_pylist()
        found = [self._rows.read(row, captured, error) for row, error in zip(rows, errors.to_pylist(), strict=True)]
        beside = [self._beside(row) if self._beside and row is not None else ({}, []) for row in rows]
        return Read(
            [pa.array([fields[place] for fields, _ in found], pa.string()) for place in range(len(FIELDS))],
            pa.array([[reason._asdict() for reason in faults] for _, faults in found], REASONS),
            *_beside_arrays(beside),
        )

    def _field(self, field: FieldReader, columns: _Columns, captured: Mapping[str, str]) -> pa.Array:
        if not field.places:
            return pa.repeat(pa.scalar(field.read((), captured), pa.string()), columns.rows)
        if not field.is_number:
            return columns.ask(field.places, lambda cells: field.read(cells, captured), pa.string())
        column = columns[field.places[0]]
        plain = pc.fill_null(pc.match_substring_regex(column, _AS_IS), False)
        if pc.all(plain).as_py():
            return column
        others = _Columns.of({field.places[0]: column.filter(pc.invert(plain))})
        read = others.ask(field.places, lambda cells: field.read(cells, captured), pa.string())
        return pc.replace_with_mask(column, pc.invert(plain), read)

    def _faults(self, fields: list[pa.Array], columns: _Columns, captured: Mapping[str, str]) -> pa.Array:
        faults: list[list[dict[str, Any]]] = [[]] * columns.rows
        if signs := self._rows.signs:
            rules = columns.ask(signs.places, lambda cells: signs.read(cells, captured), pa.string()).to_pylist()
            amounts = fields[self._rows.amount_at].to_pylist()
            for row, (rule, amount) in enumerate(zip(rules, amounts, strict=True)):
                if fault := self._rows.against_sign(rule, amount):
                    faults[row] = [fault._asdict()]
        return pa.array(faults, REASONS)

    def _beside_of(self, columns: _Columns) -> tuple[pa.Array, pa.Array]:
        if self._beside is None:
            return pa.nulls(columns.rows, AMOUNTS), pa.nulls(columns.rows, ODDITIES)
        first, which = columns.combinations(self._beside_places)
        amounts, oddities = _beside_arrays([self._beside(cells) for cells in columns.rows_at(first, self._beside_places)])
        return amounts.take(pa.array(which)), oddities.take(pa.array(which))


class _Columns:
    """The columns of rows, each taken out of the lists of cells when it is first asked for."""

    def __init__(self, cells: pa.ListArray) -> None:
        self._cells, self.rows = cells, len(cells)
        self._taken: dict[int, pa.Array] = {}

    @classmethod
    def of(cls, columns: dict[int, pa.Array]) -> _Columns:
        """These columns alone, by place."""
        made = cls(next(iter(columns.values())))
        made._taken = columns
        return made

    def __getitem__(self, place: int) -> pa.Array:
        if place not in self._taken:
            self._taken[place] = pc.list_element(self._cells, place)
        return self._taken[place]

    def combinations(self, places: Sequence[int]) -> tuple[Places, Places]:
        return distinct(codes(self[place]) for place in places)

    def rows_at(self, first: Places, places: Sequence[int]) -> list[dict[int, str | None]]:
        """The cells of some rows by place, these places only."""
        texts = [self[place].take(pa.array(first)).to_pylist() for place in places]
        return [dict(zip(places, row, strict=True)) for row in zip(*texts, strict=True)]

    def ask(self, places: Sequence[int], read: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
        """What `read` makes of the cells at these places, asked once for each combination."""
        first, which = self.combinations(places)
        return pa.array([read(cells) for cells in self.rows_at(first, places)], kind).take(pa.array(which))


def _beside_arrays(found: Sequence[tuple[dict[str, str], list[str]]]) -> tuple[pa.Array, pa.Array]:
    return (
        pa.array([list(amounts.items()) or None for amounts, _ in found], AMOUNTS),
        pa.array([oddities or None for _, oddities in found], ODDITIES),
    )
