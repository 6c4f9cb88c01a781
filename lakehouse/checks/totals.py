"""Checks over whole frames that stop a publication: what goes in must come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.errors import Findings
from lakehouse.tables.gold import GROUP

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHOWN = 20


def require_parts_add_up(resolved: DataFrame) -> None:
    """The parts of each group under one contract add up exactly to its base, or to what a pool made of that. Raises Findings naming the groups that do not."""
    base = F.coalesce(F.element_at("pooled", -1)["amount_out"], F.col("base")) if "pooled" in resolved.columns else F.col("base")
    broken = (
        resolved.where("contract_id IS NOT NULL")
        .withColumn("base", base)
        .groupBy(*GROUP, "hold_id", "base")
        .agg(F.sum("amount").alias("given"))
        .where("given != base")
        .limit(_SHOWN)
        .collect()
    )
    if broken:
        told = "; ".join(
            f"{row.source} {row.usage_period} {row.currency} key {row.usage_key[:12]}: {row.base:f} in, {row.given:f} out"
            for row in broken
        )
        raise Findings(f"Parts do not add up to what was given: {told}. Nothing was written.")


def require_no_difference(conserved: DataFrame) -> None:
    """Every file's money is somewhere. Raises Findings naming each file and currency where it is not."""
    broken = conserved.where("difference != 0").limit(_SHOWN).collect()
    if broken:
        told = "; ".join(
            f"file {row.file_id[:12]} ({row.source}), {row.currency}: {row.difference:f} of {row.revenue:f} unaccounted for"
            for row in broken
        )
        raise Findings(f"Money is missing or made up: {told}. Nothing was written.")
