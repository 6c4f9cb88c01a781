"""How a table is declared: once, with its columns, grain, checks, partitioning and retention.

From a `Table` come the Spark schema, the Delta properties with NOT NULL and CHECK constraints, the
column order and types of the content root, and the reference page. Nothing else describes a table.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

MONEY = "decimal(38,18)"
UNITS = "decimal(20,6)"
PERIOD_PATTERN = "^[0-9]{4}-(0[1-9]|1[0-2])$"

# The types a column may have. Floats are for scores only and never enter a content root.
_TYPES = re.compile(
    r"^(string|boolean|int|bigint|double|date|timestamp|decimal\(\d+,\d+\)|array<(string|bigint)>"
    r"|map<string,(string|decimal\(\d+,\d+\))>|array<struct<[a-z_]+:[a-z0-9(),]+(,[a-z_]+:[a-z0-9(),]+)*>>)$"
)

# The table property that says which version of the declaration a table was made from.
SCHEMA_VERSION = "lakehouse.schemaVersion"


@dataclass(frozen=True)
class Field:
    """One column. `check` is a Spark SQL condition on the column; NULL passes only when
    the column is not `required`. `mostly` is the percentage of rows that have a value in healthy data: less is a warning.
    `rooted=False` keeps a column out of the content root."""

    name: str
    type: str
    doc: str
    required: bool = False
    check: str | None = None
    one_of: tuple[str, ...] = ()
    rooted: bool = True
    mostly: int = 0

    def __post_init__(self) -> None:
        if not _TYPES.match(self.type):
            raise ValueError(f"column {self.name}: type {self.type!r} is not one a table may have")
        if self.rooted and self.type == "double":
            raise ValueError(f"column {self.name}: a floating-point column cannot be part of a content root")

    @property
    def condition(self) -> str | None:
        """The CHECK condition of this column, or None. In Delta a condition that is NULL is broken."""
        wanted = f"{self.name} IN ({', '.join(repr(value) for value in self.one_of)})" if self.one_of else self.check
        return wanted if wanted is None or self.required else f"{self.name} IS NULL OR {wanted}"


@dataclass(frozen=True)
class Table:
    """One Delta table of the lake. `name` is `layer.table` and also its folder, `layer/table`."""

    name: str
    doc: str
    grain: tuple[str, ...]
    fields: tuple[Field, ...]
    partition_by: tuple[str, ...] = ()
    append_only: bool = True
    retention_years: int = 10
    version: int = 1

    def __post_init__(self) -> None:
        unknown = {*self.grain, *self.partition_by} - set(self.columns)
        if len(set(self.columns)) != len(self.columns):
            raise ValueError(f"table {self.name}: a column is declared twice")
        if unknown:
            raise ValueError(f"table {self.name}: grain or partition names no column: {sorted(unknown)}")

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def types(self) -> dict[str, str]:
        """Column: its Spark type."""
        return {field.name: field.type for field in self.fields}

    @property
    def rooted_fields(self) -> tuple[Field, ...]:
        """The columns of the content root, in their declared order."""
        return tuple(field for field in self.fields if field.rooted)

    @property
    def path(self) -> str:
        """Folder below the lake's root."""
        return self.name.replace(".", "/")

    @property
    def ddl(self) -> str:
        """The columns as a Spark DDL string."""
        return ", ".join(f"{f.name} {f.type}{' NOT NULL' if f.required else ''}" for f in self.fields)

    @property
    def properties(self) -> dict[str, str]:
        """Delta table properties: retention, append-only, and one CHECK constraint per column condition."""
        years = f"interval {self.retention_years * 365} days"
        checks = {f"delta.constraints.{f.name}_ok": f.condition for f in self.fields if f.condition}
        return {
            "delta.logRetentionDuration": years,
            "delta.deletedFileRetentionDuration": years,
            "delta.appendOnly": str(self.append_only).lower(),
            # Files are found by period, file and line: statistics of the first columns are enough.
            "delta.dataSkippingNumIndexedCols": "4",
            SCHEMA_VERSION: str(self.version),
            **checks,
        }

    @property
    def schema_id(self) -> str:
        """SHA-256 over the name, version and rooted columns: what a content root was computed for."""
        text = ";".join([self.name, str(self.version), *(f"{f.name}:{f.type}" for f in self.rooted_fields)])
        return hashlib.sha256(text.encode()).hexdigest()

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def draft(self) -> Table:
        """The same table in the `draft` layer: rewritten by every run until the period is closed."""
        return replace(self, name="draft." + self.name.split(".", 1)[1], append_only=False, retention_years=1)


def period(name: str = "period", doc: str = "Statement period, YYYY-MM", required: bool = True) -> Field:
    return Field(name, "string", doc, required=required, check=f"{name} RLIKE '{PERIOD_PATTERN}'")


def sha256(name: str, doc: str, required: bool = True) -> Field:
    return Field(name, "string", doc, required=required, check=f"length({name}) = 64")


def money(name: str, doc: str, required: bool = True) -> Field:
    """An exact amount with 18 decimals in the currency of the row."""
    return Field(name, MONEY, doc, required=required)


def currency(doc: str = "ISO 4217 code of every amount in the row") -> Field:
    return Field("currency", "string", doc, required=True, check="currency RLIKE '^[A-Z]{3}$'")
