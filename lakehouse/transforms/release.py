"""Lines on their way back from quarantine, with what a person changed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.sources.recognise import Dialects
from lakehouse.transforms.local import local_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def released_lines(lines: DataFrame, refused: DataFrame, releases: DataFrame, dialects: Dialects) -> DataFrame:
    """The rows of bronze.lines behind `releases` ([record_id, changes]), their cells changed as the releases say.

    `changes` names the report's own columns.
    """
    spark = lines.sparkSession
    known = [(name, list(dialect.fields)) for name, dialect in dialects.by_id.items()]
    columns = local_rows(spark, {"source": "string", "columns": "array<string>"}, known)
    wanted = releases.select("record_id", "changes").join(refused.select("record_id", "file_id", "line_no"), "record_id")
    changed = F.transform("cells", lambda cell, place: F.coalesce(F.try_element_at("changes", F.get("columns", place)), cell))
    return (
        lines.join(F.broadcast(wanted), ["file_id", "line_no"])
        .join(F.broadcast(columns), "source")
        .withColumn("cells", F.when(F.col("changes").isNull(), F.col("cells")).otherwise(changed))
        .select(*lines.columns)
    )
