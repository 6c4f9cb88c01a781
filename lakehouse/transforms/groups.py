"""From usage lines to groups: lines that agree in every dimension of a royalty line are one amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.tables.gold import GROUP

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# What a group carries beside its dimensions.
MEASURES = ("usage_lines", "units", "amount")


def group_usage(usage: DataFrame, dead: DataFrame) -> DataFrame:
    """One row for each group of usage lines: `GROUP` and their number, units and amount. Files in `dead` do not count."""
    live = usage.join(F.broadcast(dead), "file_id", "left_anti")
    return live.groupBy(*GROUP).agg(
        F.count(F.lit(1)).alias("usage_lines"), F.sum("units").alias("units"), F.sum("amount").alias("amount")
    )


def open_holds(holding: DataFrame) -> DataFrame:
    """The holds of published periods that nothing has taken away yet."""
    taken = holding.where("entry != 'hold'").select(F.col("releases").alias("entry_id"))
    return holding.where("entry = 'hold'").join(taken, "entry_id", "left_anti")


def latest_decisions(matches: DataFrame, ruleset: str, catalog_version: int) -> DataFrame:
    """One decision for each usage key: the newest made under this ruleset on this catalog or an older one, by its latest review."""
    newest = Window.partitionBy("usage_key").orderBy(F.desc("catalog_version"), F.desc("review_no"))
    eligible = matches.where((F.col("ruleset") == ruleset) & (F.col("catalog_version") <= catalog_version))
    return eligible.withColumn("age", F.row_number().over(newest)).where("age = 1").drop("age")


def join_recordings(groups: DataFrame, decisions: DataFrame, catalog: DataFrame) -> DataFrame:
    """Groups with `reconciliation_status` and, where they are to be paid, the recording: id, isrc, title, artist, label.

    A recording on several releases is one recording: the values of its first release in order of UPC stand for it.
    """
    chosen = decisions.select("usage_key", "reconciliation_status", "recording_id")
    first = Window.partitionBy("recording_id").orderBy("upc")
    recordings = (
        catalog.withColumn("place", F.row_number().over(first))
        .where("place = 1")
        .select("recording_id", F.col("artist").alias("catalog_artist"), F.col("label").alias("catalog_label"))
    )
    return (
        groups.join(chosen, "usage_key", "left")
        .withColumn("reconciliation_status", F.coalesce("reconciliation_status", F.lit("UNCLAIMED")))
        .join(recordings, "recording_id", "left")
    )
