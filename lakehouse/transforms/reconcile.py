"""Match every usage key to a recording, or say why not.

Tiers in order, the first that finds anything decides: proprietary id and ISRC, UPC with track title, title with
artist (one equi-join against the catalog), then comparison of blocked candidates. One Arrow UDF compares every pair
that a tier brings by the rules of linking, so that exact hits carry their evidence too and a drifted title shows.
"""

from __future__ import annotations

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.model.linkage.levels import COMPARISONS, NULL, PLACE
from lakehouse.model.matching import MatchingRules
from lakehouse.model.vocabulary import PAID
from lakehouse.tables import silver
from lakehouse.transforms.candidates import Hint, as_it_is, find_candidates, form_id, index_entries, named
from lakehouse.transforms.evidence import COMPARISON, EVIDENCE_TYPE, FIELDS, compared, evidence
from lakehouse.transforms.normalized import normalized

# The columns of silver.matches, but for those that only the caller knows.
DECISION: Final = tuple(name for name in silver.matches.columns if name not in ("catalog_version", "review_no", "period"))
_TIERS: Final = ("proprietary_id", "isrc", "upc_track", "title_artist", "fuzzy")
_BY_RELEASE, _BY_NAME, _FUZZY = (_TIERS.index(tier) for tier in ("upc_track", "title_artist", "fuzzy"))
_IDENTIFIER: Final = ("proprietary_id", "isrc")
# How many recordings a person is shown for an ambiguous key.
_OFFERED: Final = 5
_OTHER_ISRC: Final = COMPARISONS[PLACE["isrc"]].levels.index("else")


def match_keys(
    keys: DataFrame,
    catalog: DataFrame,
    rules: MatchingRules,
    keep: Hint = as_it_is,
    refused: DataFrame | None = None,
    index: DataFrame | None = None,
    parts: int = 1,
) -> DataFrame:
    """One decision for each usage key, in the columns DECISION.

    `keys`: distinct usage_key with isrc, upc, title, artist, album, label, proprietary_id.
    `catalog`: rows of silver.catalog. The result depends on nothing but the rows and the rules: not on their
    order, nor on partitions. `keep` may persist what several tiers use. `refused`: [usage_key, recording_id] that a person
    has ruled out. `index`: entries for what the catalog holds, and perhaps for what it no longer holds; without it, it is made. `parts`: in how many
    parts the keys are sent to the index; where they are too many to be sent at once, Spark decides how they come to the catalog.
    """
    pairs = find_pairs(keys, catalog, rules, keep, refused, index, parts)
    seen = compared(F.struct(*_sided("u")), F.struct(*_sided("c")), rules).alias("seen")
    decided = _decide(_gather(pairs.select("key", "usage_key", "tier", "recording_id", *_of("c"), seen)), rules)
    return keys.join(decided, "usage_key", "left").select(*_or_unclaimed(rules))


def find_pairs(
    keys: DataFrame,
    catalog: DataFrame,
    rules: MatchingRules,
    keep: Hint = as_it_is,
    refused: DataFrame | None = None,
    index: DataFrame | None = None,
    parts: int = 1,
) -> DataFrame:
    """What is compared: key, usage_key, tier (position in the order of tiers), recording_id, both sides' fields; by key in one partition."""
    few = F.broadcast if parts == 1 else as_it_is
    number = F.xxhash64("usage_key").alias("key")
    asked = keep(keys.select(number, "usage_key", *FIELDS, "proprietary_id", *_forms()))
    known = with_form(catalog).select("form", "recording_id", *FIELDS, "proprietary_ids")
    index = keep(index_of(catalog)) if index is None else index
    exact = keep(_but(_exact_hits(asked, known, index, few), refused, number))
    rest = asked.join(exact.select("key").distinct(), "key", "left_anti")
    found = find_candidates(rest, index, rules.blocking, keep, parts)
    fuzzy = known.join(few(found), "form").select("key", F.lit(_FUZZY).alias("tier"), *_theirs())
    # One shuffle of the recordings brings together what is compared by one function, and then decided by key.
    both = exact.unionByName(_but(fuzzy, refused, number)).repartition("key")
    return both.join(few(asked.select("key", "usage_key", *[F.col(name).alias(f"u_{name}") for name in FIELDS])), "key")


