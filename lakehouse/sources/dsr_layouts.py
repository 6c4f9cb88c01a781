"""Record layouts of DDEX DSR flat files, and the cutting of a line into the columns of its layout.

The layouts are data, in conf/dsr. Standard: DDEX "Digital Sales Report Message Suite", part 8, record type definitions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lakehouse.errors import Misuse
from lakehouse.model.plain_yaml import read_yaml

# A value of a repeated cell ends at a pipe that no backslash escapes.
_VALUE_END = re.compile(r"(?<!\\)\|")
_HINT = "See conf/dsr/records.yaml for its shape."


class Column(NamedTuple):
    """One column of a record. A repeated one holds several values, parted by pipes."""

    name: str
    optional: bool
    repeats: bool


@dataclass(frozen=True)
class Layouts:
    """The records of some profiles. `records` is record type and version: columns; `usages` and `returns` are the columns that
    count, the first that is filled; `configurations` is UseType: what it is for a usage line."""

    records: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
    usages: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    configurations: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Record type: the names of its columns."""
        return {kind: tuple(column.name for column in columns) for kind, columns in self.records.items()}

    @cached_property
    def needed(self) -> dict[str, tuple[int, ...]]:
        """Record type: the places of the columns that may not be empty."""
        return {
            kind: tuple(place for place, column in enumerate(columns) if not column.optional)
            for kind, columns in self.records.items()
        }

    def configuration(self, use_type: str | None) -> str:
        return self.configurations.get((use_type or "").lower(), "other")


def load_layouts(path: Path, profiles: tuple[str, ...]) -> Layouts:
    """The layouts of all versions of the profiles, from a document in conf/dsr. Raises Misuse where it cannot be read or has no
    such profile."""
    try:
        document: dict[str, Any] = read_yaml(path.read_text(encoding="utf-8"))
        kinds = {kind for name in profiles for version in document["profiles"][name].values() for kind in version.split()}
        return Layouts(
            {kind: tuple(map(_column, str(document["records"][kind]).split())) for kind in sorted(kinds)},
            tuple(document["usages"].split()),
            tuple(document["returns"].split()),
            {use.lower(): kind for kind, uses in document["use_types"].items() for use in uses.split()},
        )
    except (OSError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise Misuse(f"{path}: the record layouts of {', '.join(profiles)} cannot be read ({error}). {_HINT}") from None


def _column(marked: str) -> Column:
    return Column(marked.rstrip("?*"), "?" in marked, "*" in marked)


def parse_row(text: str, layouts: Layouts) -> dict[str, str] | str:
    """The cells of a record by column name, or what is wrong with it. Trailing optional cells may be left out."""
    cells = text.split("\t")
    columns = layouts.records.get(cells[0])
    if columns is None:
        return f"record type {cells[0][:20]!r} has no layout in this dialect"
    while len(cells) > len(columns) and not cells[-1]:
        cells.pop()
    if len(cells) > len(columns):
        return f"a {cells[0]} record has {len(cells)} cells where its layout has {len(columns)}"
    cells += [""] * (len(columns) - len(cells))
    for place in layouts.needed[cells[0]]:
        if not cells[place]:
            return f"a {cells[0]} record has no {columns[place].name}"
    if r"\|" in text:
        # A repeated column keeps its text, whose pipes part values; elsewhere \| is a literal pipe.
        cells = [cell if column.repeats else cell.replace(r"\|", "|") for column, cell in zip(columns, cells, strict=True)]
    return dict(zip(layouts.names[cells[0]], cells, strict=True))


def values_of(cell: str | None) -> list[str]:
    """The values of a repeated cell; none where it is blank."""
    return [value.replace(r"\|", "|") for value in _VALUE_END.split(cell)] if cell else []
