"""The columns in which the parts of groups leave their contracts, before they are royalty lines or holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F

from lakehouse.tables import gold
from lakehouse.tables.arrow import arrow_type
from lakehouse.tables.declare import Field
from lakehouse.tables.gold import GROUP
from lakehouse.transforms.groups import RELEASE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PARTS = (
    "recording_id", *RELEASE, "contract_id", "contract_version", "payee", "role", "category", "usage_lines", "units", "gross", "base",
    "amount", "stages", "counts",
)  # fmt: skip
STAGES = gold.royalty_lines.types["stages"]
RESOLVED = (
    *(field for field in gold.royalty_lines.fields if field.name in (*GROUP, *_PARTS)),
    Field("hold_id", "string", "The hold that the group comes from, where it was held before"),
    Field("refusal", "string", "Why no contract could be applied, where none was"),
)
OF_POOLS = (
    Field("pooled", STAGES, "The steps through a pool that led from the base to the amount divided, where the group is in one"),
    Field("held_since", "string", "Since when the money waited, where it was held and came back to its pool"),
)
# What each part has of its own; the rest it has from its group.
OWN = ("contract_id", "contract_version", "payee", "role", "category", "amount", "stages", "counts", "refusal", "counting")
COUNTING = Field("counting", "string", "The counting group in whose pass the group of usage is divided, where it is in one")


def ddl_of(*fields: Field) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in fields)


def arrow_of(*fields: Field) -> pa.Schema:
    return pa.schema([(field.name, arrow_type(field.type)) for field in fields])


def divided(*fields: Field) -> tuple[str, pa.Schema]:
    """The columns of parts by their groups, for Spark and for Arrow: what is a part's own stands in the group's `parts`.

    So parts leave Python: what they have from their group comes over once, not once for each of them, and they stay together in the files
    that they are written to, where a column finds the values of the row before again.
    """
    own = ",".join(f"{field.name}:{field.type}" for field in fields if field.name in OWN)
    columns = {field.name: field.type for field in fields if field.name not in OWN} | {"parts": f"array<struct<{own}>>"}
    schema = pa.schema([(name, arrow_type(type_)) for name, type_ in columns.items()])
    return ", ".join(f"{name} {type_}" for name, type_ in columns.items()), schema


def part_by_part(groups: DataFrame, *fields: Field) -> DataFrame:
    """A row in the columns of `fields` for each part of each group."""
    return groups.select("*", F.inline("parts")).select(*(field.name for field in fields))


def with_pools(resolved: DataFrame) -> DataFrame:
    """The parts, their way beginning with the steps through the pool that their group was in."""
    if "pooled" not in resolved.columns:
        return resolved
    way = F.when(F.col("pooled").isNull(), F.col("stages")).otherwise(F.concat("pooled", "stages"))
    return resolved.withColumn("stages", way)
