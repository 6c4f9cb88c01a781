"""What Great Expectations is to expect of a table: derived from its declaration, and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lakehouse.tables import Field, Table

FAIL, WARN = "fail", "warn"
# The shapes in which the declarations write their conditions, each with its expectation and how its arguments are read.
_SHAPES: tuple[tuple[re.Pattern[str], str, Callable[[Any], dict[str, Any]]], ...] = (
    (re.compile(r"(\w+) RLIKE '(.*)'"), "ExpectColumnValuesToMatchRegex", lambda found: {"regex": found[2]}),
    (re.compile(r"length\((\w+)\) = (\d+)"), "ExpectColumnValueLengthsToEqual", lambda found: {"value": int(found[2])}),
    (
        re.compile(r"(\w+) > (-?\d+)"),
        "ExpectColumnValuesToBeBetween",
        lambda found: {"min_value": int(found[2]), "strict_min": True},
    ),
    (
        re.compile(r"(\w+) BETWEEN (-?\d+) AND (-?\d+)"),
        "ExpectColumnValuesToBeBetween",
        lambda found: {"min_value": int(found[2]), "max_value": int(found[3])},
    ),
)


@dataclass(frozen=True)
class Expected:
    """One expectation: its class in Great Expectations, its arguments, and whether breaking it is a failure or a warning."""

    kind: str
    severity: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is about; none where it is about the whole table."""
        return tuple(self.arguments.get("column_list", [self.arguments["column"]] if "column" in self.arguments else []))


def expectations_of(table: Table) -> list[Expected]:
    """Columns, grain, required values, conditions and usual completeness. Raises ValueError for a condition of unknown shape."""
    columns = Expected("ExpectTableColumnsToMatchSet", FAIL, {"column_set": list(table.columns), "exact_match": True})
    grain: dict[str, Any] = {"column_list": list(table.grain)}
    unique = Expected("ExpectCompoundColumnsToBeUnique", FAIL, grain)
    if len(table.grain) == 1:
        unique = Expected("ExpectColumnValuesToBeUnique", FAIL, {"column": table.grain[0]})
    return [columns, unique, *(expected for column in table.fields for expected in _of_column(table, column))]


def _of_column(table: Table, column: Field) -> Iterator[Expected]:
    name = {"column": column.name}
    if column.required:
        yield Expected("ExpectColumnValuesToNotBeNull", FAIL, name)
    elif column.mostly:
        yield Expected("ExpectColumnValuesToNotBeNull", WARN, {**name, "mostly": column.mostly / 100})
    if column.one_of:
        yield Expected("ExpectColumnValuesToBeInSet", FAIL, {**name, "value_set": list(column.one_of)})
    elif column.check:
        yield _condition(table, column.name, column.check)


def _condition(table: Table, name: str, check: str) -> Expected:
    for shape, kind, arguments in _SHAPES:
        found = shape.fullmatch(check)
        if found and found[1] == name:
            return Expected(kind, FAIL, {"column": name, **arguments(found)})
    raise ValueError(f"{table.name}.{name}: no expectation is known for the condition {check!r}: add its shape in {__name__}")
