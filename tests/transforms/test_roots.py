"""Spark gives the roots of the plain-Python reference, whatever the partitioning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.errors import Misuse
from lakehouse.model.content_root import EMPTY_ROOT, content_root, leaf
from lakehouse.store import duck
from tests.support.lake import arrow_table
from tests.support.rooted_rows import every_type, rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
slow = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def frame(spark: SparkSession, given_rows: list[dict[str, Any]]) -> DataFrame:
    return spark.createDataFrame(arrow_table(every_type, given_rows))


@slow
@given(st.lists(rows, min_size=1, max_size=60))
def test_spark_gives_the_leaves_and_the_root_of_the_reference(spark: SparkSession, given_rows: list[dict[str, Any]]) -> None:
    from lakehouse.transforms.roots import leaves, table_root

    df = frame(spark, given_rows)
    expected = [leaf(every_type, row) for row in given_rows]
    assert sorted(bytes(row.leaf) for row in leaves(df, every_type).select("leaf").collect()) == sorted(expected)
    root = table_root(df, every_type)
    assert root.root == content_root(expected)
    with duckdb.connect() as connection:
        connection.register("given", arrow_table(every_type, given_rows))
        assert root == duck.table_root(connection, "given", every_type)


def some_rows(count: int) -> list[dict[str, Any]]:
    blank: dict[str, Any] = {f.name: None for f in every_type.fields}
    return [blank | {"id": str(n), "currency": "EUR" if n % 3 else "JPY", "flag": n % 2 == 0} for n in range(count)]


@pytest.mark.parametrize("shuffle_partitions", [1, 7])
def test_each_logical_partition_has_its_own_root_on_any_number_of_tasks(spark: SparkSession, shuffle_partitions: int) -> None:
    from lakehouse.transforms.roots import partition_roots

    given_rows = some_rows(500)
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", shuffle_partitions)
    try:
        df = frame(spark, given_rows).repartition(shuffle_partitions)
        found = {row.currency: (row.rows, row.root) for row in partition_roots(df, every_type, ("currency",)).collect()}
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
    for currency, (count, root) in found.items():
        members = [row for row in given_rows if row["currency"] == currency]
        assert (count, root) == (len(members), content_root([leaf(every_type, row) for row in members]))
    assert set(found) == {"EUR", "JPY"}


def test_no_rows_have_the_root_of_nothing(spark: SparkSession) -> None:
    from lakehouse.transforms.roots import table_root

    root = table_root(frame(spark, some_rows(1)).limit(0), every_type)
    assert (root.rows, root.root) == (0, EMPTY_ROOT)


def test_a_session_that_would_write_decimals_differently_is_refused(spark: SparkSession) -> None:
    from lakehouse.transforms.roots import leaves

    spark.conf.set("spark.sql.ansi.enabled", "false")
    try:
        with pytest.raises(Misuse, match=r"spark\.sql\.ansi\.enabled"):
            leaves(frame(spark, some_rows(1)), every_type)
    finally:
        spark.conf.set("spark.sql.ansi.enabled", "true")
