"""Adjustments of holds on their way into the books of a period: their entries, and the holds as they are with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.model.book import ContractBook
from lakehouse.model.pools import ADJUSTED
from lakehouse.runs.frame import Work
from lakehouse.tables import gold, ops
from lakehouse.tables.declare import MONEY
from lakehouse.transforms.hold import adjust_entries
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.resolved import STAGES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_DECIDED = {"releases_of": "string", "adjustment_id": "string", "added": MONEY}


def adjusted(work: Work, book: ContractBook, waiting: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """Open holds with what is added to them in this period, and the entries that say so; as they are, and None, in a lake that has never
    adjusted any.

    In a lake that has, `base` is what the reports brought, and `pooled` the step from it to the amount: so a royalty line still leads back to its
    report lines. Where usage is pooled, no hold is adjusted (`lakehouse.runs.adjust_hold`).
    """
    reader, name = work.env.reader, ops.holding_adjustments.name
    rows = reader.sql(
        f"SELECT period, entry_id, adjustment_id, amount FROM {reader.relation(name, work.pins[name])} WHERE period <= ?",
        [work.period],
    )
    if not rows or book.rules.pools:
        return waiting, None
    now = [(row["entry_id"], row["adjustment_id"], row["amount"]) for row in rows if row["period"] == work.period]
    decided = F.broadcast(local_rows(work.env.spark, _DECIDED, now))
    entries = work.cut(adjust_entries(waiting, decided, work.period))
    every = (
        work.read(gold.holding)
        .where((F.col("period") < work.period) & (F.col("entry") == "adjust"))
        .select("releases", "amount", F.lit(False).alias("new"))
    )
    every = every.unionByName(entries.select("releases", "amount", F.lit(True).alias("new")))
    sums = every.groupBy(F.col("releases").alias("entry_id")).agg(
        F.sum("amount").cast(MONEY).alias("added"), F.sum(F.when(F.col("new"), F.col("amount"))).cast(MONEY).alias("now")
    )
    nothing = F.lit(0).cast(MONEY)
    told = waiting.join(F.broadcast(sums), "entry_id", "left")
    told = told.withColumn("amount", (F.col("amount") + F.coalesce("now", nothing)).cast(MONEY))
    told = told.withColumn("base", (F.col("amount") - F.coalesce("added", nothing)).cast(MONEY))
    step = F.struct(
        F.lit(ADJUSTED).alias("stage"), F.concat_ws(":", F.lit("hold"), "entry_id").alias("term"),
        F.col("base").alias("amount_in"), F.col("amount").alias("amount_out"),
    )  # fmt: skip
    told = told.withColumn("pooled", F.when(F.col("added").isNotNull(), F.array(step)).cast(STAGES))
    return work.cut(told.drop("added", "now")), entries