def with_form(catalog: DataFrame) -> DataFrame:
    """The catalog with what the index calls each of its recordings."""
    return catalog.withColumn("form", form_id(*map(F.col, ("recording_id", "title", "artist"))))


def index_of(catalog: DataFrame) -> DataFrame:
    """The index of these recordings, as `index_entries` makes it: each once, on however many releases it is."""
    return index_entries(with_form(catalog).select("form", "title", "artist").distinct().select("form", *_forms()))


def missing_entries(catalog: DataFrame, index: DataFrame) -> DataFrame:
    """What an index lacks of this catalog."""
    return index_of(with_form(catalog).join(index.select("form"), "form", "left_anti").drop("form"))


def _forms() -> list[Column]:
    return [normalized(F.col(name)).alias(f"n_{name}") for name in ("title", "artist")]


def _sided(side: str) -> list[Column]:
    return [F.col(f"{side}_{name}").alias(name) for name in FIELDS]


def _theirs() -> list[Column]:
    return [F.col("recording_id"), *[F.col(name).alias(f"c_{name}") for name in FIELDS]]


def _of(side: str) -> list[str]:
    return [f"{side}_{name}" for name in FIELDS]


def _exact_hits(asked: DataFrame, known: DataFrame, index: DataFrame, few: Hint) -> DataFrame:
    """Every pair that an exact tier finds: key, tier (position in _TIERS), recording_id, the recording's fields.

    The handles of all tiers are one column, so that one join against the catalog serves them all. Names are looked up in the index first.
    """
    name = asked.select("key", "n_title", "n_artist", named(F.col("n_title"), F.col("n_artist")).alias("named"))
    by_name = index.select("form", "named").join(few(name), "named").select(
        "key", "n_title", "n_artist", F.struct(F.lit(_BY_NAME).alias("tier"), F.col("form").cast("string").alias("value")).alias("by")
    )  # fmt: skip
    one_id = F.when(F.col("proprietary_id").isNotNull(), F.array("proprietary_id"))
    ours = asked.select("key", "n_title", "n_artist", F.explode(_handles(one_id)).alias("by")).unionByName(by_name)
    theirs = known.withColumn("by", F.explode(_handles(F.col("proprietary_ids"), F.col("form").cast("string"))))
    ours, theirs = (side.where("by.value != ''") for side in (ours, theirs))
    pairs = theirs.join(few(ours), "by").withColumn("tier", F.col("by.tier"))
    same_title = (F.col("n_title") != "") & (F.col("n_title") == normalized(F.col("title")))
    same_name = same_title & (F.col("n_artist") == normalized(F.col("artist")))
    told = F.when(F.col("tier") == _BY_RELEASE, same_title).when(F.col("tier") == _BY_NAME, same_name).otherwise(F.lit(True))
    return pairs.where(told).select("key", "tier", *_theirs())


def _handles(ids: Column, form: Column | None = None) -> Column:
    """Everything a record can be found by exactly, as an array of (tier, value); the value may be missing."""

    def handle(tier: int, value: Column) -> Column:
        return F.struct(F.lit(tier).alias("tier"), value.alias("value"))

    own = F.array(
        handle(1, F.col("isrc")), handle(_BY_RELEASE, F.col("upc")), *([handle(_BY_NAME, form)] if form is not None else [])
    )
    # A lambda is many times slower than what stands here: most records have no proprietary id.
    proprietary = F.transform(F.array_distinct(ids), lambda one: handle(0, one))
    return F.when(F.size(ids) > 0, F.concat(own, proprietary)).otherwise(own)


def _but(pairs: DataFrame, refused: DataFrame | None, number: Column) -> DataFrame:
    if refused is None:
        return pairs
    return pairs.join(F.broadcast(refused.select(number, "recording_id")), ["key", "recording_id"], "left_anti")


