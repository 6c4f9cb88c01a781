"""What is expected of a table is what its declaration says, and all of it."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.checks.expectations import Expected, expectations_of
from lakehouse.tables import ALL, Field, Table


def one(**field: Any) -> list[Expected]:
    """The expectations of a table's second column, beside those of the whole table and of its key."""
    fields = (Field("k", "string", "Key"), Field(**{"name": "c", "type": "string", "doc": "Column", **field}))
    return [e for e in expectations_of(Table(name="a.b", doc="", grain=("k",), fields=fields)) if e.columns == ("c",)]


def test_a_declaration_becomes_expectations() -> None:
    assert one() == []
    assert one(required=True) == [Expected("ExpectColumnValuesToNotBeNull", "fail", {"column": "c"})]
    assert one(mostly=90) == [Expected("ExpectColumnValuesToNotBeNull", "warn", {"column": "c", "mostly": 0.9})]
    assert one(one_of=("x", "y")) == [Expected("ExpectColumnValuesToBeInSet", "fail", {"column": "c", "value_set": ["x", "y"]})]
    assert one(check="c RLIKE '^a$'") == [Expected("ExpectColumnValuesToMatchRegex", "fail", {"column": "c", "regex": "^a$"})]
    assert one(check="length(c) = 32") == [Expected("ExpectColumnValueLengthsToEqual", "fail", {"column": "c", "value": 32})]
    bounds = {"column": "c", "min_value": 0, "strict_min": True}
    assert one(type="bigint", check="c > 0") == [Expected("ExpectColumnValuesToBeBetween", "fail", bounds)]


def test_a_condition_that_no_expectation_says_is_named() -> None:
    with pytest.raises(ValueError, match=r"a\.b\.c: no expectation is known for the condition 'c != 1'"):
        one(check="c != 1")
    with pytest.raises(ValueError, match="no expectation is known"):
        one(check="k > 0")


def test_every_table_has_its_columns_its_grain_and_a_name_for_each_expectation() -> None:
    for table in ALL:
        expected = expectations_of(table)
        assert expected[0].arguments["column_set"] == list(table.columns)
        assert expected[1].columns == table.grain
        conditions = sum(1 for f in table.fields if f.condition)
        required = sum(1 for f in table.fields if f.required or f.mostly)
        assert len(expected) == 2 + conditions + required, table.name
        assert len({(e.kind, e.columns) for e in expected}) == len(expected), table.name
