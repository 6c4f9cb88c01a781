"""Content root v1 in DuckDB: the row text of a declared table as SQL, and the roots of any grouping of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.model.content_root import EMPTY_ROOT, NO_CURRENCY, NULL, Root, buckets_root, merkle_root, plain
from lakehouse.model.types import ColumnType, parse_type
from lakehouse.tables.declare import Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def row_text_sql(table: Table) -> str:
    """A DuckDB expression over the columns of `table` that gives the row text."""
    return " || ".join(
        f"'{f.name}/{f.type}:' || {_item(_quoted(f.name), parse_type(f.type), 0)} || chr(10)" for f in table.rooted_fields
    )


def leaf_sql(table: Table) -> str:
    """A DuckDB expression for the leaf, as 64 hexadecimal digits."""
    return f"sha256('\\x00'::BLOB || encode({row_text_sql(table)}))"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _item(column: str, type_: ColumnType, depth: int) -> str:
    text = _text(column, type_, depth)
    return f"(CASE WHEN {column} IS NULL THEN '{NULL}' ELSE strlen({text}) || ':' || {text} END)"


def _text(column: str, type_: ColumnType, depth: int) -> str:
    """`depth` numbers the lambda variables, so that nested ones do not shadow each other."""
    each = f"e{depth}"
    match type_.kind:
        case "string":
            return column
        case "decimal":
            return f"CAST({column} AS DECIMAL({type_.precision},{type_.scale}))::VARCHAR"
        case "timestamp":
            return f"epoch_us({column})::VARCHAR"
        case "array":
            items = f"list_transform({column}, lambda {each}: {_item(each, type_.element, depth + 1)})"
            return f"coalesce(array_to_string({items}, ''), '')"
        case "struct":
            return "(" + " || ".join(_item(f"{column}.{_quoted(name)}", part, depth) for name, part in type_.parts) + ")"
        case "map":
            (_, key), (_, held) = type_.parts
            entry = f"{_item(each, key, depth + 1)} || {_item(f'{column}[{each}]', held, depth + 1)}"
            return f"coalesce(array_to_string(list_transform(list_sort(map_keys({column})), lambda {each}: {entry}), ''), '')"
    return f"{column}::VARCHAR"


def partition_roots(
    connection: DuckDBPyConnection, relation: str, table: Table, by: tuple[str, ...]
) -> dict[tuple[str, ...], tuple[int, str]]:
    """{values of `by`: (rows, root)} over the rows of `relation`, a view or subquery known to `connection`."""
    found = _bucket_heads(connection, relation, table, by)
    return {group: (rows, buckets_root(heads)) for group, (rows, heads) in found.items()}


def table_root(connection: DuckDBPyConnection, relation: str, table: Table) -> Root:
    """The content root of all rows of `relation`, with their number and money totals."""
    rows, root = partition_roots(connection, relation, table, ()).get((), (0, EMPTY_ROOT))
    return Root(table.schema_id, rows, root, totals(connection, relation, table))


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


def _bucket_heads(
    connection: DuckDBPyConnection, relation: str, table: Table, by: tuple[str, ...]
) -> dict[tuple[str, ...], tuple[int, dict[int, bytes]]]:
    """{group: (rows, {bucket: head})}. DuckDB sorts the leaves of each bucket; Python hashes the trees."""
    keys = "".join(f"{column}, " for column in by)
    query = f"""
        SELECT {keys}leaf[1:2] AS bucket, count(*) AS rows, string_agg(leaf, '' ORDER BY leaf) AS leaves
        FROM (SELECT {keys}{leaf_sql(table)} AS leaf FROM {relation}) GROUP BY ALL
    """
    found: dict[tuple[str, ...], tuple[int, dict[int, bytes]]] = {}
    for *group, bucket, rows, joined in connection.execute(query).fetchall():
        before, heads = found.get(tuple(group), (0, {}))
        heads[int(bucket, 16)] = merkle_root(_cut(joined))
        found[tuple(group)] = (before + rows, heads)
    return found


def _cut(joined: str) -> list[bytes]:
    octets = bytes.fromhex(joined)
    return [octets[start : start + 32] for start in range(0, len(octets), 32)]
