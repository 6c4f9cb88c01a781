"""Rows read by column are the rows read one at a time, whatever stands in their cells."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.usage import FIELDS
from lakehouse.sources.beside import beside_reader
from lakehouse.sources.columns import AMOUNTS, ODDITIES, REASONS, ColumnReader
from lakehouse.sources.dialect import REPORT_PERIOD, Dialect
from lakehouse.sources.mapping import RowReader
from tests.sources.test_formats import EXPECTATIONS, name_of, recognised_as_expected, records_of

CELL = st.sampled_from(
    ["", " ", "0", "-0", "-1.50", "1.5", "00.5", "1,234.50", "1e-3", "(2.00)", "0." + "123456789" * 4, "=\"008\"", "N/A", "DE", "2026-05",
     "Return", "Payout", "nan", "\u00a07 ", "Ünï", "x'y", "2026-02-30", "85%"]
)  # fmt: skip


@cache
def sample(path: Path) -> tuple[Dialect, dict[str, str], list[list[str | None]]]:
    """The dialect as it reads the sample, what was captured from it, and the cells of its rows."""
    _, recognition = recognised_as_expected(path)
    assert recognition.dialect
    rows = [record.cells for record in records_of(recognition) if record.kind == "data" and record.cells is not None]
    return recognition.dialect.under(recognition.variant), {**recognition.captured, REPORT_PERIOD: "2026-05"}, rows


def assert_read_alike(dialect: Dialect, captured: dict[str, str], rows: list[list[str | None]]) -> None:
    cells = pa.array(rows, pa.list_(pa.string()))
    by_column = ColumnReader(dialect)
    assert by_column.fits(cells).to_pylist() == [True] * len(rows)
    found = by_column.read(cells, captured)
    one_by_one = [RowReader(dialect).read(row, captured, None) for row in rows]
    assert {name: column.to_pylist() for name, column in zip(FIELDS, found.fields, strict=True)} == {
        name: [fields[place] for fields, _ in one_by_one] for place, name in enumerate(FIELDS)
    }
    beside = beside_reader(dialect)
    expected: list[tuple[Any, Any]] = [beside(row) if beside else ({}, []) for row in rows]
    assert found.faults == pa.array([[reason._asdict() for reason in faults] for _, faults in one_by_one], REASONS)
    assert found.amounts == pa.array([list(amounts.items()) or None for amounts, _ in expected], AMOUNTS)
    assert found.oddities == pa.array([odd or None for _, odd in expected], ODDITIES)
    again = by_column.read_one_by_one(cells, pa.nulls(len(rows), pa.string()), captured)
    assert again == found


@pytest.mark.parametrize("path", EXPECTATIONS, ids=name_of)
def test_a_sample_reads_by_column_as_row_by_row(path: Path) -> None:
    dialect, captured, rows = sample(path)
    assert_read_alike(dialect, captured, rows)


@given(st.data())
def test_damaged_rows_read_by_column_as_row_by_row(data: st.DataObject) -> None:
    dialect, captured, rows = sample(data.draw(st.sampled_from(EXPECTATIONS)))
    row = st.sampled_from(rows).flatmap(lambda cells: st.tuples(*(st.one_of(st.just(cell), CELL) for cell in cells)).map(list))
    assert_read_alike(dialect, captured, data.draw(st.lists(row, min_size=1, max_size=12)))


def test_rows_that_could_not_be_cut_say_why() -> None:
    dialect, captured, rows = sample(EXPECTATIONS[0])
    cells = pa.array([rows[0], None, rows[0][:-1]], pa.list_(pa.string()))
    reader = ColumnReader(dialect)
    assert reader.fits(cells).to_pylist() == [True, False, False]
    read = reader.read_one_by_one(cells.slice(1, 1), pa.array(["half a quote"]), captured)
    assert [fault["message"] for fault in read.faults.to_pylist()[0]] == ["half a quote"]
    assert read.fields[list(FIELDS).index("meaning")].to_pylist() == ["generation"]
