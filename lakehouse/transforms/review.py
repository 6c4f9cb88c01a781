"""What people decided about usage keys: an accepted match is an alias, a tier before all others; a refused one is not offered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.model.matching import MatchingRules
from lakehouse.model.vocabulary import ALIAS
from lakehouse.transforms.evidence import EVIDENCE_TYPE
from lakehouse.transforms.reconcile import DECISION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def standing_reviews(reviews: DataFrame) -> DataFrame:
    """The latest review of each usage key, in the columns of ops.reviews."""
    newest = Window.partitionBy("usage_key").orderBy(F.desc("review_no"))
    return reviews.withColumn("age", F.row_number().over(newest)).where("age = 1").drop("age")


def refused_pairs(standing: DataFrame) -> DataFrame:
    """[usage_key, recording_id] of everything that the standing reviews rule out."""
    return standing.where("decision = 'reject'").select("usage_key", F.explode("refused").alias("recording_id"))


def alias_decisions(keys: DataFrame, standing: DataFrame, catalog: DataFrame, rules: MatchingRules) -> DataFrame:
    """A decision, in the columns DECISION, for each key whose accepted recording is in the catalog. Its evidence says by whom."""
    known = catalog.select("recording_id").distinct()
    accepted = (
        keys.select("usage_key")
        .join(F.broadcast(standing.where("decision = 'accept'")), "usage_key")
        .join(known, "recording_id", "left_semi")
    )
    by_whom = F.concat_ws(" ", "reviewer", F.date_format("reviewed_at", "yyyy-MM-dd")).alias("usage")
    because = F.struct(
        F.lit("review").alias("field"), F.lit("accepted").alias("level"),
        F.concat(by_whom, F.lit(": "), F.col("reason")).alias("usage"), F.col("recording_id").alias("catalog"),
    )  # fmt: skip
    values = {
        "ruleset": F.lit(rules.ruleset), "reconciliation_status": F.lit("MATCHED"), "match_confidence": F.lit(1.0),
        "tier": F.lit(ALIAS), "evidence": F.array(because).cast(EVIDENCE_TYPE), "candidates": F.lit(1),
        "offered": F.lit(None), "offered_evidence": F.lit(None),
    }  # fmt: skip
    return accepted.select(*[values.get(name, F.col(name)).alias(name) for name in DECISION])
