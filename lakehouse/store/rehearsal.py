"""A little of everything that the stages ask of Spark and Delta, in a folder that is gone after: the JVM has then learnt it."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.place import Place
from lakehouse.settings import load_settings
from lakehouse.store.delta import DeltaStore
from lakehouse.store.light import create_tables
from lakehouse.tables import ops

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def rehearse(spark: SparkSession) -> None:
    """Takes a few seconds, and changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        place, table = Place.of(load_settings(root=folder)), ops.ignored
        create_tables(place, [table])
        store, note = DeltaStore(spark, place), {"job": "rehearsal"}
        rows = spark.range(1, 100).select(
            F.lit("2026-01").alias("period"), F.sha2(F.col("id").cast("string"), 256).alias("file_id"), F.col("id").alias("line_no"),
            F.lit("summary").alias("meaning"),
        )  # fmt: skip
        kept = rows.mapInArrow(lambda batches: batches, rows.schema).persist()
        store.append(table, kept, note)
        again = store.read(table, period="2026-01")
        sums = again.groupBy("file_id").agg(F.sum(F.col("line_no").cast("decimal(38,18)")).alias("amount"), F.min("meaning"))
        joined = again.join(F.broadcast(sums.select("file_id")), "file_id").unionByName(rows)
        fresh = joined.join(sums.where("amount > 5"), "file_id", "left_anti").localCheckpoint(eager=False)
        store.append(table, fresh, note)
        store.append(table, again.groupBy("period").applyInArrow(lambda part: part, again.schema), note)
        kept.unpersist()
