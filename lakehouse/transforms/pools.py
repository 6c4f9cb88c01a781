"""Pools: the money of a report month's usage, divided again by units before any contract, as `lakehouse.model.pools` does it.

A pool is of one report period and currency, whichever files it came in and whether or not its lines have found an owner. Every part is a
product of two wide whole numbers, so that it is worked out in Python's; how the last digits fall is a matter of order alone, and Spark's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.errors import Findings
from lakehouse.model.clauses import Condition
from lakehouse.model.money import SCALE, ZERO, from_units, to_units
from lakehouse.model.pools import BREAKAGE, STEPS, pool_term, shared_out
from lakehouse.model.rules import Pool
from lakehouse.model.types import parse_type
from lakehouse.tables import gold
from lakehouse.tables.declare import MONEY, UNITS
from lakehouse.tables.gold import GROUP, POOLED, line_key
from lakehouse.transforms.groups import MEASURES, RELEASE
from lakehouse.transforms.local import local_rows

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What tells pools of one declaration apart.
KEY: Final = ("pool", "report_period", "currency")
# What an adjustment is spread over has been through its pool: it is in none.
ADJUSTMENT: Final = "adjustment"
ROLE: Final = "pool"
_TYPES: Final = gold.royalty_lines.types
_STEPS: Final = _TYPES["stages"]
_WHOLE: Final = "decimal(38,0)"
_CUTS: Final = ("shared", "more")
_UNIT: Final = from_units(1)
_UNIT_SCALE: Final = parse_type(UNITS).scale

Keep = Callable[["DataFrame"], "DataFrame"]
Key = tuple[int, str, str]


class Whole(NamedTuple):
    """What a pool has to divide: by its cut, and by its minimum; and by how many units."""

    shared: Decimal
    more: Decimal
    units: Decimal


def member_of(pools: Sequence[Pool], by_day: bool) -> Column:
    """The place of the pool that a usage line or group is in, the first that it fits; NULL where it is in none."""
    places = [F.when(_fits(pool.when, by_day), F.lit(place)) for place, pool in enumerate(pools)]
    return F.when(F.col("source") != ADJUSTMENT, F.coalesce(*places, F.lit(None).cast("int")))


def _fits(when: Condition, by_day: bool) -> Column:
    """`Condition.fits`, of what reports say themselves."""
    asked = [F.coalesce(F.col(name).isin(*sorted(values)), F.lit(False)) for name, values in when.wanted.items()]
    date = F.coalesce(F.col("sale_date").cast("string"), F.col("usage_period")) if by_day else F.col("usage_period")
    for bound, is_first in ((when.from_period, True), (when.to_period, False)):
        if bound:
            known, told = F.substring(F.lit(bound), F.lit(1), F.length(date)), F.substring(date, 1, len(bound))
            asked.append(known <= told if is_first else told <= known)
    return reduce(lambda one, other: one & other, asked, F.lit(True))


def divide_pools(groups: DataFrame, pools: Sequence[Pool], by_day: bool, keep: Keep = lambda rows: rows) -> DataFrame:
    """The groups, their `amount` what their pools give them; with `base`, what the reports say, and `pooled`, the steps between.

    In: `GROUP` and `MEASURES` of all usage of the pools. Raises Findings for a pool without units.
    """
    told = keep(groups.withColumns({"pool": member_of(pools, by_day), "base": F.col("amount")}))
    wholes = _wholes(told, pools)
    outside = told.where("pool IS NULL").withColumn("pooled", F.lit(None).cast(_STEPS)).drop("pool")
    if not wholes:
        return outside
    members = told.where("pool IS NOT NULL")
    columns = {f"{name}_{part}": type_ for name in _CUTS for part, type_ in (("part", MONEY), ("rest", _WHOLE))}
    schema = (
        ", ".join(f"{f.name} {f.dataType.simpleString()}" for f in members.schema)
        + ", "
        + ", ".join(f"{name} {type_}" for name, type_ in {**columns, "place": "string"}.items())
    )
    cut = keep(members.mapInArrow(_cutter(wholes), schema))
    known = local_rows(
        groups.sparkSession,
        {"pool": "int", "report_period": "string", "currency": "string", "shared_lacks": "bigint", "more_lacks": "bigint", "term": "string", "method": "string", "adds": "boolean"},
        [_lacking(row, wholes, pools) for row in cut.groupBy(*KEY).agg(*(F.sum(f"{name}_part").alias(name) for name in _CUTS)).collect()],
    )  # fmt: skip
    given = cut.join(F.broadcast(known), [*KEY])
    for name in _CUTS if any(whole.more for whole in wholes.values()) else _CUTS[:1]:
        given = given.withColumn(f"{name}_part", _completed(name))
    share, whole = F.col("shared_part"), (F.col("shared_part") + F.col("more_part")).cast(MONEY)
    first = _step(F.col("method"), F.col("base"), share)
    both = F.array(first, _step(F.lit(BREAKAGE), share, whole))
    steps = F.when(F.col("adds"), both).otherwise(F.array(first)).cast(_STEPS)
    return given.withColumns({"amount": whole, "pooled": steps}).select(*outside.columns).unionByName(outside)


def _wholes(told: DataFrame, pools: Sequence[Pool]) -> dict[Key, Whole]:
    sums = told.where("pool IS NOT NULL").groupBy(*KEY).agg(F.sum("amount").alias("paid"), F.sum("units").alias("units"))
    found: dict[Key, Whole] = {}
    for row in sums.collect():
        pool = pools[row.pool]
        if not row.units:
            raise Findings(
                f"The pool {pool.name} of {row.report_period} in {row.currency} has no units to divide {row.paid:f} by. Quarantine or"
                " replace the report that lacks them, or leave its lines out of the pool by its `when`."
            )
        found[row.pool, row.report_period, row.currency] = Whole(*shared_out(pool, row.paid), row.units)
    return found


def _cutter(wholes: Mapping[Key, Whole]) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """For each group the whole part of its share, its remainder, and what puts it in order where remainders are equal."""
    sizes = {key: (to_units(w.shared), to_units(w.more), to_units(w.units, _UNIT_SCALE)) for key, w in wholes.items()}
    named = [*GROUP, "units", "pool"]

    def batches(groups: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in groups:
            found: dict[str, list[Any]] = {f"{name}_{part}": [] for name in _CUTS for part in ("part", "rest")}
            places = []
            for row in batch.select(named).to_pylist():
                *cuts, units = sizes[row["pool"], row["report_period"], row["currency"]]
                own = to_units(row["units"], _UNIT_SCALE) * (1 if units > 0 else -1)
                for name, size in zip(_CUTS, cuts, strict=True):
                    part, rest = divmod(abs(size) * own, abs(units))
                    found[f"{name}_part"].append(from_units(-part if size < 0 else part))
                    found[f"{name}_rest"].append(Decimal(rest))
                places.append(line_key({**row, "hold_id": None}))
            made = {n: pa.array(c, pa.decimal128(38, SCALE if n.endswith("part") else 0)) for n, c in found.items()}
            columns = [*batch.columns, *made.values(), pa.array(places, pa.string())]
            yield pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, *made, "place"])

    return batches


def _lacking(row: Any, wholes: Mapping[Key, Whole], pools: Sequence[Pool]) -> tuple[Any, ...]:
    """The last digits that the whole parts leave over, for each cut of a pool."""
    key = (row.pool, row.report_period, row.currency)
    whole, pool = wholes[key], pools[row.pool]
    lacks = (to_units(whole.shared) - to_units(row.shared), to_units(whole.more) - to_units(row.more))
    return (*key, *lacks, pool_term(pool), pool.method, whole.more != ZERO)


def _completed(name: str) -> Column:
    """The part with the last digit that it gets, where it is among the largest remainders."""
    order = Window.partitionBy(*KEY).orderBy(F.desc(f"{name}_rest"), "place")
    lacks = F.col(f"{name}_lacks")
    one = F.when(lacks < 0, F.lit(-_UNIT)).otherwise(F.lit(_UNIT)).cast(MONEY)
    gets_one = F.row_number().over(order) <= F.abs(lacks)
    return (F.col(f"{name}_part") + F.when(gets_one, one).otherwise(F.lit(ZERO).cast(MONEY))).cast(MONEY)


def _step(stage: Column, before: Column, after: Column, term: Column | None = None) -> Column:
    term = F.col("term") if term is None else term
    return F.struct(stage.alias("stage"), term.alias("term"), before.alias("amount_in"), after.alias("amount_out"))


def steps_of_pools(stages: Column) -> Column:
    """The steps of a royalty line that led through a pool; NULL where it was in none."""
    steps = F.filter(stages, lambda step: step["stage"].isin(*STEPS))
    return F.when(F.size(steps) > 0, steps)


def out_of_pool(pooled: Column, base: Column) -> Column:
    """The amount after these steps, or the base where there are none."""
    return F.coalesce(F.element_at(pooled, -1)["amount_out"], base).cast(MONEY)


def pool_parts(divided: DataFrame, version: str) -> DataFrame:
    """What each group of a pool gives to it, or has from it where that is negative: a fee, in the columns of resolved parts.

    Over all groups of a pool they add up to what the service keeps, less what a minimum adds.
    """
    term = F.col("pooled")[0]["term"]
    kept = (F.col("base") - F.col("amount")).cast(MONEY)
    way = F.concat("pooled", F.array(_step(F.lit(ROLE), F.col("amount"), kept, term)).cast(_STEPS))
    words = {
        "contract_id": term,
        "payee": term,
        "contract_version": F.lit(version),
        "role": F.lit(ROLE),
        "category": F.lit("fee"),
    }
    # What escalations count is on the lines of the group itself.
    empty = {name: F.lit(None).cast(_TYPES.get(name, "string")) for name in (*RELEASE, "hold_id", "counts")}
    return divided.where("pooled IS NOT NULL").select(
        *GROUP, *(name for name in MEASURES if name != "amount"), "base", kept.alias("amount"), way.alias("stages"),
        F.lit(POOLED).alias("recording_id"), *(column.alias(name) for name, column in {**words, **empty}.items()),
    )  # fmt: skip
