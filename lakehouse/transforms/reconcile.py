"""Match every usage key to a recording, or say why not.

Tiers in order, the first that finds anything decides: proprietary id and ISRC, UPC with track title, title with
artist (one equi-join against the catalog), then comparison of blocked candidates. One Arrow UDF compares every pair
that a tier brings by the rules of linking, so that exact hits carry their evidence too and a drifted title shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.model.linkage.levels import COMPARISONS, NULL, PLACE
from lakehouse.model.matching import MatchingRules
from lakehouse.tables import silver
from lakehouse.transforms.candidates import build_index, find_candidates, form_id
from lakehouse.transforms.evidence import COMPARISON, EVIDENCE_TYPE, FIELDS, compared, evidence
from lakehouse.transforms.normalized import normalized

# The columns of silver.matches, but for those that only the caller knows.
DECISION: Final = tuple(name for name in silver.matches.columns if name not in ("catalog_version", "review_no", "period"))
_TIERS: Final = ("proprietary_id", "isrc", "upc_track", "title_artist", "fuzzy")
_FUZZY: Final = _TIERS.index("fuzzy")
_IDENTIFIER: Final = ("proprietary_id", "isrc")
# How many recordings a person is shown for an ambiguous key.
_OFFERED: Final = 5
_BOTH: Final = tuple(f"{side}_{name}" for side in "uc" for name in FIELDS)
_OTHER_ISRC: Final = COMPARISONS[PLACE["isrc"]].levels.index("else")
_Hint = Callable[["DataFrame"], "DataFrame"]


def match_keys(
    keys: DataFrame,
    catalog: DataFrame,
    rules: MatchingRules,
    keep: Callable[[DataFrame], DataFrame] = lambda rows: rows,
    refused: DataFrame | None = None,
    index: DataFrame | None = None,
) -> DataFrame:
    """One decision for each usage key, in the columns DECISION.

    `keys`: distinct usage_key with isrc, upc, title, artist, album, label, proprietary_id.
    `catalog`: rows of silver.catalog. The result depends on nothing but the rows and the rules: not on their
    order, nor on partitions. `keep` may persist what several tiers use. `refused`: [usage_key, recording_id] that a person
    has ruled out. `index`: that of the catalog, where it is kept; without one it is made, and the catalog is small enough to broadcast.
    """
    pairs = find_pairs(keys, catalog, rules, keep, refused, index)
    seen = compared(F.struct(*_sided("u")), F.struct(*_sided("c")), rules).alias("seen")
    decided = _decide(_gather(pairs.select("usage_key", "tier", "recording_id", *_BOTH, seen)), rules)
    return keys.select("usage_key").join(decided, "usage_key", "left").select(*_or_unclaimed(rules))


def find_pairs(
    keys: DataFrame,
    catalog: DataFrame,
    rules: MatchingRules,
    keep: Callable[[DataFrame], DataFrame] = lambda rows: rows,
    refused: DataFrame | None = None,
    index: DataFrame | None = None,
) -> DataFrame:
    """What is compared: usage_key, tier (position in the order of tiers), recording_id, both sides' fields; by key in one partition."""
    near = F.broadcast if index is None else _as_it_is
    asked = keep(keys.select("usage_key", *FIELDS, "proprietary_id", *_forms()))
    known = keep(with_forms(catalog).select("recording_id", *FIELDS, "proprietary_ids", "n_title", "n_artist", "form"))
    exact = keep(_but(_exact_hits(asked, known, near), refused))
    rest = asked.join(exact.select("usage_key").distinct(), "usage_key", "left_anti")
    if index is None:
        index = build_index(known.select("form", "n_title", "n_artist").distinct().withColumn("part", F.lit(0)), rules.blocking)
    found = find_candidates(rest, index, rules.blocking)
    fuzzy = _pairs(rest.join(found, "usage_key"), known, "form", near).withColumn("tier", F.lit(_FUZZY))
    # One shuffle brings together what is compared by one function, and then decided by key.
    return exact.unionByName(_but(fuzzy, refused)).repartition("usage_key")


