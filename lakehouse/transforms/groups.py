"""From usage lines to groups: lines that agree in every dimension of a royalty line are one amount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.tables.declare import MONEY
from lakehouse.tables.gold import GROUP

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What a group carries beside its dimensions.
MEASURES = ("usage_lines", "units", "gross", "amount")
# What the catalog says of the release that a group is of.
RELEASE = ("release", "release_type", "catalog_group")


def group_usage(usage: DataFrame, dead: DataFrame, by_day: bool = False, subscriber: Column | None = None) -> DataFrame:
    """One row for each group of usage lines: `GROUP` and `MEASURES`. Files in `dead` do not count.

    Days are told apart only where the contract book asks for them (`by_day`): most usage is reported by the day, and owed by the month.
    So are subscribers: where one is given, the rows have it, and a group may be several rows until `whole_groups`.
    """
    live = usage.join(F.broadcast(dead), "file_id", "left_anti")
    dated = live if by_day else live.withColumn("sale_date", F.lit(None).cast("date"))
    apart = [] if subscriber is None else [subscriber.alias("subscriber")]
    return dated.groupBy(*GROUP, *apart).agg(
        F.count(F.lit(1)).alias("usage_lines"),
        F.sum("units").alias("units"),
        _gross("amount").alias("gross"),
        F.sum("amount").alias("amount"),
    )


def whole_groups(rows: DataFrame, same: Sequence[str], sums: Sequence[str]) -> DataFrame:
    """Groups that were told apart by subscriber, each one row again: `GROUP`, its measures but the amount, what is the `same` in all its rows, and `sums`.

    One of these is `base`, what the reports say.
    """
    types = {field.name: field.dataType for field in rows.schema}
    summed = [F.sum(name).cast(types[name]).alias(name) for name in ("usage_lines", "units", *sums)]
    return rows.groupBy(*GROUP, *same).agg(_gross("base").alias("gross"), *summed)


def _gross(amount: str) -> Column:
    """The gross of lines together. One that says none was paid all that there was."""
    return F.when(F.count("gross") > 0, F.sum(F.coalesce("gross", amount)))


def open_holds(holding: DataFrame) -> DataFrame:
    """The holds of published periods that nothing has taken away yet, their amounts as they were adjusted since."""
    adjusts = F.col("entry") == "adjust"
    since = holding.where("entry != 'hold'").groupBy(F.col("releases").alias("entry_id"))
    added = F.coalesce(F.sum(F.when(adjusts, F.col("amount"))), F.lit(0).cast(MONEY)).alias("added")
    told = holding.where("entry = 'hold'").join(since.agg(F.bool_or(~adjusts).alias("taken"), added), "entry_id", "left")
    standing = told.where(~F.coalesce("taken", F.lit(False)))
    amount = (F.col("amount") + F.coalesce("added", F.lit(0))).cast(MONEY)
    return standing.withColumn("amount", amount).select(*holding.columns)


def latest_decisions(matches: DataFrame, ruleset: str, catalog_version: int) -> DataFrame:
    """One decision for each usage key: the newest made under this ruleset on this catalog or an older one, by its latest review."""
    newest = Window.partitionBy("usage_key").orderBy(F.desc("catalog_version"), F.desc("review_no"))
    eligible = matches.where((F.col("ruleset") == ruleset) & (F.col("catalog_version") <= catalog_version))
    return eligible.withColumn("age", F.row_number().over(newest)).where("age = 1").drop("age")


def join_recordings(groups: DataFrame, decisions: DataFrame, catalog: DataFrame) -> DataFrame:
    """Groups with `reconciliation_status` and, where they are to be paid, the recording's artist and label and its `RELEASE`.

    A recording on several releases is one recording: the values of its first release in order of UPC stand for it. The release is the
    one reported, else the only one that the recording is on; where that leaves several, none is guessed.
    """
    chosen = decisions.select("usage_key", "reconciliation_status", "recording_id")
    release = F.struct("upc", "artist", "label", "release_type", "catalog_group")
    recordings = catalog.groupBy("recording_id").agg(F.sort_array(F.collect_list(release)).alias("releases"))
    told = (
        groups.join(chosen, "usage_key", "left")
        .withColumn("reconciliation_status", F.coalesce("reconciliation_status", F.lit("UNCLAIMED")))
        .join(recordings, "recording_id", "left")
    )
    first = F.get("releases", F.lit(0))
    on = F.coalesce(
        F.get(F.filter("releases", lambda one: one["upc"] == F.col("upc")), F.lit(0)),
        F.when(F.col("upc").isNull() & (F.size("releases") == 1), first),
    )
    return told.select(
        *groups.columns, "reconciliation_status", "recording_id", first["artist"].alias("catalog_artist"), first["label"].alias("catalog_label"),
        F.coalesce("upc", F.nullif(on["upc"], F.lit(""))).alias("release"), on["release_type"].alias("release_type"),
        on["catalog_group"].alias("catalog_group"),
    )  # fmt: skip
