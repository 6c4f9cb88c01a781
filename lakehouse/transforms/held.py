"""Reports that are held whole: none of their lines goes on. `views.held` says the same without Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def contradicted(files: DataFrame, releases: DataFrame) -> DataFrame:
    """[file_id] of every report whose own totals disagree with its lines, unless a person let it go on (`ops.file_releases`)."""
    broken = files.where("NOT coalesce(forall(controls, c -> c.ok), true)").select("file_id")
    return broken.join(F.broadcast(released(releases, "controls")), "file_id", "left_anti")


def held_files(files: DataFrame, holds: DataFrame, releases: DataFrame) -> DataFrame:
    """[file_id] of every report that contradicts itself, or of which too many lines are refused (`ops.held_files`)."""
    cleared = holds.where("entry = 'clear'").select("file_id").union(released(releases, "quarantine"))
    overfull = holds.where("entry = 'hold'").select("file_id").join(F.broadcast(cleared), "file_id", "left_anti")
    return contradicted(files, releases).union(overfull).distinct()


def released(releases: DataFrame, cause: str) -> DataFrame:
    """[file_id] that a person let go on although it was held for that cause."""
    return releases.where(F.col("cause") == cause).select("file_id")


def accepted_differences(releases: DataFrame, dead: DataFrame, dead_before: DataFrame, period: str) -> DataFrame:
    """[file_id, source, currency, amount, memo]: money that reports of the period declare beyond their lines, as a person accepted
    it, and the exact mirror of what was booked for a report that this period's files replace.

    `dead` and `dead_before` are the superseded reports up to this period and up to the one before.
    """
    each = releases.select("period", "file_id", "source", "reason", F.explode("booked").alias("currency", "amount"))
    newly = dead.join(F.broadcast(dead_before), "file_id", "left_anti")
    booked = each.where(F.col("period") == period).join(F.broadcast(dead), "file_id", "left_anti")
    undone = each.where(F.col("period") < period).join(F.broadcast(newly), "file_id", "left_semi")
    undone = undone.withColumns({"amount": -F.col("amount"), "reason": F.lit("the report was replaced")})
    memo = F.concat(F.lit("Difference of the report of "), "source", F.lit(", accepted: "), "reason")
    return booked.unionByName(undone).select("file_id", "source", "currency", "amount", memo.alias("memo"))
