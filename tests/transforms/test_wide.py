"""Amounts cut a column at a time are cut as one by one: `money.Cut` says what is right. No JVM."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.model.money import Cut, from_units
from lakehouse.transforms.wide import LIMIT, cut, read, write

UNITS = pa.decimal128(38, 18)
TOP = 10**38 - 1
sizes = st.one_of(
    st.integers(-1000, 1000),
    st.integers(-(2**70), 2**70),
    st.integers(-TOP, TOP),
    st.sampled_from([0, 2**32, 2**64 - 1, 2**64, 2**96, TOP, -TOP]),
)


@st.composite
def shares(draw: st.DrawFn) -> dict[str, Fraction]:
    """Up to six shares of a whole, some of them nothing, under keys in any order."""
    weights = draw(
        st.lists(st.integers(0, draw(st.sampled_from([3, 100, 10**6, (LIMIT - 1) // 6]))), min_size=1, max_size=6).filter(any)
    )
    keys = draw(st.permutations("abcdef"))
    return {key: Fraction(weight, sum(weights)) for key, weight in zip(keys, weights, strict=False)}


@given(st.lists(sizes, min_size=1, max_size=20), st.lists(shares(), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_every_amount_of_a_column_is_cut_as_it_is_alone(units: list[int], several: list[dict[str, Fraction]]) -> None:
    """Rows with other figures stand in one column, as long as they have as many parts in the same order of keys."""
    keys = list(several[0])
    alike = [one for one in several if list(one) == keys]
    cuts = [Cut(alike[row % len(alike)]) for row in range(len(units))]
    column, negative = read(pa.array([from_units(unit) for unit in units], UNITS))
    whole = np.array([one.whole for one in cuts], np.uint64)
    parts = [np.array([one.parts[place] for one in cuts], np.uint64) for place in range(len(keys))]
    found = [write(part, negative, UNITS).to_pylist() for part in cut(column, parts, whole, cuts[0].order)]
    for row, unit in enumerate(units):
        assert [part[row] for part in found] == [from_units(size) for size in cuts[row].of(unit)]


def test_a_part_of_a_column_is_read_where_it_stands() -> None:
    column = pa.array([Decimal(1), Decimal(-2), Decimal("0.000000000000000003")], UNITS).slice(1)
    found, negative = read(column)
    assert write(found, negative, UNITS).to_pylist() == column.to_pylist()
    assert negative.tolist() == [True, False]