def with_forms(catalog: DataFrame) -> DataFrame:
    """The catalog with the normal forms of its titles and artists, and what the index calls them."""
    formed = catalog.select("*", *_forms())
    return formed.withColumn("form", form_id(*map(F.col, ("recording_id", "n_title", "n_artist"))))


def _as_it_is(rows: DataFrame) -> DataFrame:
    return rows


def _forms() -> list[Column]:
    return [normalized(F.col(name)).alias(f"n_{name}") for name in ("title", "artist")]


def _sided(side: str) -> list[Column]:
    return [F.col(f"{side}_{name}").alias(name) for name in FIELDS]


def _exact_hits(asked: DataFrame, known: DataFrame, near: _Hint) -> DataFrame:
    """Every pair that an exact tier finds: usage_key, tier (position in _TIERS), recording_id, both sides' fields.

    The handles of all tiers are one column, so that one join against one broadcast serves them all.
    """
    both_names = F.when((F.col("n_title") != "") & (F.col("n_artist") != ""), _joined("n_title", "n_artist"))
    names = [F.when((F.col("upc") != "") & (F.col("n_title") != ""), _joined("upc", "n_title")), both_names]
    one_id = F.when(F.col("proprietary_id").isNotNull(), F.array("proprietary_id"))
    ours = asked.withColumn("by", F.explode(_handles(one_id, names)))
    theirs = known.withColumn("by", F.explode(_handles(F.col("proprietary_ids"), names)))
    return _pairs(ours, theirs, "by", near, F.col("by.tier").alias("tier"))


def _handles(ids: Column, names: list[Column]) -> Column:
    """Everything a record can be found by exactly, as an array of (tier, value)."""

    def handle(tier: int, value: Column) -> Column:
        return F.struct(F.lit(tier).alias("tier"), value.alias("value"))

    named = [handle(tier, value) for tier, value in enumerate([F.col("isrc"), *names], start=1)]
    proprietary = F.coalesce(F.transform(ids, lambda one: handle(0, one)), F.array().cast("array<struct<tier:int,value:string>>"))
    return F.array_distinct(F.filter(F.concat(proprietary, F.array(*named)), lambda one: F.coalesce(one.value, F.lit("")) != ""))


def _joined(*names: str) -> Column:
    return F.concat(*[part for name in names for part in (F.col(name), F.lit("\u0001"))])


def _pairs(asked: DataFrame, known: DataFrame, on: str, near: _Hint, *more: Column) -> DataFrame:
    ours = asked.select("usage_key", on, *[F.col(name).alias(f"u_{name}") for name in FIELDS])
    theirs = known.select(on, "recording_id", *[F.col(name).alias(f"c_{name}") for name in FIELDS])
    return ours.join(near(theirs), on).select("usage_key", "recording_id", *_BOTH, *more)


def _but(pairs: DataFrame, refused: DataFrame | None) -> DataFrame:
    return pairs if refused is None else pairs.join(F.broadcast(refused), ["usage_key", "recording_id"], "left_anti")


def _gather(comparisons: DataFrame) -> DataFrame:
    """For each key the comparisons of its deciding tier as one array, best first: by odds, then recording.

    What differs in its version words is another recording: without an identifier that says otherwise it has no odds.
    """
    seen = F.col("seen")
    other = (F.col("tier") == _FUZZY) & (seen.version > 0)
    odds = F.when(other, F.lit(0.0)).otherwise(seen.odds)
    entry = F.struct(
        "tier", (-odds).alias("loss"), "recording_id", "c_upc", odds.alias("odds"),
        *[seen[name].alias(name) for name in COMPARISON if name != "odds"], *[name for name in _BOTH if name != "c_upc"],
    )  # fmt: skip
    all_sorted = F.sort_array(F.collect_list(entry)).alias("all")
    deciding = F.filter("all", lambda one: one.tier == F.col("all")[0].tier)
    return comparisons.groupBy("usage_key").agg(all_sorted).select("usage_key", deciding.alias("seen"))


