"""Publishing before pools: what nobody knows the recording of is paid on the work that its ISRC is linked to, and the rest waits as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import functions as F

from lakehouse.model.book import ContractBook
from lakehouse.model.pools import REST_OF_WORK
from lakehouse.model.vocabulary import OF_WORK
from lakehouse.tables.declare import MONEY
from lakehouse.tables.gold import GROUP
from lakehouse.transforms.duplicates import DUPLICATE
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.resolve import AGAIN, group_id, resolve, row_id, standing
from lakehouse.transforms.resolved import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

# Why a group is held whose recording is linked to works of several owners.
CONFLICTING_WORKS = "CONFLICTING_WORKS"
_OF = "of_group"


class OnWorks(NamedTuple):
    """`groups`: what contracts and pools are looked for, after what is paid on works; `parts`: that, in the columns of resolved parts."""

    groups: DataFrame
    parts: DataFrame


def pay_on_works(
    groups: DataFrame,
    works: DataFrame,
    book: ContractBook,
    check: Callable[[DataFrame], None],
    keep: Callable[[DataFrame], DataFrame],
) -> OnWorks:
    """Pays the publishing of unclaimed groups whose keys are linked to a work that a contract covers. Nothing of the master goes to anyone.

    `groups`: GROUP, measures, hold_id, months_held, held_since, base, pooled, on_work (whether it is paid already), reconciliation_status and what
    the catalog says. `works`: [usage_key, works]. Links to works of several owners, or of which one has none in the book, are not guessed: the
    group is held as CONFLICTING_WORKS. `check` is given all parts before the rest is taken from them.
    """
    open_ = (F.col("reconciliation_status") == "UNCLAIMED") & ~F.coalesce("on_work", F.lit(False))
    told = groups.join(F.broadcast(works), "usage_key", "left")
    told = told.join(F.broadcast(_owners(works, groups, book)), ["usage_key", "usage_period"], "left")
    told = keep(
        told.withColumn("work", F.when(open_, F.col("work"))).withColumn("conflict", open_ & F.coalesce("conflict", F.lit(False)))
    )
    asked = told.where("work IS NOT NULL").withColumn("recording_id", F.concat(F.lit(OF_WORK), "work")).select(*groups.columns)
    parts = keep(resolve(asked, book, keep=keep))
    check(parts)
    given, rest = _rest(parts.where("contract_id IS NOT NULL"))
    left = F.coalesce("rest", F.lit(0)).cast(MONEY)
    # A price for each copy may come to more than the usage brought: nobody has the money for that yet.
    paid = F.col("contract").isNotNull() & (left != F.col("amount")) & (left * F.sign("amount") >= 0)
    found = keep(told.withColumn(_OF, _identity()).join(rest, _OF, "left").withColumn("paid", F.coalesce(paid, F.lit(False))))
    publishing = given.join(found.where("paid").select(_OF), _OF, "left_semi").drop(_OF)
    step = F.struct(
        F.lit(REST_OF_WORK).alias("stage"), F.concat(F.lit(OF_WORK), "work").alias("term"),
        F.col("amount").alias("amount_in"), left.alias("amount_out"),
    )  # fmt: skip
    again = F.when(F.col("hold_id").isNotNull(), F.concat(F.lit(AGAIN), F.regexp_replace("hold_id", f"^{AGAIN}", "")))
    after = {
        "pooled": F.when(
            F.col("paid"), F.concat(F.coalesce("pooled", F.array().cast(STAGES)), F.array(step).cast(STAGES))
        ).otherwise(F.col("pooled")),
        "amount": F.when(F.col("paid"), left).otherwise(F.col("amount")),
        "hold_id": F.when(F.col("paid"), again).otherwise(F.col("hold_id")),
        "reconciliation_status": F.when(F.col("conflict"), CONFLICTING_WORKS).otherwise(F.col("reconciliation_status")),
    }
    rest_of_all = found.where(~F.col("paid") | (left != 0)).withColumns(after)
    return OnWorks(keep(rest_of_all.select(*groups.columns)), keep(publishing))


def _owners(works: DataFrame, groups: DataFrame, book: ContractBook) -> DataFrame:
    """[usage_key, usage_period, work, conflict]: the work by which a key is paid in a month of use, or that nothing decides between several."""
    covered = [
        (work, contract.contract, contract.effective.start[:7], (contract.effective.end or "9999-12")[:7])
        for contract in book.of_works
        for work in contract.covers.works
    ]
    types = {"iswc": "string", "contract": "string", "start": "string", "end": "string"}
    contracts = F.broadcast(local_rows(works.sparkSession, types, sorted(covered)))
    linked = works.select("usage_key", F.explode("works").alias("iswc"))
    months = groups.select("usage_key", "usage_period").distinct().join(linked, "usage_key")
    in_force = (months["iswc"] == contracts["iswc"]) & F.col("usage_period").between(F.col("start"), F.col("end"))
    owned = months.join(contracts, in_force, "left").select(
        months["usage_key"], months["usage_period"], months["iswc"], "contract"
    )
    sums = owned.groupBy("usage_key", "usage_period").agg(
        F.count_distinct(F.coalesce("contract", F.lit(""))).alias("owners"),
        F.min(F.when(F.col("contract").isNotNull(), F.col("iswc"))).alias("work"),
    )
    known = sums.where("work IS NOT NULL")
    return known.select(
        "usage_key",
        "usage_period",
        F.when(F.col("owners") == 1, F.col("work")).alias("work"),
        (F.col("owners") > 1).alias("conflict"),
    )


def _rest(parts: DataFrame) -> tuple[DataFrame, DataFrame]:
    """What parties are given, by group; and of each group what is left for the master: [of_group, rest, contract]."""
    told = parts.withColumn(_OF, _identity())
    kept = F.col("category") == "retained"
    rest = told.groupBy(_OF).agg(
        F.sum(F.when(kept, F.col("amount"))).cast(MONEY).alias("rest"), F.min("contract_id").alias("contract")
    )
    return told.where(~kept), rest


def _identity() -> Column:
    return row_id(*(F.col(name) for name in GROUP), F.col("hold_id"))


def with_rest_of_works(waiting: DataFrame, published: DataFrame) -> DataFrame:
    """Open holds with `base`, `pooled` and `on_work`: those of which the publishing is paid begin at what their reports brought.

    In: gold.holding, perhaps with `base` and `pooled` of adjustments; the royalty lines of closed books.
    """
    group = group_id().alias(_OF)
    lines = standing(published.where(F.col("recording_id").startswith(OF_WORK)))
    sums = F.sum("amount").cast(MONEY).alias("published"), F.min("recording_id").alias("term")
    paid = lines.groupBy(group).agg(*sums)
    if "pooled" not in waiting.columns:
        waiting = waiting.withColumns({"base": F.col("amount"), "pooled": F.lit(None).cast(STAGES)})
    told = waiting.withColumn(_OF, group).join(F.broadcast(paid), _OF, "left")
    told = told.withColumn("published", F.when(F.col("reason") != DUPLICATE, F.col("published")))
    brought = (F.col("base") + F.coalesce("published", F.lit(0))).cast(MONEY)
    step = F.struct(
        F.lit(REST_OF_WORK).alias("stage"), F.col("term"), brought.alias("amount_in"), F.col("base").alias("amount_out")
    )
    way = F.concat(F.array(step).cast(STAGES), F.coalesce("pooled", F.array().cast(STAGES)))
    on_work = F.col("published").isNotNull()
    told = told.withColumns({"pooled": F.when(on_work, way).otherwise(F.col("pooled")), "on_work": on_work})
    return told.withColumn("base", brought).drop(_OF, "term", "published")


def without_rest_of(waiting: DataFrame, corrected: DataFrame) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Once a recording is known, its whole usage is divided anew: the open holds without the rests of works whose lines are corrected, those
    rests, and the corrected lines without what a pool was given of the same usage."""
    group = group_id().alias(_OF)
    whole = F.broadcast(corrected.where(F.col("recording_id").startswith(OF_WORK)).select(group).distinct())
    told = waiting.withColumn(_OF, group)
    rests = told.where("on_work").join(whole, _OF, "left_semi").drop(_OF)
    others = waiting.join(rests.select("entry_id"), "entry_id", "left_anti")
    lines = corrected.withColumn(_OF, group)
    own = lines.where(F.col("recording_id").startswith(OF_WORK)).unionByName(
        lines.where(~F.col("recording_id").startswith(OF_WORK)).join(whole, _OF, "left_anti")
    )
    return others, rests, own.drop(_OF)
