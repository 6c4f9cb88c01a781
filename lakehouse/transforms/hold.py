"""The holding ledger: money without an owner, with its reason and its age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.model.book import ContractBook
from lakehouse.model.channels import Channels
from lakehouse.tables import gold
from lakehouse.tables.declare import MONEY, UNITS
from lakehouse.tables.gold import GROUP, UNMATCHED
from lakehouse.transforms.duplicates import DUPLICATE
from lakehouse.transforms.groups import MEASURES
from lakehouse.transforms.resolve import AGAIN, row_id

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def holds(unpaid: DataFrame, resolved: DataFrame, period: str) -> DataFrame:
    """A hold for each group whose recording is not known, and for each that no contract covers, unless it is held already."""
    not_held = F.col("hold_id").isNull() | F.col("hold_id").startswith(AGAIN)
    own = [*GROUP, *MEASURES, "hold_id", *(name for name in ("held_since",) if name in unpaid.columns)]
    unmatched = unpaid.where(not_held).select(*own, F.col("reconciliation_status").alias("reason"))
    uncovered = resolved.where(F.col("contract_id").isNull() & not_held).select(*own, F.col("refusal").alias("reason"))
    since = F.coalesce("held_since", F.lit(period)) if "held_since" in unpaid.columns else F.lit(period)
    identity = [F.lit(period), F.lit("hold"), *(F.col(c) for c in GROUP)]
    return (
        unmatched.unionByName(uncovered)
        .withColumns({"period": F.lit(period), "held_since": since, "entry": F.lit("hold")})
        .withColumn("releases", F.lit(None).cast("string"))
        .withColumn(
            "entry_id", F.when(F.col("hold_id").isNull(), row_id(*identity)).otherwise(row_id(*identity, F.col("hold_id")))
        )
        .select(*gold.holding.columns)
    )


def duplicate_holds(groups: DataFrame, period: str) -> DataFrame:
    """A hold for each group of lines that another source reports too."""
    values = {"period": F.lit(period), "held_since": F.lit(period), "entry": F.lit("hold"), "reason": F.lit(DUPLICATE)}
    entry_id = row_id(F.lit(period), F.lit("hold"), F.lit(DUPLICATE), *(F.col(c) for c in GROUP))
    return groups.withColumns({**values, "releases": F.lit(None).cast("string"), "entry_id": entry_id}).select(
        *gold.holding.columns
    )


def adjust_entries(open_holds: DataFrame, decided: DataFrame, period: str) -> DataFrame:
    """The entry of each adjustment whose hold is still open. `decided`: [releases_of, adjustment_id, added], by hold."""
    nothing = {"usage_lines": F.lit(0).cast("bigint"), "units": F.lit(0).cast(UNITS), "gross": F.lit(None).cast(MONEY)}
    entry_id = row_id(F.lit(period), F.lit("adjust"), F.col("releases"), F.col("adjustment_id"))
    return (
        open_holds.join(decided, F.col("entry_id") == F.col("releases_of"))
        .withColumns({**nothing, "entry": F.lit("adjust"), "period": F.lit(period), "releases": F.col("releases_of")})
        .withColumns({"amount": F.col("added"), "entry_id": entry_id})
        .select(*gold.holding.columns)
    )


def may_find_an_owner(channels: Channels) -> Column:
    """Whether an open hold is tried again. What is held as a duplicate is not, until its source is no longer one that is compared."""
    return (F.col("reason") != DUPLICATE) | ~F.col("source").isin(*channels.order)


def months_held(period: str) -> Column:
    """For how many months the money of a hold has waited in `period`."""
    since = F.col("held_since")
    months = [F.substring(one, 1, 4).cast("int") * 12 + F.substring(one, 6, 2).cast("int") for one in (F.lit(period), since)]
    return months[0] - months[1]


def to_pools(groups: DataFrame, keys: DataFrame) -> DataFrame:
    """The groups, those of these keys that nobody has claimed with UNMATCHED as their recording."""
    told = groups.join(keys.withColumn("to_pool", F.lit(True)), "usage_key", "left")
    pooled = F.col("to_pool") & (F.col("reconciliation_status") == "UNCLAIMED")
    return told.withColumn("recording_id", F.when(pooled, UNMATCHED).otherwise(F.col("recording_id"))).select(*groups.columns)


def went_where(book: ContractBook) -> Column:
    """`went`: the entry by which a hold leaves for the contract that takes it: `escheat` where that is for what nobody claimed in time."""
    late = [contract.contract for contract in book.pools if contract.covers.after_months]
    entry = F.when(F.col("contract_id").isin(*late), "escheat").otherwise("release") if late else F.lit("release")
    return entry.alias("went")


def taken_away(opening: DataFrame, entry: Column, period: str) -> DataFrame:
    """The entries that take these open holds away: a `release` to those who own the money, an `escheat` to those who have it after its
    time, or a `reversal` of the report."""
    return (
        opening.withColumn("releases", F.col("entry_id"))
        .withColumn("entry", entry)
        .withColumn("entry_id", row_id(F.lit(period), F.col("entry"), F.col("releases")))
        .withColumn("period", F.lit(period))
        .withColumns({name: -F.col(name) for name in ("units", "gross", "amount")})
        .select(*gold.holding.columns)
    )
