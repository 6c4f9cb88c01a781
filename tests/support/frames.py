"""Rows of declared tables as Spark frames, from the few values that a test is about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.model.types import parse_type
from lakehouse.tables import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def digest(name: str) -> str:
    """A SHA-256 by name: of a file, a key or a document."""
    return hashlib.sha256(name.encode()).hexdigest()


# The dimensions of a group; a test changes those it is about.
DIMENSIONS: dict[str, Any] = {
    "file_id": digest("F1"), "source": "believe", "report_period": "2026-05", "usage_period": "2026-03", "meaning": "generation",
    "channel": "Spotify", "configuration": "stream", "territory": "DE", "price_category": None, "currency": "EUR",
    "usage_key": digest("K1"), "upc": None, "sale_date": None, "ppd": None, "retail": None,
}  # fmt: skip


def ddl(table: Table, more: str = "") -> str:
    """The table's columns, none of them required, and more."""
    return ", ".join([*(f"{field.name} {field.type}" for field in table.fields), *([more] if more else [])])


def frame(spark: SparkSession, schema: str | Table, rows: Sequence[Mapping[str, Any]], more: str = "") -> DataFrame:
    """Rows by column name; columns that a row does not name are NULL. Amounts may be written as text or whole numbers."""
    from pyspark.sql import types

    text = ddl(schema, more) if isinstance(schema, Table) else schema
    parsed = types.StructType.fromDDL(text)
    return spark.createDataFrame([tuple(_cell(f.dataType, row.get(f.name)) for f in parsed.fields) for row in rows], parsed)


def _cell(type_: Any, value: Any) -> Any:
    kind = parse_type(type_.simpleString()).kind
    return Decimal(value) if kind == "decimal" and isinstance(value, (str, int)) else value


def dicts(found: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict(recursive=True) for row in found.collect()]
