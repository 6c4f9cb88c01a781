"""Rows that the driver holds, as a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.tables.arrow import arrow_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def local_rows(spark: SparkSession, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]] = ()) -> DataFrame:
    """The rows in these columns (name: Spark type).

    By way of Arrow they become a local relation, into which the optimizer can see: where there are no rows, the joins and
    unions over them go too. A list given to Spark becomes an RDD, which is planned and run although it is empty.
    """
    schema = pa.schema([(name, arrow_type(type_)) for name, type_ in columns.items()])
    return spark.createDataFrame(pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=schema))