def _gather(comparisons: DataFrame) -> DataFrame:
    """For each key what its deciding tier has found: all_odds and candidates of all its recordings, and the first of them as an array `seen`, best first: by
    odds, then recording. Each recording stands for itself by its best release.

    What differs in its version words is another recording: without an identifier that says otherwise it has no odds.
    """
    seen = F.col("seen")
    other = (F.col("tier") == _FUZZY) & (seen.version > 0)
    found = {
        "odds": F.when(other, F.lit(0.0)).otherwise(seen.odds),
        **{name: seen[name] for name in COMPARISON if name != "odds"},
    }
    rows = comparisons.select(
        "key", "usage_key", "tier", "recording_id", *[one.alias(name) for name, one in found.items()], *_of("c")
    )
    releases = Window.partitionBy("key", "recording_id").orderBy("tier", F.desc("odds"), "c_upc", *_of("c"))
    ranks = Window.partitionBy("key").orderBy("tier", F.desc("odds"), "recording_id")
    # In their order, for a sum of floats depends on it.
    every = ranks.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    once = rows.withColumn("release", F.row_number().over(releases)).where("release = 1")
    deciding = once.withColumn("deciding", F.first("tier").over(ranks)).where("tier = deciding")
    ranked = deciding.withColumns(
        {"nth": F.row_number().over(ranks), "all_odds": F.sum("odds").over(every), "candidates": F.count(F.lit(1)).over(every)}
    )
    shown = ranked.where(F.col("nth") <= _OFFERED).groupBy("key", "usage_key")
    entry = F.struct("nth", "tier", "recording_id", *found, *_of("c"))
    same = [F.first(name).alias(name) for name in ("all_odds", "candidates")]
    return shown.agg(F.sort_array(F.collect_list(entry)).alias("seen"), *same)


def _decide(gathered: DataFrame, rules: MatchingRules) -> DataFrame:
    """[usage_key, status, confidence, tier, and the comparisons that a person is shown, best first]."""
    best = F.col("seen")[0]
    fuzzy = best.tier == _FUZZY
    identified = best.tier < len(_IDENTIFIER)
    # Either one recording is meant, or none: their odds stand against each other.
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
    paid = F.col("reconciliation_status").isin(*PAID)
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
        "usage_key", "reconciliation_status", "match_confidence", "all_odds",
        F.when(paid, best.recording_id).alias("recording_id"),
        F.when(F.col("reconciliation_status") == "UNCLAIMED", "none").otherwise(tier).alias("tier"),
        F.col("candidates").cast("int").alias("candidates"), "seen",
    )  # fmt: skip


def _share(odds: Column) -> Column:
    """The probability of one of the recordings, against all the others and against none of them."""
    return odds / (1 + F.col("all_odds"))


def _threshold(tier: Column, rules: MatchingRules) -> Column:
    """The confidence from which a tier pays, by the routing document; 0 for a tier that it does not name."""
    known = [F.when(tier == name, F.lit(threshold)) for name, threshold in rules.thresholds.items()]
    return F.coalesce(*known, F.lit(0.0))


def _offered() -> dict[str, Column]:
    """What a person is shown of an ambiguous key: each recording with the probability and the evidence of its best release."""

    def scored(seen: Column) -> Column:
        return F.struct(
            seen.recording_id.alias("recording_id"), F.round(_share(seen.odds), 4).cast("decimal(5,4)").alias("score")
        )

    def explained(seen: Column) -> Column:
        parts = ("field", "level", "usage", "catalog")
        return F.transform(
            evidence(seen),
            lambda item: F.struct(seen.recording_id.alias("recording_id"), *[item[part].alias(part) for part in parts]),
        )

    shown = {"offered": F.transform("seen", scored), "offered_evidence": F.flatten(F.transform("seen", explained))}
    return {name: F.when(F.col("reconciliation_status") == "AMBIGUOUS", column) for name, column in shown.items()}


def _or_unclaimed(rules: MatchingRules) -> list[Column]:
    """The columns of a decision; a key that no tier found anything for is unclaimed."""
    defaults = {
        "ruleset": F.lit(rules.ruleset),
        "reconciliation_status": F.coalesce(F.col("reconciliation_status"), F.lit("UNCLAIMED")),
        "match_confidence": F.coalesce(F.col("match_confidence"), F.lit(0.0)),
        "tier": F.coalesce(F.col("tier"), F.lit("none")),
        "evidence": F.when(F.col("seen").isNotNull(), evidence(F.col("seen")[0])).otherwise(F.array().cast(EVIDENCE_TYPE)),
        "candidates": F.coalesce(F.col("candidates"), F.lit(0)),
        **_offered(),
    }
    return [defaults.get(name, F.col(name)).alias(name) for name in DECISION]
