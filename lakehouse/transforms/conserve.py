"""Conservation: for each file and currency, where its money is. The difference must be zero."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.tables import gold
from lakehouse.tables.declare import MONEY

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What comes in, and the places where it goes.
_IN = ("revenue", "adjusted")
_PLACES = ("payable", "retained", "fees", "tax", "held", "quarantined")
_CATEGORIES = {"payable": "payable", "reserved": "payable", "retained": "retained", "fee": "fees", "tax": "tax"}
_KEYS = ("file_id", "source", "currency")


def conserve(
    usage: DataFrame,
    refused: DataFrame,
    returned: DataFrame,
    lines: DataFrame,
    holding: DataFrame,
    undone: DataFrame,
    period: str,
) -> DataFrame:
    """gold.conservation of a period, measured from both ends: reports in, and places where the money went.

    `usage` and `refused` are the period's usage lines and quarantined lines of reports that count; `returned` are lines
    refused in an earlier period and released in this one, whose revenue was counted then; `undone` are the published
    conservation rows of reports that a later version has replaced. What a person adds to a hold comes from no report: it comes in as `adjusted`. An amount that could not be read counts as zero here.
    """
    readable = "amount IS NOT NULL AND currency IS NOT NULL"
    refused, returned = refused.where(readable), returned.where(readable)
    flows = [
        _flow(usage, revenue=F.col("amount")),
        _flow(refused, revenue=F.col("amount"), quarantined=F.col("amount")),
        _flow(returned, revenue=-F.col("amount"), quarantined=-F.col("amount")),
        _flow(
            lines.where(F.col("category").isin(*_CATEGORIES)), **{place: _in_place(place) for place in {*_CATEGORIES.values()}}
        ),
        _flow(holding, held=F.col("amount"), adjusted=F.when(F.col("entry") == "adjust", F.col("amount")).otherwise(F.lit(0))),
        _flow(undone, **{name: -F.col(name) for name in ("revenue", "quarantined", "adjusted")}),
    ]
    sums = [F.sum(place).alias(place) for place in (*_IN, *_PLACES)]
    total = reduce(lambda a, b: a.unionByName(b), flows).groupBy(*_KEYS).agg(*sums)
    difference = reduce(lambda rest, place: rest - F.col(place), _PLACES, F.col("revenue") + F.col("adjusted"))
    return (
        total.withColumn("difference", difference.cast(MONEY))
        .withColumn("period", F.lit(period))
        .select(*gold.conservation.columns)
    )


def _in_place(place: str) -> Column:
    """The amount of a royalty line where its category puts it there, and nought where it does not."""
    categories = [category for category, of in _CATEGORIES.items() if of == place]
    return F.when(F.col("category").isin(*categories), F.col("amount")).otherwise(F.lit(0).cast(MONEY))


def _flow(rows: DataFrame, **amounts) -> DataFrame:  # type: ignore[no-untyped-def]
    zero = F.lit(0).cast(MONEY)
    return rows.select(*_KEYS, *(amounts.get(place, zero).cast(MONEY).alias(place) for place in (*_IN, *_PLACES)))