def _decide(gathered: DataFrame, rules: MatchingRules) -> DataFrame:
    best = F.col("seen")[0]
    fuzzy = best.tier == _FUZZY
    identified = best.tier < len(_IDENTIFIER)
    # Each recording stands for itself by its best release. Either one is meant, or none: their odds stand against each other.
    recordings = F.array_distinct(F.transform("seen", lambda one: one.recording_id))
    gathered = gathered.withColumn("odds", F.transform(recordings, lambda one: _best_of(one).odds)).withColumn(
        "all_odds", F.aggregate("odds", F.lit(0.0), lambda total, one: total + one)
    )
    one_owner = best.odds >= (1 - rules.rivals) * F.col("all_odds")
    probability = F.when(best.artist == NULL, F.least(_share(best.odds), F.lit(rules.without_artist))).otherwise(
        _share(best.odds)
    )
    tier = F.element_at(F.array(*map(F.lit, _TIERS)), best.tier + 1)

    doubtful_title = best.title >= rules.doubted
    artist_agrees = best.artist.between(0, rules.confirmed)
    status = (
        F.when(fuzzy & (probability < rules.review), "UNCLAIMED")
        .when(~fuzzy & ~one_owner, "AMBIGUOUS")
        .when(identified & doubtful_title & ~artist_agrees, "AMBIGUOUS")
        .when(identified & (doubtful_title | best.unknown_version), "DRIFT_FLAGGED")
        .when(identified, "MATCHED")
        .when(best.isrc == _OTHER_ISRC, "AMBIGUOUS")
        .otherwise("MATCHED")
    )
    decided = gathered.withColumn("reconciliation_status", status)
    paid = F.col("reconciliation_status").isin("MATCHED", "DRIFT_FLAGGED")
    confidence = (
        F.when(F.col("reconciliation_status") == "DRIFT_FLAGGED", F.lit(rules.drift))
        .when((F.col("reconciliation_status") == "MATCHED") & ~fuzzy, F.lit(1.0))
        .otherwise(F.round(F.least(probability, F.lit(0.9999)), 4))
    )
    # A tier's threshold only ever moves a key downwards: from those who are paid to those that a person looks at.
    too_low = paid & (confidence < _threshold(tier, rules))
    decided = decided.withColumn("match_confidence", confidence).withColumn(
        "reconciliation_status", F.when(too_low, "AMBIGUOUS").otherwise(F.col("reconciliation_status"))
    )
    return decided.select(
        "usage_key", "reconciliation_status", "match_confidence",
        F.when(paid, best.recording_id).alias("recording_id"),
        F.when(F.col("reconciliation_status") == "UNCLAIMED", "none").otherwise(tier).alias("tier"),
        evidence(best).alias("evidence"),
        F.size(recordings).alias("candidates"),
        *[F.when(F.col("reconciliation_status") == "AMBIGUOUS", column).alias(name)
          for name, column in _offered(F.slice(recordings, 1, _OFFERED)).items()],
    )  # fmt: skip


def _best_of(recording: Column) -> Column:
    return F.filter("seen", lambda one: one.recording_id == recording)[0]


def _share(odds: Column) -> Column:
    """The probability of one of the recordings, against all the others and against none of them."""
    return odds / (1 + F.col("all_odds"))


def _threshold(tier: Column, rules: MatchingRules) -> Column:
    """The confidence from which a tier pays, by the routing document; 0 for a tier that it does not name."""
    known = [F.when(tier == name, F.lit(threshold)) for name, threshold in rules.thresholds.items()]
    return F.coalesce(*known, F.lit(0.0))


def _offered(recordings: Column) -> dict[str, Column]:
    """What a person is shown of these recordings: each with the probability and the evidence of its best release."""

    def scored(recording: Column) -> Column:
        score = F.round(_share(_best_of(recording).odds), 4)
        return F.struct(recording.alias("recording_id"), score.cast("decimal(5,4)").alias("score"))

    def explained(recording: Column) -> Column:
        parts = ("field", "level", "usage", "catalog")
        return F.transform(
            evidence(_best_of(recording)),
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
