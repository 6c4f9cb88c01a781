"""Content root v1 in Spark: row text and leaf as native expressions, the trees in an Arrow UDF per bucket of leaves.

The rule is docs/reference/content-root.md; the plain-Python reference is lakehouse/model/content_root.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.errors import Misuse
from lakehouse.model.content_root import EMPTY_ROOT, NO_CURRENCY, NULL, Root, bucket_head, buckets_root, plain
from lakehouse.model.types import ColumnType, parse_type
from lakehouse.tables.declare import Table

LEAF = "leaf"
# Amounts of every scale are summed as this; a sum that does not fit is an error.
WIDEST = "decimal(38,18)"
_NESTED = ("array", "struct", "map")


def leaves(df: DataFrame, table: Table) -> DataFrame:
    """`df` with a binary column `leaf`, SHA-256(0x00 || row text). Raises Misuse where Spark would not write decimals plainly."""
    if df.sparkSession.conf.get("spark.sql.ansi.enabled") != "true":
        raise Misuse("Content roots need spark.sql.ansi.enabled=true: otherwise Spark writes small decimals as 0E-18.")
    cells = [(f"{f.name}/{f.type}:", _item(F.col(f.name), parse_type(f.type))) for f in table.rooted_fields]
    text = F.concat(*(part for name, item in cells for part in (F.lit(name), item, F.lit("\n"))))
    return df.withColumn(LEAF, F.unhex(F.sha2(F.concat(F.unhex(F.lit("00")), F.encode(text, "UTF-8")), 256)))


def _item(column: Column, type_: ColumnType) -> Column:
    """``N`` for NULL, else ``octets:text``."""
    text = _text(column, type_)
    told = _once(text) if type_.kind in _NESTED else _counted(text)
    return F.when(column.isNull(), F.lit(NULL)).otherwise(told)


def _counted(text: Column) -> Column:
    return F.concat(F.octet_length(text).cast("string"), F.lit(":"), text)


def _once(text: Column) -> Column:
    """The same of a text that is dear to make: named, it is made once and not for its length as well, level by level twice as often."""
    return F.get(F.transform(F.array(text), _counted), F.lit(0))


def _text(column: Column, type_: ColumnType) -> Column:
    match type_.kind:
        case "decimal":
            return column.cast(f"decimal({type_.precision},{type_.scale})").cast("string")
        case "timestamp":
            return F.unix_micros(column).cast("string")
        case "array":
            return F.concat_ws("", F.transform(column, _item_of(type_.element)))
        case "struct":
            return F.concat(*(_part(column.getField(name), part) for name, part in type_.parts))
        case "map":
            (_, key), (_, held) = type_.parts
            return F.concat_ws(
                "",
                F.transform(
                    F.array_sort(F.map_keys(column)),
                    lambda name: F.concat(_item(name, key), _item(F.element_at(column, name), held)),
                ),
            )
    return column.cast("string")


def _part(column: Column, type_: ColumnType) -> Column:
    """`_item` of a field of a struct: to get one is most of the work, so it is got once."""
    if type_.kind in _NESTED:
        return _item(column, type_)
    return F.coalesce(_once(_text(column, type_)), F.lit(NULL))


def _item_of(type_: ColumnType) -> Callable[[Column], Column]:
    return lambda element: _item(element, type_)


def partition_roots(df: DataFrame, table: Table, by: tuple[str, ...]) -> DataFrame:
    """The content root of each logical partition: columns `by`, `rows` (bigint) and `root` (64 hexadecimal digits).

    Leaves meet in buckets of their first byte: no task holds more than the buckets it hashes, and none reach the driver.
    """
    heads = (
        leaves(df, table)
        .groupBy(*by, F.substring(LEAF, 1, 1).alias("bucket"))
        .agg(F.count(F.lit(1)).alias("rows"), _head_of(F.collect_list(LEAF)).alias("head"))
    )
    return heads.groupBy(*by).agg(
        F.sum("rows").alias("rows"), _root_of(F.collect_list(F.struct("bucket", "head"))).alias("root")
    )  # fmt: skip


def table_root(df: DataFrame, table: Table) -> Root:
    """The content root of all rows of `df`, with their number and the sums of their decimal columns by currency."""
    return table_roots({table.name: table}, {table.name: df})[table.name]


def table_roots(tables: Mapping[str, Table], rows: Mapping[str, DataFrame]) -> dict[str, Root]:
    """The content root of each table's rows, by name. One pass over all of them: most of the work on a small lake is planning."""
    of = [(name, table, rows[name]) for name, table in tables.items()]
    found = reduce(DataFrame.unionAll, (leaves(df, table).select(F.lit(name).alias("table"), LEAF) for name, table, df in of))
    heads: dict[str, dict[int, bytes]] = {name: {} for name in tables}
    counts = dict.fromkeys(tables, 0)
    buckets = found.groupBy("table", F.substring(LEAF, 1, 1).alias("bucket"))
    for row in buckets.agg(F.count(F.lit(1)).alias("rows"), _head_of(F.collect_list(LEAF)).alias("head")).collect():
        heads[row.table][row.bucket[0]] = bytes(row.head)
        counts[row.table] += row.rows
    totals = _totals(of)
    return {
        name: Root(table.schema_id, counts[name], buckets_root(heads[name]) if heads[name] else EMPTY_ROOT, totals[name])
        for name, table, _ in of
    }


