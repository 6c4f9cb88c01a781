"""Pools of a lake: the period's usage through them, and what is divided anew when a report of a closed pool comes late or is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.model.book import ContractBook
from lakehouse.model.period import previous_period
from lakehouse.model.routing import ruleset_sha256
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Work
from lakehouse.sources.scan import KEY_COLUMNS
from lakehouse.tables import silver
from lakehouse.tables.gold import POOLED
from lakehouse.transforms.duplicates import DUPLICATE
from lakehouse.transforms.groups import group_usage
from lakehouse.transforms.hold import may_find_an_owner
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.pools import KEY, divide_pools, member_of, subscriber_asked
from lakehouse.transforms.resolve import group_id, standing
from lakehouse.views.held import superseded

if TYPE_CHECKING:
    from pyspark.sql import Column

_OF = "of_group"


@dataclass(frozen=True)
class Again:
    """Pools of closed periods that the period's reports touch: their usage, and all that was published of it and still stands."""

    usage: DataFrame
    lines: DataFrame
    holds: DataFrame

    def not_among(self, holds: DataFrame) -> DataFrame:
        return holds.join(self.holds.select("entry_id"), "entry_id", "left_anti")

    def not_among_lines(self, lines: DataFrame | None) -> DataFrame | None:
        return None if lines is None else lines.join(self.lines.select("line_id"), "line_id", "left_anti")


def pools_again(
    work: Work, book: ContractBook, fresh: DataFrame, waiting: DataFrame, published: DataFrame, dead: DataFrame
) -> Again | None:
    """What is divided anew; None where the book has no pools or, as mostly, none that is closed is touched.

    `fresh`: the period's usage; `waiting`: open holds of reports that count; `published`: the royalty lines of closed periods.
    """
    closed = [period for period in work.env.closed_periods() if period < work.period]
    if not (book.rules.pools and closed):
        return None
    pool, live = member_of(book.rules.pools, book.asks_for_days), F.broadcast(dead)
    earlier = work.read(silver.usage).where(F.col("period").isin(closed))
    may_move = waiting.where(may_find_an_owner(work.env.channels))
    fresh = fresh.join(live, "file_id", "left_anti")
    touched = _touched(work, pool, fresh, earlier, may_move.where(F.col("reason") == DUPLICATE))
    if touched is None:
        return None

    def of_them(rows: DataFrame) -> DataFrame:
        return rows.withColumn("pool", pool).join(F.broadcast(touched), [*KEY], "left_semi").drop("pool")

    twice = work.env.store.read(silver.duplicates, up_to=work.period).where(F.col("period") < work.period)
    twice = twice.where(F.col("source").isin(*work.env.channels.order)).select(*KEY_COLUMNS)
    usage = of_them(earlier.join(live, "file_id", "left_anti")).join(twice, [*KEY_COLUMNS], "left_anti")
    lines = of_them(standing(published).join(live, "file_id", "left_anti"))
    return Again(usage, work.cut(lines), work.cut(of_them(may_move)))


def _touched(work: Work, pool: Column, fresh: DataFrame, earlier: DataFrame, let_go: DataFrame) -> DataFrame | None:
    """`KEY` of the pools of earlier report periods in which there is usage that was not in them when they were divided, or no longer is."""
    reader, pins = work.env.reader, work.pins
    newly = superseded(reader, work.period, pins) - superseded(reader, previous_period(work.period), pins)
    sources = [fresh, let_go, *([earlier.join(F.broadcast(work.reports(newly)), "file_id", "left_semi")] if newly else [])]
    keys = [rows.where(F.col("report_period") < work.period).withColumn("pool", pool).select(*KEY) for rows in sources]
    found = reduce(DataFrame.union, keys).where("pool IS NOT NULL").distinct().collect()
    types = {"pool": "int", "report_period": "string", "currency": "string"}
    return local_rows(work.env.spark, types, sorted(map(tuple, found))) if found else None


def through_pools(work: Work, book: ContractBook, usage: DataFrame, dead: DataFrame, again: Again | None) -> DataFrame:
    """Groups of usage as they are, or in a book with pools after those: with `base`, `pooled` and, where they were held before, `held_since`."""
    pools, by_day = book.rules.pools, book.asks_for_days
    fresh = group_usage(usage, dead, by_day, subscriber_asked(pools, by_day))
    if not pools:
        return fresh
    divided = divide_pools(fresh, pools, by_day, work.cut)
    if again is None:
        return work.cut(divided.withColumn("held_since", F.lit(None).cast("string")))
    since = again.holds.groupBy(_group()).agg(F.min("held_since").alias("held_since"))
    return work.cut(divided.withColumn(_OF, _group()).join(since, _OF, "left").drop(_OF))


def as_pooled(waiting: DataFrame, published: DataFrame) -> DataFrame:
    """Open holds with the way that their money has come: `base` and `pooled`, from what their pool has of them."""
    parts = standing(published.where(F.col("recording_id") == POOLED))
    way = F.slice("stages", F.lit(1), F.size("stages") - 1)
    told = parts.select(_group(), way.alias("pooled"), F.col("base").alias("reported"))
    found = waiting.withColumn(_OF, _group()).join(told, _OF, "left")
    return found.withColumn("base", F.coalesce("reported", "amount")).drop(_OF, "reported")


def _group() -> Column:
    return group_id().alias(_OF)


def pooled_keys(events: DataFrame, env: Environment) -> DataFrame:
    """[usage_key] of what the routing document sends to fallback pools. `events` have the columns of silver.routing_audit that are asked for."""
    by_pool = F.col("rule_id").isin(*env.routing.pool_rules) & (F.col("routing_sha256") == ruleset_sha256(env.routing_text))
    return events.where(by_pool).select("usage_key").distinct()
