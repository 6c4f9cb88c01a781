"""Content root v1 in DuckDB: the row text of a declared table as SQL, and the roots of any grouping of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lakehouse.model.content_root import EMPTY_ROOT, NO_CURRENCY, NULL, Root, buckets_root, merkle_root, plain
from lakehouse.model.types import ColumnType, parse_type
from lakehouse.tables.declare import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def row_texts(relation: str, table: Table, beside: tuple[str, ...] = ()) -> str:
    """A query that gives the row text of each row of `relation` as `row_text`, with the columns `beside` it."""
    fields = [(f.name, f"t{number}", parse_type(f.type), f.type) for number, f in enumerate(table.rooted_fields)]
    # The texts are columns of a query of their own, so that none is computed twice: once for its length, once for itself.
    texts = ", ".join(f"{_text(_quoted(name), type_, 0)} AS {text}" for name, text, type_, _ in fields)
    # One concat of everything: a chain of || would copy the text once for each column.
    row = ", ".join(f"'{name}/{declared}:', {_item(text)}, chr(10)" for name, text, _, declared in fields)
    columns = "".join(f"{_quoted(name)}, " for name in beside)
    return f"SELECT {columns}concat({row}) AS row_text FROM (SELECT {columns}{texts} FROM {relation})"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _item(text: str) -> str:
    """``N`` where the text is NULL, else ``octets:text``."""
    return f"coalesce(strlen({text}) || ':' || {text}, '{NULL}')"


def _items(texts: str, depth: int) -> str:
    """The items of a list of texts, one after the other. `depth` keeps the variables of nested lambdas apart."""
    each = f"t{depth}"
    return f"coalesce(array_to_string(list_transform({texts}, lambda {each}: {_item(each)}), ''), '')"


def _text(value: str, type_: ColumnType, depth: int) -> str:
    """The text of an expression, NULL exactly where the expression is."""
    each = f"e{depth}"
    match type_.kind:
        case "string":
            return value
        case "decimal":
            return f"CAST({value} AS DECIMAL({type_.precision},{type_.scale}))::VARCHAR"
        case "timestamp":
            return f"epoch_us({value})::VARCHAR"
        case "array":
            texts = f"list_transform({value}, lambda {each}: {_text(each, type_.element, depth + 1)})"
            return _unless_null(value, _items(texts, depth))
        case "struct":
            members = ", ".join(_item(_text(f"{value}.{_quoted(name)}", part, depth)) for name, part in type_.parts)
            return _unless_null(value, f"concat({members})")
        case "map":
            (_, key), (_, held) = type_.parts
            entry = f"[{_text(each, key, depth + 1)}, {_text(f'{value}[{each}]', held, depth + 1)}]"
            texts = f"flatten(list_transform(list_sort(map_keys({value})), lambda {each}: {entry}))"
            return _unless_null(value, _items(texts, depth))
    return f"{value}::VARCHAR"


def _unless_null(value: str, text: str) -> str:
    return f"CASE WHEN {value} IS NOT NULL THEN {text} END"


@contextmanager
def leaves(connection: DuckDBPyConnection, relation: str, table: Table, beside: tuple[str, ...] = ()) -> Iterator[str]:
    """The name of a table of the leaves of `relation`, as `leaf` with the columns `beside` it, for several roots over them."""
    columns = "".join(f"{_quoted(name)}, " for name in beside)
    query = f"SELECT {columns}sha256(chr(0) || row_text) AS leaf FROM ({row_texts(relation, table, beside)})"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE leaves AS {query}")
    try:
        yield "leaves"
    finally:
        connection.execute("DROP TABLE leaves")


def roots_by(connection: DuckDBPyConnection, leaf_table: str, by: tuple[str, ...] = ()) -> dict[tuple[str, ...], tuple[int, str]]:
    """{values of `by`: (rows, root)} over a table of leaves. DuckDB sorts the leaves of each bucket; Python hashes the trees."""
    keys = "".join(f"{_quoted(column)}, " for column in by)
    query = f"SELECT {keys}leaf[1:2] AS bucket, string_agg(leaf, '' ORDER BY leaf) AS leaves FROM {leaf_table} GROUP BY ALL"
    heads: dict[tuple[str, ...], dict[int, bytes]] = {}
    rows: dict[tuple[str, ...], int] = {}
    for *group, bucket, joined in connection.execute(query).fetchall():
        members = _cut(joined)
        key = tuple(group)
        heads.setdefault(key, {})[int(bucket, 16)] = merkle_root(members)
        rows[key] = rows.get(key, 0) + len(members)
    return {key: (rows[key], buckets_root(found)) for key, found in heads.items()}


def root_of(connection: DuckDBPyConnection, leaf_table: str, relation: str, table: Table) -> Root:
    """The content root over a table of the leaves of `relation`, with the money totals of `relation`."""
    rows, root = roots_by(connection, leaf_table).get((), (0, EMPTY_ROOT))
    return Root(table.schema_id, rows, root, totals(connection, relation, table))


def table_root(connection: DuckDBPyConnection, relation: str, table: Table) -> Root:
    """The content root of all rows of `relation`, with their number and money totals."""
    with leaves(connection, relation, table) as leaf_table:
        return root_of(connection, leaf_table, relation, table)


def totals(connection: DuckDBPyConnection, relation: str, table: Table) -> dict[str, dict[str, str]]:
    """{decimal column: {currency: sum}} over the rows of `relation`."""
    scales = {f.name: parse_type(f.type).scale for f in table.rooted_fields if parse_type(f.type).kind == "decimal"}
    if not scales:
        return {}
    currency = "currency" if "currency" in table.columns else f"'{NO_CURRENCY}'"
    sums = ", ".join(f"sum({_quoted(name)})" for name in scales)
    rows = connection.execute(f"SELECT {currency}, {sums} FROM {relation} GROUP BY 1 ORDER BY 1").fetchall()
    return {
        name: {row[0]: plain(row[position], scale) for row in rows if row[position] is not None}
        for position, (name, scale) in enumerate(scales.items(), start=1)
    }


def _cut(joined: str) -> list[bytes]:
    octets = bytes.fromhex(joined)
    return [octets[start : start + 32] for start in range(0, len(octets), 32)]
