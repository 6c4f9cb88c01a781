"""A declared table as an Arrow schema and as DuckDB types, for readers and writers without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.model.types import ColumnType, parse_type
from lakehouse.tables.declare import Table

if TYPE_CHECKING:
    import pyarrow as pa

_DUCKDB = {
    "string": "VARCHAR", "boolean": "BOOLEAN", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}  # fmt: skip


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a declared table: decimals exact, timestamps in microseconds UTC."""
    import pyarrow as pa

    return pa.schema([pa.field(f.name, arrow_type(f.type), nullable=not f.required) for f in table.fields])


def arrow_type(declared: str | ColumnType) -> pa.DataType:
    """The Arrow type of a declared column type."""
    import pyarrow as pa

    type_ = parse_type(declared) if isinstance(declared, str) else declared
    match type_.kind:
        case "decimal":
            return pa.decimal128(type_.precision, type_.scale)
        case "array":
            return pa.list_(arrow_type(type_.element))
        case "struct":
            return pa.struct([(name, arrow_type(part)) for name, part in type_.parts])
        case "map":
            return pa.map_(arrow_type(type_.parts[0][1]), arrow_type(type_.parts[1][1]))
    scalars = {
        "string": pa.string(), "boolean": pa.bool_(), "int": pa.int32(), "bigint": pa.int64(), "double": pa.float64(),
        "date": pa.date32(), "timestamp": pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    return scalars[type_.kind]


def duckdb_type(declared: str | ColumnType) -> str:
    """The DuckDB type of a declared column type."""
    type_ = parse_type(declared) if isinstance(declared, str) else declared
    match type_.kind:
        case "decimal":
            return f"DECIMAL({type_.precision},{type_.scale})"
        case "array":
            return f"{duckdb_type(type_.element)}[]"
        case "struct":
            members = ", ".join(f'"{name}" {duckdb_type(part)}' for name, part in type_.parts)
            return f"STRUCT({members})"
        case "map":
            return f"MAP({duckdb_type(type_.parts[0][1])}, {duckdb_type(type_.parts[1][1])})"
    return _DUCKDB[type_.kind]
