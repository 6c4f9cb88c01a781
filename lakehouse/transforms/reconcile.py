"""Match every usage key to a recording, or say why not.

Tiers in order, the first that finds anything decides: proprietary id and ISRC, UPC with track title, title with
artist (one equi-join against the broadcast catalog), then fuzzy comparison of blocked candidates. One Arrow UDF
compares every pair that a tier brings, so that exact hits carry their evidence too and a drifted title shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.model.matching import MatchingRules, load_rules
from lakehouse.tables import silver
from lakehouse.transforms.candidates import find_candidates
from lakehouse.transforms.evidence import EVIDENCE_TYPE, FIELDS, compared
from lakehouse.transforms.normalized import normalized

__all__ = ["DECISION", "MatchingRules", "load_rules", "match_keys"]

# The columns of silver.matches, but for those that only the caller knows.
DECISION: Final = tuple(name for name in silver.matches.columns if name not in ("catalog_version", "review_no", "period"))
_TIERS: Final = ("proprietary_id", "isrc", "upc_track", "title_artist", "fuzzy")
_IDENTIFIER: Final = ("proprietary_id", "isrc")
# How many recordings a person is shown for an ambiguous key.
_OFFERED: Final = 5
_SEEN = ("score", "title_alike", "artist_alike", "same_album", "unknown_version", "other_isrc")


def match_keys(
    keys: DataFrame,
    catalog: DataFrame,
    rules: MatchingRules,
    keep: Callable[[DataFrame], DataFrame] = lambda rows: rows,
    refused: DataFrame | None = None,
) -> DataFrame:
    """One decision for each usage key, in the columns DECISION.

    `keys`: distinct usage_key with isrc, upc, title, artist, album, label, proprietary_id.
    `catalog`: rows of silver.catalog. The result depends on nothing but the rows and the rules: not on their
    order, nor on partitions. `keep` may persist what several tiers use. `refused`: [usage_key, recording_id] that a person
    has ruled out.
    """
    refused = keys.select("usage_key", F.lit("").alias("recording_id")).limit(0) if refused is None else refused
    asked = keep(keys.select("usage_key", *FIELDS, "proprietary_id", *_forms()))
    known = keep(catalog.select("recording_id", *FIELDS, "proprietary_ids", *_forms()))
    exact = keep(_but(_exact_hits(asked, known), refused))
    rest = asked.join(exact.select("usage_key").distinct(), "usage_key", "left_anti")
    sides = [f"{side}_{name}" for side in "uc" for name in FIELDS]
    fuzzy = _but(_fuzzy_pairs(rest, known, rules), refused)
    found = [pairs.select("usage_key", "tier", "recording_id", *sides) for pairs in (exact, fuzzy)]
    # Grouped, so that a pair is compared once: for its first tier, and after the union, by one function.
    pairs = found[0].unionByName(found[1]).groupBy("usage_key", "recording_id", *sides).agg(F.min("tier").alias("tier"))
    comparisons = pairs.select(
        "usage_key", "tier", "recording_id", compared(F.struct(*_sided("u")), F.struct(*_sided("c")), rules).alias("seen")
    )
    decided = _decide(_gather(comparisons), rules)
    return keys.select("usage_key").join(decided, "usage_key", "left").select(*_or_unclaimed(rules))


def _forms() -> list[Column]:
    return [normalized(F.col(name)).alias(f"n_{name}") for name in ("title", "artist")]


def _sided(side: str) -> list[Column]:
    return [F.col(f"{side}_{name}").alias(name) for name in FIELDS]


def _exact_hits(asked: DataFrame, known: DataFrame) -> DataFrame:
    """Every pair that an exact tier finds: usage_key, tier (position in _TIERS), recording_id, both sides' fields.

    The handles of all tiers are one column, so that one join against one broadcast serves them all.
    """
    both_names = F.when((F.col("n_title") != "") & (F.col("n_artist") != ""), _joined("n_title", "n_artist"))
    names = [F.when((F.col("upc") != "") & (F.col("n_title") != ""), _joined("upc", "n_title")), both_names]
    one_id = F.when(F.col("proprietary_id").isNotNull(), F.array("proprietary_id"))
    ours = asked.withColumn("by", F.explode(_handles(one_id, names)))
    return _pairs(ours, known.withColumn("by", F.explode(_handles(F.col("proprietary_ids"), names))), "by").withColumn(
        "tier", F.col("by.tier")
    )


def _handles(ids: Column, names: list[Column]) -> Column:
    """Everything a record can be found by exactly, as an array of (tier, value)."""

    def handle(tier: int, value: Column) -> Column:
        return F.struct(F.lit(tier).alias("tier"), value.alias("value"))

    named = [handle(tier, value) for tier, value in enumerate([F.col("isrc"), *names], start=1)]
    proprietary = F.coalesce(F.transform(ids, lambda one: handle(0, one)), F.array().cast("array<struct<tier:int,value:string>>"))
    return F.array_distinct(F.filter(F.concat(proprietary, F.array(*named)), lambda one: F.coalesce(one.value, F.lit("")) != ""))


def _joined(*names: str) -> Column:
    return F.concat(*[part for name in names for part in (F.col(name), F.lit("\u0001"))])


def _fuzzy_pairs(rest: DataFrame, known: DataFrame, rules: MatchingRules) -> DataFrame:
    found = find_candidates(rest, known.select("recording_id", "n_title", "n_artist").distinct(), rules.blocking)
    return _pairs(rest.join(found, "usage_key"), known, "recording_id").withColumn("tier", F.lit(_TIERS.index("fuzzy")))


def _pairs(asked: DataFrame, known: DataFrame, on: str) -> DataFrame:
    ours = asked.select("usage_key", on, *[F.col(name).alias(f"u_{name}") for name in FIELDS])
    theirs = known.select(*dict.fromkeys([on, "recording_id"]), *[F.col(name).alias(f"c_{name}") for name in FIELDS])
    return ours.join(F.broadcast(theirs), on)


def _but(pairs: DataFrame, refused: DataFrame) -> DataFrame:
    return pairs.join(F.broadcast(refused), ["usage_key", "recording_id"], "left_anti")


def _gather(comparisons: DataFrame) -> DataFrame:
    """For each key the comparisons of its deciding tier as one array, best first: by score, album, then recording."""
    seen = F.col("seen")
    entry = F.struct(
        "tier", (-seen.score).alias("loss"), (~seen.same_album).alias("off_album"), "recording_id",
        *[seen[name].alias(name) for name in _SEEN], seen.evidence.alias("evidence"),
    )  # fmt: skip
    deciding = F.filter("all", lambda one: one.tier == F.col("all")[0].tier)
    all_sorted = F.sort_array(F.collect_list(entry)).alias("all")
    return comparisons.groupBy("usage_key").agg(all_sorted).select("usage_key", deciding.alias("seen"))


def _decide(gathered: DataFrame, rules: MatchingRules) -> DataFrame:
    best = F.col("seen")[0]
    fuzzy = best.tier == _TIERS.index("fuzzy")
    identified = best.tier < len(_IDENTIFIER)
    # An exact tier has a rival when another recording fits exactly as well; fuzzy, when one fits nearly as well.
    # The album, where only the best has it, settles which is meant.
    within = F.when(fuzzy, F.lit(rules.margin)).otherwise(F.lit(0.0))
    rivals = F.filter(
        "seen",
        lambda one: (
            (one.recording_id != best.recording_id) & (one.score >= best.score - within) & (one.same_album | ~best.same_album)
        ),
    )
    one_owner = F.size(rivals) == 0

    doubtful_title = F.coalesce(best.title_alike < rules.contradiction, F.lit(False))
    artist_agrees = F.coalesce(best.artist_alike >= rules.levels.near, F.lit(False))
    status = (
        F.when(fuzzy & (best.score < rules.ambiguous), "UNCLAIMED")
        .when(~one_owner, "AMBIGUOUS")
        .when(identified & doubtful_title & ~artist_agrees, "AMBIGUOUS")
        .when(identified & (doubtful_title | best.unknown_version), "DRIFT_FLAGGED")
        .when(identified, "MATCHED")
        .when(best.other_isrc, "AMBIGUOUS")
        .when(fuzzy & (best.score < rules.matched), "AMBIGUOUS")
        .otherwise("MATCHED")
    )
    tier = F.element_at(F.array(*map(F.lit, _TIERS)), best.tier + 1)
    decided = gathered.withColumn("reconciliation_status", status)
    paid = F.col("reconciliation_status").isin("MATCHED", "DRIFT_FLAGGED")
    confidence = (
        F.when(F.col("reconciliation_status") == "DRIFT_FLAGGED", F.lit(rules.drift))
        .when((F.col("reconciliation_status") == "MATCHED") & ~fuzzy, F.lit(1.0))
        .otherwise(F.least(best.score, F.lit(0.99)))
    )
    # A tier's threshold only ever moves a key downwards: from those who are paid to those that a person looks at.
    too_low = paid & (confidence < _threshold(tier, rules))
    decided = decided.withColumn("match_confidence", confidence).withColumn(
        "reconciliation_status", F.when(too_low, "AMBIGUOUS").otherwise(F.col("reconciliation_status"))
    )
    recordings = F.array_distinct(F.transform("seen", lambda one: one.recording_id))
    return decided.select(
        "usage_key", "reconciliation_status", "match_confidence",
        F.when(paid, best.recording_id).alias("recording_id"),
        F.when(F.col("reconciliation_status") == "UNCLAIMED", "none").otherwise(tier).alias("tier"),
        best.evidence.alias("evidence"),
        F.size(recordings).alias("candidates"),
        *[F.when(F.col("reconciliation_status") == "AMBIGUOUS", column).alias(name)
          for name, column in _offered(F.slice(recordings, 1, _OFFERED)).items()],
    )  # fmt: skip


def _threshold(tier: Column, rules: MatchingRules) -> Column:
    """The confidence from which a tier pays, by the routing document; 0 for a tier that it does not name."""
    known = [F.when(tier == name, F.lit(threshold)) for name, threshold in rules.thresholds.items()]
    return F.coalesce(*known, F.lit(0.0))


def _offered(recordings: Column) -> dict[str, Column]:
    """What a person is shown of these recordings: each with the score and the evidence of its best release."""

    def best_of(recording: Column) -> Column:
        return F.filter("seen", lambda one: one.recording_id == recording)[0]

    def scored(recording: Column) -> Column:
        return F.struct(recording.alias("recording_id"), best_of(recording).score.cast("decimal(5,4)").alias("score"))

    def explained(recording: Column) -> Column:
        parts = ("field", "level", "usage", "catalog")
        return F.transform(
            best_of(recording).evidence,
            lambda item: F.struct(recording.alias("recording_id"), *[item[part].alias(part) for part in parts]),
        )

    return {
        "offered": F.transform(recordings, scored),
        "offered_evidence": F.flatten(F.transform(recordings, explained)),
    }


def _or_unclaimed(rules: MatchingRules) -> list[Column]:
    """The columns of a decision; a key that no tier found anything for is unclaimed."""
    defaults = {
        "ruleset": F.lit(rules.ruleset),
        "reconciliation_status": F.coalesce(F.col("reconciliation_status"), F.lit("UNCLAIMED")),
        "match_confidence": F.coalesce(F.col("match_confidence"), F.lit(0.0)),
        "tier": F.coalesce(F.col("tier"), F.lit("none")),
        "evidence": F.coalesce(F.col("evidence"), F.array().cast(EVIDENCE_TYPE)),
        "candidates": F.coalesce(F.col("candidates"), F.lit(0)),
    }
    return [defaults.get(name, F.col(name)).alias(name) for name in DECISION]