def _totals(of: Sequence[tuple[str, Table, DataFrame]]) -> dict[str, dict[str, dict[str, str]]]:
    """For each table and decimal column the sums by currency, written with the column's scale."""
    scales = {
        (name, f.name): type_.scale for name, table, _ in of for f in table.rooted_fields if (type_ := parse_type(f.type)).kind == "decimal"
    }  # fmt: skip
    totals: dict[str, dict[str, dict[str, str]]] = {name: {} for name, _, _ in of}
    for name, column in scales:
        totals[name][column] = {}
    amounts = [_amounts(name, table, df, [c for n, c in scales if n == name]) for name, table, df in of if totals[name]]
    if not amounts:
        return totals
    sums = reduce(DataFrame.unionAll, amounts).groupBy("table", "in_currency", "column").agg(F.sum("amount").alias("amount"))
    for row in sums.where("amount IS NOT NULL").orderBy("in_currency").collect():
        totals[row.table][row.column][row.in_currency] = plain(row.amount, scales[row.table, row.column])
    return totals


def _amounts(name: str, table: Table, df: DataFrame, columns: Sequence[str]) -> DataFrame:
    """A row for each amount: table, in_currency, column, amount."""
    currency = F.col("currency") if "currency" in table.columns else F.lit(NO_CURRENCY)
    each = F.array(*(F.struct(F.lit(c).alias("column"), F.col(c).cast(WIDEST).alias("amount")) for c in columns))
    return df.select(F.lit(name).alias("table"), currency.alias("in_currency"), F.inline(each))


def _heads(buckets: pa.Array) -> pa.Array:
    return pa.array([bucket_head(bucket.as_py()) for bucket in buckets], pa.binary())


def _roots(partitions: pa.Array) -> pa.Array:
    """`partitions`: for each logical partition, a list of {bucket: one byte, head: 32 bytes}."""
    heads = ({entry["bucket"][0]: entry["head"] for entry in partition.as_py()} for partition in partitions)
    return pa.array([buckets_root(found) for found in heads], pa.string())


def _head_of(leaves: Column) -> Column:
    # pyspark's stubs ask for a functionType that the function itself has a default for.
    return F.arrow_udf(_heads, "binary")(leaves)  # type: ignore[call-overload]


def _root_of(heads: Column) -> Column:
    return F.arrow_udf(_roots, "string")(heads)  # type: ignore[call-overload]
