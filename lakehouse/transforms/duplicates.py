"""The same sale reported by a service and by an aggregator: equal lines are linked one to one, and one of the two is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.model.channels import Channels
from lakehouse.tables import silver
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.normalized import normalized

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

DUPLICATE = "DUPLICATE"
_LINE = ("file_id", "line_no")
# What two lines must agree in, beside the recording and the service.
_EQUAL = ("usage_period", "territory", "configuration", "meaning", "units", "amount", "currency")


def find_duplicates(usage: DataFrame, before: DataFrame, channels: Channels, period: str) -> DataFrame:
    """silver.duplicates of a period: the n-th line of a service is linked to the n-th equal line of an aggregator.

    `usage` are the lines of reports that count, up to this period; `before` the links of earlier periods between them. Equal lines of
    one side are separate sales. A line of an earlier period is paid or held already and stays so; of two lines of this period the one
    is held whose source comes later in `channels.order`. Lines that say neither an ISRC nor both title and artist are not compared.
    """
    if not (channels.services and channels.aggregators):
        return local_rows(usage.sparkSession, silver.duplicates.types)
    linked = before.select(*_LINE).union(before.select("of_file_id", "of_line_no"))
    fresh = F.col("period") == period
    place = F.array_position(F.array(*map(F.lit, channels.order)), F.col("source"))
    of_one_side = Window.partitionBy("equal", "is_service").orderBy(fresh, "place", *_LINE)
    lines = (
        usage.where(F.col("source").isin(*channels.order) & (F.col("amount") != 0))
        .join(linked, [*_LINE], "left_anti")
        .withColumns({"equal": _equal(), "place": place, "is_service": F.col("source").isin(*channels.services)})
        .where("equal IS NOT NULL")
        .withColumn("nth", F.row_number().over(of_one_side))
        .select("equal", "nth", "is_service", "place", "period", *_LINE, "source", "amount", "currency")
    )
    ours, theirs = lines.where("is_service").alias("ours"), lines.where("NOT is_service").alias("theirs")
    pairs = ours.join(theirs, ["equal", "nth"]).where(f"ours.period = '{period}' OR theirs.period = '{period}'")
    ours_is_held = (F.col("ours.period") == period) & (
        (F.col("theirs.period") < period) | (F.col("ours.place") > F.col("theirs.place"))
    )
    held = [
        F.when(ours_is_held, F.col(f"ours.{name}")).otherwise(F.col(f"theirs.{name}")).alias(name) for name in (*_LINE, "source")
    ]
    paid = [
        F.when(ours_is_held, F.col(f"theirs.{name}")).otherwise(F.col(f"ours.{name}")).alias(f"of_{name}")
        for name in (*_LINE, "source", "period")
    ]
    money = [F.col("ours.amount").alias("amount"), F.col("ours.currency").alias("currency")]
    return pairs.select(*held, *paid, *money).withColumn("period", F.lit(period)).select(*silver.duplicates.columns)


def _equal() -> Column:
    """What makes two lines the same sale, as one value; NULL where the line does not name a recording well enough."""
    title, artist = normalized(F.col("title")), normalized(F.col("artist"))
    named = F.when((title != "") & (artist != ""), F.concat(F.lit("="), title, F.lit("\u001f"), artist))
    recording = F.coalesce(F.col("isrc"), named)
    texts = [F.col(name).cast("string") for name in _EQUAL]
    return F.when(recording.isNotNull(), F.sha2(F.concat_ws("\u001f", recording, normalized(F.col("channel")), *texts), 256))
