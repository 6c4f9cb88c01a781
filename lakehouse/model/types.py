"""The column types a table may have, as a tree: what the content root, Arrow, DuckDB and Spark are all derived from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)$")
SCALARS = ("string", "boolean", "int", "bigint", "double", "date", "timestamp")


@dataclass(frozen=True)
class ColumnType:
    """`kind` is a scalar's name, ``decimal``, ``array``, ``struct`` or ``map``. `parts` are a struct's (name, type)
    pairs, an array's one ("element", type), or a map's ("key", type) and ("value", type)."""

    kind: str
    precision: int = 0
    scale: int = 0
    parts: tuple[tuple[str, ColumnType], ...] = ()

    @property
    def element(self) -> ColumnType:
        """The type of an array's elements."""
        return self.parts[0][1]


@lru_cache
def parse_type(text: str) -> ColumnType:
    """The tree of a declared type, such as ``array<struct<stage:string,amount:decimal(38,18)>>``. Raises ValueError."""
    if text in SCALARS:
        return ColumnType(text)
    if found := _DECIMAL.match(text):
        return ColumnType("decimal", int(found.group(1)), int(found.group(2)))
    kind, _, rest = text.partition("<")
    if not rest.endswith(">"):
        raise ValueError(f"type {text!r} is not one a table may have")
    inner = _split(rest[:-1])
    if kind == "array" and len(inner) == 1:
        return ColumnType("array", parts=(("element", parse_type(inner[0])),))
    if kind == "map" and len(inner) == 2:
        return ColumnType("map", parts=(("key", parse_type(inner[0])), ("value", parse_type(inner[1]))))
    if kind == "struct":
        pairs = (member.partition(":") for member in inner)
        return ColumnType("struct", parts=tuple((name, parse_type(of)) for name, _, of in pairs))
    raise ValueError(f"type {text!r} is not one a table may have")


def _split(text: str) -> list[str]:
    """`text` cut at its commas, leaving those inside brackets."""
    members, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            members.append(text[start:position])
            start = position + 1
    return [*members, text[start:]]
