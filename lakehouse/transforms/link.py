"""Link the records of two tables, or of the sources inside one: candidates by rare keys, evidence by level, calibrated odds.

Every join is a plain equi-join with bounded fan-out; the texts of a pair are compared once, in Arrow batches; the driver sees
counts of distinct patterns of levels only.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.model.linkage.keys import block_keys
from lakehouse.model.linkage.layouts import COLUMNS, SAMPLE, Layout, Reading, find_layout, read
from lakehouse.model.linkage.levels import NULL, PLACE, compare, told
from lakehouse.model.linkage.rules import LinkageRules
from lakehouse.model.linkage.weights import Counted, Model, fit, log_odds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PAIRS: Final = "left_id string, right_id string, confidence double, band string, evidence string"
_READING: Final = {
    field.name: {"duration": "double", "year": "int"}.get(field.name, "string") for field in dataclasses.fields(Reading)
}
_READ: Final = ", ".join(f"{name} {type_}" for name, type_ in _READING.items())
_SIDE: Final = "side int, source string"
_SIDE_NAMES: Final = "source_a string, source_b string"
# A level is written as one character, NULL as `-`: a pattern is a short text that groups and joins natively.
_NULL_LETTER: Final = "-"
_SURE: Final = 0.9

Keep = Callable[["DataFrame"], "DataFrame"]
Layouts = Mapping[tuple[int, str | None], Layout]


def find_layouts(records: DataFrame) -> dict[tuple[int, str | None], Layout]:
    """The layout of each source on each side, from its first rows by id. `records`: side and COLUMNS, all text."""
    first = Window.partitionBy("side", "source").orderBy("id")
    rows = records.withColumn("nth", F.row_number().over(first)).where(F.col("nth") <= SAMPLE).collect()
    by_source: dict[tuple[int, str | None], list[dict[str, str | None]]] = {}
    for row in rows:
        by_source.setdefault((row.side, row.source), []).append({name: row[name] for name in COLUMNS})
    return {source: find_layout(seen) for source, seen in by_source.items()}


def read_records(records: DataFrame, layouts: Layouts) -> DataFrame:
    """`records` as they are compared: rec (hash of the row), id, side, source, the fields of Reading, and `keys`."""

    def batches(given: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in given:
            rows = batch.to_pylist()
            readings = [read(row, layouts.get((row["side"], row["source"]), Layout())) for row in rows]
            columns = {name: [row[name] for row in rows] for name in ("rec", "id", "side", "source")}
            columns |= {name: [getattr(one, name) for one in readings] for name in _READING}
            columns["keys"] = [sorted(block_keys(one)) for one in readings]
            yield pa.RecordBatch.from_pydict(columns, schema=schema)

    schema = pa.schema(
        [("rec", pa.int64()), ("id", pa.string()), ("side", pa.int32()), ("source", pa.string())]
        + [(n, {"double": pa.float64(), "int": pa.int32()}.get(t, pa.string())) for n, t in _READING.items()]
        + [("keys", pa.list_(pa.int64()))]
    )
    # Rows that say the same are one record; ids may stand on several.
    return (
        records.select(F.xxhash64("side", *COLUMNS).alias("rec"), "side", *COLUMNS)
        .distinct()
        .mapInArrow(batches, f"rec bigint, id string, {_SIDE}, {_READ}, keys array<bigint>")
    )


def find_pairs(readings: DataFrame, total: int, rules: LinkageRules, two_sided: bool) -> DataFrame:
    """Candidate pairs (a, b): those that share the most rare keys, for each record of either side its best few."""
    by_key = Window.partitionBy("key")
    postings = readings.select("rec", "side", F.explode("keys").alias("key")).withColumn("df", F.count("*").over(by_key))
    # The window has brought the records of a key together: the join below moves nothing more.
    rare = postings.where(F.col("df").between(2, rules.blocking.frequency))
    ours = rare.select("key", "df", F.col("rec").alias("a"), F.col("side").alias("side_a"))
    theirs = rare.select("key", F.col("rec").alias("b"), F.col("side").alias("side_b"))
    apart = "side_a < side_b" if two_sided else "a < b"
    # Whole numbers: no order of summing changes a choice.
    weight = F.round(1000 * F.log(F.lit(float(total)) / F.col("df"))).cast("bigint")
    shared = ours.join(theirs, "key").where(apart).groupBy("a", "b").agg(F.sum(weight).alias("weight"))
    seen = shared.select(F.col("a").alias("of"), "a", "b", "weight").unionAll(
        shared.select(F.col("b").alias("of"), "a", "b", "weight")
    )
    best = Window.partitionBy("of").orderBy(F.desc("weight"), "a", "b")
    ranked = seen.withColumn("nth", F.row_number().over(best)).where(F.col("nth") <= rules.blocking.candidates)
    return ranked.select("a", "b").distinct()


def compare_pairs(pairs: DataFrame, readings: DataFrame, rules: LinkageRules) -> DataFrame:
    """Each pair with its pattern of levels: a, b, source_a, source_b, pattern."""
    fields = ["source", *_READING]
    for side in ("a", "b"):
        told_by = readings.select(F.col("rec").alias(side), *(F.col(name).alias(f"{name}_{side}") for name in fields))
        pairs = pairs.join(told_by, side)
    schema = pa.schema(
        [("a", pa.int64()), ("b", pa.int64()), ("source_a", pa.string()), ("source_b", pa.string()), ("pattern", pa.string())]
    )

    def batches(given: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in given:
            columns = batch.to_pydict()
            left, right = (
                [Reading(*values) for values in zip(*(columns[f"{name}_{side}"] for name in _READING), strict=True)]
                for side in ("a", "b")
            )
            levels = compare(left, right, rules.versions)
            sources = zip(columns["source_a"], columns["source_b"], strict=True)
            levels[:, PLACE["source"]] = [NULL if a is None or b is None else int(a != b) for a, b in sources]
            patterns = ["".join(_NULL_LETTER if level == NULL else str(level) for level in row) for row in levels.tolist()]
            kept = {name: columns[name] for name in ("a", "b", "source_a", "source_b")}
            yield pa.RecordBatch.from_pydict({**kept, "pattern": patterns}, schema=schema)

    return pairs.mapInArrow(batches, f"a bigint, b bigint, {_SIDE_NAMES}, pattern string")


def fit_model(compared: DataFrame, shipped: Model) -> tuple[Model, list[str]]:
    """The model re-estimated on the pairs themselves, without labels, and every pattern that they show."""
    rows = sorted(compared.groupBy("pattern").count().collect())
    patterns = [row.pattern for row in rows]
    counted = Counted(_levels(patterns), np.array([row["count"] for row in rows], dtype=float))
    return fit(shipped, counted), patterns


def weigh(compared: DataFrame, model: Model, patterns: list[str]) -> DataFrame:
    """Each pair with `odds` (not logarithmic) and the `evidence` in words, as JSON."""
    spark: SparkSession = compared.sparkSession
    levels = _levels(patterns)
    odds = np.exp(log_odds(model, levels)).tolist()
    words = [json.dumps(told(row)) for row in levels.tolist()]
    known = spark.createDataFrame(list(zip(patterns, odds, words, strict=True)), "pattern string, odds double, evidence string")
    return compared.join(F.broadcast(known), "pattern").drop("pattern")


def rival_sides(weighed: DataFrame, rules: LinkageRules, two_sided: bool) -> tuple[str, ...]:
    """From which ends of a pair (a, b) partners compete: those where two good partners in one source are the exception."""
    sources = weighed if two_sided else weighed.where("source_a IS NOT NULL AND source_b IS NOT NULL")
    good = sources.where(f"odds >= {_SURE / (1 - _SURE)}")
    ends = []
    for end, other in (("a", "b"), ("b", "a")):
        partners = good.groupBy(end, f"source_{other}").count()
        row = partners.agg(F.count("*").alias("linked"), F.sum((F.col("count") > 1).cast("int")).alias("twice")).collect()[0]
        if row.linked and (row.twice or 0) < rules.exclusive * row.linked:
            ends.append(end)
    return tuple(ends)


def decide(weighed: DataFrame, readings: DataFrame, ends: tuple[str, ...], rules: LinkageRules, two_sided: bool) -> DataFrame:
    """The pairs worth telling: left_id, right_id, confidence, band, evidence.

    Where a source holds each recording once, the odds of a pair stand against those of all its rivals.
    """
    rivals = F.lit(0.0)
    for end, other in (("a", "b"), ("b", "a")):
        if end in ends:
            all_of = F.sum("odds").over(Window.partitionBy(end, f"source_{other}"))
            rivals = rivals + F.greatest(all_of - F.col("odds"), F.lit(0.0))
    confidence = F.round(F.col("odds") / (1 + F.col("odds") + rivals), 6)
    bands = rules.bands
    band = (
        F.when(F.col("confidence") >= bands.auto, "auto").when(F.col("confidence") >= bands.review, "review").otherwise("reject")
    )
    ids = readings.select("rec", "id")
    return (
        weighed.withColumn("confidence", confidence)
        .where(F.col("confidence") >= bands.told)
        .withColumn("band", band)
        .join(ids.toDF("a", "left_id"), "a")
        .join(ids.toDF("b", "right_id"), "b")
        .where(F.lit(two_sided) | (F.col("left_id") != F.col("right_id")))
        .select("left_id", "right_id", "confidence", "band", "evidence")
    )


def _levels(patterns: list[str]) -> Any:
    rows = [[NULL if letter == _NULL_LETTER else int(letter) for letter in pattern] for pattern in patterns]
    return np.array(rows, dtype=np.int8).reshape(len(patterns), len(PLACE))
