"""Content root v1 in plain Python: the reference that Spark and DuckDB are held equal to.

The rule, with test vectors, is docs/reference/content-root.md; the tree is that of RFC 9162, section 2.1.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import groupby
from typing import Any, Protocol

from lakehouse.model.types import ColumnType, parse_type

NULL = "N"
EMPTY_ROOT = hashlib.sha256(b"").hexdigest()
# The currency under which totals of a table without a currency column are given: ISO 4217 for "no currency".
NO_CURRENCY = "XXX"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RootedField(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...


class RootedTable(Protocol):
    """What a root needs of a table's declaration."""

    @property
    def name(self) -> str: ...
    @property
    def rooted_fields(self) -> Sequence[RootedField]: ...
    @property
    def schema_id(self) -> str: ...


@dataclass(frozen=True)
class Root:
    """The content root of a set of rows, with what stands beside it. `totals` is {decimal column: {currency: sum}},
    sums in plain notation at the column's scale, NULLs left out."""

    schema_id: str
    rows: int
    root: str
    totals: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def plain(value: Decimal, scale: int) -> str:
    """`value` in plain notation with exactly `scale` decimals, zero without a sign. Raises ValueError if digits would be lost."""
    text = f"{value if value else Decimal(0):.{scale}f}"
    if not value.is_finite() or Decimal(text) != value:
        raise ValueError(f"{value} has more than {scale} decimals: it cannot be written without losing digits")
    return text


def row_text(table: RootedTable, row: Mapping[str, Any]) -> str:
    """The text of one row: a line ``name/type:item`` for each rooted column in declared order.

    `row` holds str, bool, int, Decimal, date, datetime (aware; naive means UTC), lists, and mappings for structs and maps.
    """
    return "".join(f"{f.name}/{f.type}:{_item(parse_type(f.type), row[f.name])}\n" for f in table.rooted_fields)


def _item(type_: ColumnType, value: Any) -> str:
    """``N`` for NULL, else ``octets:text``; octets are those of the text in UTF-8."""
    if value is None:
        return NULL
    text = _text(type_, value)
    return f"{len(text.encode())}:{text}"


def _text(type_: ColumnType, value: Any) -> str:
    match type_.kind:
        case "string":
            return str(value)
        case "boolean":
            return "true" if value else "false"
        case "int" | "bigint":
            return str(int(value))
        case "decimal":
            return plain(value, type_.scale)
        case "date":
            return date.isoformat(value)
        case "timestamp":
            return str((_utc(value) - _EPOCH) // timedelta(microseconds=1))
        case "array":
            return "".join(_item(type_.element, element) for element in value)
        case "struct":
            return "".join(_item(part, value[name]) for name, part in type_.parts)
        case "map":
            (_, key), (_, of) = type_.parts
            pairs = sorted(dict(value).items(), key=lambda pair: pair[0].encode())
            return "".join(_item(key, name) + _item(of, held) for name, held in pairs)
    raise ValueError(f"a {type_.kind} cannot be part of a content root")


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


def leaf_of(text: str) -> bytes:
    """SHA-256(0x00 || text): the leaf of a row text, or of a line of a period's root."""
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def leaf(table: RootedTable, row: Mapping[str, Any]) -> bytes:
    """The 32-byte leaf of one row."""
    return leaf_of(row_text(table, row))


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The RFC 9162 tree head over leaf hashes in their given order; SHA-256 of nothing for none.

    Pairing level by level and carrying an odd last node up gives the tree of the RFC, which splits at the largest power of two.
    """
    level = list(leaves)
    if not level:
        return hashlib.sha256(b"").digest()
    sha256 = hashlib.sha256
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs if len(level) % 2 == 0 else [*pairs, level[-1]]
    return level[0]


def bucket_head(leaves: Iterable[bytes]) -> bytes:
    """The tree head of one bucket: its leaves sorted by their bytes, duplicates kept."""
    return merkle_root(sorted(leaves))


def buckets_root(heads: Mapping[int, bytes]) -> str:
    """The root over the heads of the buckets that are not empty, in order of their byte, as 64 hexadecimal digits."""
    return merkle_root([hashlib.sha256(b"\x00" + bytes([bucket]) + heads[bucket]).digest() for bucket in sorted(heads)]).hex()


def content_root(leaves: Iterable[bytes]) -> str:
    """Content root v1 of a set of leaves, in any order, as 64 hexadecimal digits."""
    ordered = sorted(leaves)
    return buckets_root({bucket: merkle_root(list(members)) for bucket, members in groupby(ordered, key=lambda found: found[0])})


def period_root(roots: Mapping[str, Root]) -> str:
    """The root of a period over {table name: root of its rows of the period}: RFC 9162 over the sorted lines
    ``table/schema_id:rows:root``."""
    lines = sorted(f"{name}/{root.schema_id}:{root.rows}:{root.root}" for name, root in roots.items())
    return merkle_root([leaf_of(line) for line in lines]).hex()
