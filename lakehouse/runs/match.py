"""`lakehouse match`: any two tables, or the sources inside one, linked by the shipped rules. No lake is needed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from lakehouse.model.linkage.layouts import COLUMNS
from lakehouse.model.linkage.rules import LinkageRules
from lakehouse.sources.flat import read_table, write_table
from lakehouse.transforms.link import compare_pairs, decide, find_layouts, find_pairs, fit_model, read_records, rival_sides, weigh

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SHOWN = 5


def match_tables(
    spark: SparkSession, left: Path, right: Path | None, out: Path, renamed: Mapping[str, str], rules: LinkageRules
) -> dict[str, Any]:
    """Writes the pairs to `out` and returns {left, right, pairs, by_band, model, findings, seconds}.

    Raises Misuse where a file cannot be read as a table.
    """
    began = time.monotonic()
    tables = [left] if right is None else [left, right]
    sides = [read_table(spark, file, COLUMNS, renamed).withColumn("side", F.lit(side)) for side, file in enumerate(tables)]
    every = sides[0] if right is None else sides[0].unionAll(sides[1])
    counts, findings = _look_at_ids(every, tables)
    records = every.where("id IS NOT NULL").persist()
    readings = read_records(records, find_layouts(records)).persist()
    two_sided = right is not None
    compared = compare_pairs(find_pairs(readings, sum(counts), rules, two_sided), readings, rules).persist()
    model, patterns = fit_model(compared, rules.model)
    weighed = weigh(compared, model, patterns)
    decided = decide(weighed, readings, rival_sides(weighed, rules, two_sided), rules, two_sided).persist()
    write_table(decided.orderBy(F.desc("confidence"), "left_id", "right_id"), out)
    bands = {row.band: row["count"] for row in decided.groupBy("band").count().collect()}
    for rows in (decided, compared, readings, records):
        rows.unpersist()
    return {
        "left": counts[0],
        "right": counts[1] if two_sided else None,
        "pairs": sum(bands.values()),
        "by_band": {band: bands.get(band, 0) for band in ("auto", "review", "reject")},
        "model": model.sha256,
        "findings": findings,
        "seconds": f"{time.monotonic() - began:.1f}",
    }


def _look_at_ids(records: DataFrame, tables: list[Path]) -> tuple[list[int], list[dict[str, str]]]:
    """How many records each table has, and a finding for ids that are missing or stand on several rows."""
    by_id = records.groupBy("side", "id").count().persist()
    odd = by_id.where("count > 1 OR id IS NULL").orderBy("side", "id").limit(_SHOWN).collect()
    findings = [
        {
            "file": tables[row.side].name,
            "rule": "id_missing" if row.id is None else "id_repeated",
            "message": f"{row['count']} rows have no id and were left out: name the column that tells records apart with --map COLUMN=id."
            if row.id is None
            else f"{row.id} is the id of {row['count']} rows: a pair that names it could mean any of them.",
        }
        for row in odd
    ]
    counts = {row.side: row.n for row in by_id.groupBy("side").agg(F.sum("count").alias("n")).collect()}
    by_id.unpersist()
    return [counts.get(side, 0) for side in range(len(tables))], findings
