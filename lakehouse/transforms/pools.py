"""Pools: the money of a report month's usage, divided again by units before any contract, as `lakehouse.model.pools` does it.

A pool is of one report period and currency, whichever files it came in and whether or not its lines have found an owner; in a user-centric one the
money of each subscriber is divided by his own units, and added up again, so that no subscriber goes further than this. Every part is a
product of two wide whole numbers, so that it is worked out in Python's; how the last digits fall is a matter of order alone, and Spark's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.errors import Findings
from lakehouse.model.clauses import Condition
from lakehouse.model.money import SCALE, ZERO, from_units, to_units
from lakehouse.model.pools import BREAKAGE, PRO_RATA, STEPS, USER_CENTRIC, pool_term, shared_out
from lakehouse.model.rules import Pool
from lakehouse.model.types import parse_type
from lakehouse.tables import gold
from lakehouse.tables.declare import MONEY, UNITS
from lakehouse.tables.gold import GROUP, POOLED, line_key
from lakehouse.transforms.groups import MEASURES, RELEASE, whole_groups

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
_MONEY: Final = pa.decimal128(38, SCALE)
_CUTS: Final = ("shared", "more")
# What has its money divided apart, by method.
_SHARES: Final = {PRO_RATA: KEY, USER_CENTRIC: (*KEY, "subscriber")}
_UNIT: Final = from_units(1)
_UNIT_SCALE: Final = parse_type(UNITS).scale

Keep = Callable[["DataFrame"], "DataFrame"]


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


def subscriber_asked(pools: Sequence[Pool], by_day: bool) -> Column | None:
    """Who listened to a usage line, where its pool is divided subscriber by subscriber (empty: the report does not say), else NULL.

    None where no pool asks.
    """
    asking = _places(pools, USER_CENTRIC)
    return F.when(member_of(pools, by_day).isin(*asking), F.coalesce("subscriber", F.lit(""))) if asking else None


def divide_pools(groups: DataFrame, pools: Sequence[Pool], by_day: bool, keep: Keep = lambda rows: rows) -> DataFrame:
    """The groups, their `amount` what their pools give them; with `base`, what the reports say, and `pooled`, the steps between.

    In: `GROUP` and `MEASURES` of all usage of the pools, told apart by `subscriber` where a pool asks for it; out they are whole. Raises Findings
    for a pool without units, or with a subscriber without.
    """
    told = keep(groups.withColumns({"pool": member_of(pools, by_day), "base": F.col("amount")}))
    found = told.where("pool IS NULL").withColumn("pooled", F.lit(None).cast(_STEPS)).drop("pool", "subscriber")
    for method, shares in _SHARES.items():
        if asking := _places(pools, method):
            members = told.where(F.col("pool").isin(*asking))
            wholes = keep(_wholes(members, pools, shares))
            if _has_units(wholes, members, pools):
                found = found.unionByName(_divided(members, wholes, pools, method, keep).select(*found.columns))
    return found


def _places(pools: Sequence[Pool], method: str) -> list[int]:
    return [place for place, pool in enumerate(pools) if pool.method == method]


def _wholes(members: DataFrame, pools: Sequence[Pool], shares: Sequence[str]) -> DataFrame:
    """What there is to divide for each of `shares`: by the pool's cut (`shared`), and by its minimum (`more`); and by how many units."""
    sums = members.groupBy(*shares).agg(F.sum("amount").alias("paid"), F.sum("units").alias("all_units"))

    def sized(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            paid = zip(batch.column("pool").to_pylist(), batch.column("paid").to_pylist(), strict=True)
            cuts = [shared_out(pools[place], amount) for place, amount in paid]
            yield _with(batch, {name: pa.array([cut[n] for cut in cuts], _MONEY) for n, name in enumerate(_CUTS)})

    return sums.mapInArrow(sized, _schema(sums, dict.fromkeys(_CUTS, MONEY)))


def _has_units(wholes: DataFrame, members: DataFrame, pools: Sequence[Pool]) -> bool:
    """Whether there is anything to divide. Raises Findings where there is, by no units; it names no subscriber."""
    lacking = F.col("all_units") == 0
    counts = {"without": F.count_if(lacking), "stuck": F.sum(F.when(lacking, F.col("paid")))}
    counted = wholes.groupBy(*KEY).agg(*(count.alias(name) for name, count in counts.items())).orderBy(*KEY).collect()
    for row in (row for row in counted if row.without):
        pool = pools[row.pool]
        what = f"The pool {pool.name} of {row.report_period} in {row.currency} has"
        undo = "Quarantine or replace the report that lacks them, or leave its lines out of the pool by its `when`."
        if pool.method != USER_CENTRIC:
            raise Findings(f"{what} no units to divide {row.stuck:f} by. {undo}")
        theirs = wholes.where(lacking).drop("paid", "all_units", *_CUTS)
        named = (
            members.join(theirs, [*_SHARES[USER_CENTRIC]], "left_semi").select("file_id").distinct().orderBy("file_id").collect()
        )
        raise Findings(
            f"{what} no units to divide {row.stuck:f} by, of subscribers whose units add up to 0: there are {row.without}, in the"
            f" reports {', '.join(file.file_id[:12] for file in named)} (`subscriber` in silver.usage). {undo}"
        )
    return bool(counted)


def _divided(members: DataFrame, wholes: DataFrame, pools: Sequence[Pool], method: str, keep: Keep) -> DataFrame:
    """The members of pools of one method, with the parts that they get and the steps to them."""
    shares = [*_SHARES[method]]
    # Pools are few; of subscribers there may be as many as lines.
    sent: Keep = F.broadcast if method == PRO_RATA else lambda rows: rows
    given = members.join(sent(wholes.drop("paid")), shares)
    parts = {f"{name}_{part}": type_ for name in _CUTS for part, type_ in (("part", MONEY), ("rest", _WHOLE))}
    cut = keep(given.mapInArrow(_cut, _schema(given, {**parts, "place": "string"})))
    lacks = [(F.max(name) - F.sum(f"{name}_part")).cast(MONEY).alias(f"{name}_lacks") for name in _CUTS]
    given = cut.join(sent(cut.groupBy(*shares).agg(*lacks)), shares)
    adds = any(pools[place].minimum is not None for place in _places(pools, method))
    for name in _CUTS if adds else _CUTS[:1]:
        given = given.withColumn(f"{name}_part", _completed(name, shares))
    if method == USER_CENTRIC:
        given = whole_groups(given, ("pool", "more"), ("base", "shared_part", "more_part"))
    share, whole = F.col("shared_part"), (F.col("shared_part") + F.col("more_part")).cast(MONEY)
    term = F.get(F.array(*(F.lit(pool_term(pool)) for pool in pools)), F.col("pool"))
    first = _step(F.lit(method), F.col("base"), share, term)
    both = F.array(first, _step(F.lit(BREAKAGE), share, whole, term))
    steps = F.when(F.col("more") != 0, both).otherwise(F.array(first)).cast(_STEPS)
    return given.withColumns({"amount": whole, "pooled": steps})


def _cut(groups: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """For each group the whole part of its share, its remainder, and what puts it in order where remainders are equal."""
    named = [*GROUP, "units", *_CUTS, "all_units"]
    for batch in groups:
        found: dict[str, list[Any]] = {f"{name}_{part}": [] for name in _CUTS for part in ("part", "rest")}
        places = []
        for row in batch.select(named).to_pylist():
            units = to_units(row["all_units"], _UNIT_SCALE)
            own = to_units(row["units"], _UNIT_SCALE) * (1 if units > 0 else -1)
            for name in _CUTS:
                size = to_units(row[name])
                part, rest = divmod(abs(size) * own, abs(units))
                found[f"{name}_part"].append(from_units(-part if size < 0 else part))
                found[f"{name}_rest"].append(Decimal(rest))
            places.append(line_key({**row, "hold_id": None}))
        made = {n: pa.array(c, _MONEY if n.endswith("part") else pa.decimal128(38, 0)) for n, c in found.items()}
        yield _with(batch, {**made, "place": pa.array(places, pa.string())})


def _with(batch: pa.RecordBatch, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*batch.columns, *columns.values()], names=[*batch.schema.names, *columns])


def _schema(rows: DataFrame, more: Mapping[str, str]) -> str:
    """The columns of rows, and these."""
    there = {field.name: field.dataType.simpleString() for field in rows.schema}
    return ", ".join(f"{name} {type_}" for name, type_ in {**there, **more}.items())


def _completed(name: str, shares: Sequence[str]) -> Column:
    """The part with the last digit that it gets, where it is among the largest remainders."""
    order = Window.partitionBy(*shares).orderBy(F.desc(f"{name}_rest"), "place")
    lacks = F.col(f"{name}_lacks")
    one = F.when(lacks < 0, F.lit(-_UNIT)).otherwise(F.lit(_UNIT)).cast(MONEY)
    gets_one = F.row_number().over(order) * F.lit(_UNIT) <= F.abs(lacks)
    return (F.col(f"{name}_part") + F.when(gets_one, one).otherwise(F.lit(ZERO).cast(MONEY))).cast(MONEY)


def _step(stage: Column, before: Column, after: Column, term: Column) -> Column:
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
