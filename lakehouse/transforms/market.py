"""What nobody has claimed in time, divided among those who earned in its market: the same months of use, territory, source and currency.

Each hold is cut for itself (`lakehouse.model.holding.market_cut`), so that its parts add up to it and its lines lead back to its report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F

from lakehouse.model.clauses import Part, Step, Stream
from lakehouse.model.holding import MARKET, OWNED, market_cut
from lakehouse.model.money import Cut, from_units, to_units
from lakehouse.tables.gold import NOBODYS, UNCLAIMED
from lakehouse.transforms.groups import RELEASE
from lakehouse.transforms.parts import Parts, assemble
from lakehouse.transforms.resolved import OF_POOLS, RESOLVED, divided, part_by_part, with_pools

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROLE: Final = "unclaimed"

Market = tuple[str, ...]


class Owner(NamedTuple):
    """Who earned in a market, under which contract, and whether it is paid or kept."""

    payee: str
    contract: str
    version: str
    category: str

    @property
    def key(self) -> str:
        return "\x1f".join(self)


Owners = tuple[tuple[Owner, ...], Cut]


def owners_of_markets(standing: DataFrame, holds: DataFrame) -> dict[Market, Owners]:
    """Who earned in the markets of these holds by the lines that stand, and how an amount is cut between them. Whom it cost money owns nothing."""
    markets = F.broadcast(holds.select(*MARKET).distinct())
    category = F.when(F.col("category") == "retained", F.lit("retained")).otherwise(F.lit("payable"))
    own = standing.where(F.col("category").isin(*OWNED) & ~F.col("recording_id").isin(*NOBODYS)).withColumn("category", category)
    keys = ("payee", "contract_id", "contract_version", "category")
    sums = own.join(markets, [*MARKET], "left_semi").groupBy(*MARKET, *keys).agg(F.sum("amount").alias("earned"))
    earned: dict[Market, dict[str, tuple[Owner, Decimal]]] = defaultdict(dict)
    for row in sums.where("earned > 0").collect():
        owner = Owner(*(row[name] for name in keys))
        earned[tuple(row[name] for name in MARKET)][owner.key] = (owner, row.earned)
    found = {}
    for market, by_key in earned.items():
        told = [by_key[key] for key in sorted(by_key)]
        found[market] = (tuple(owner for owner, _ in told), market_cut({owner.key: amount for owner, amount in told}))
    return found


def divide_by_market(holds: DataFrame, owners: Mapping[Market, Owners]) -> DataFrame:
    """The parts of open holds, in the columns of resolved parts; a hold in whose market nobody earned has none.

    In: the columns of gold.holding, with the `policy` that lets each go, and `base` and `pooled` where usage is pooled.
    """
    fields = (*RESOLVED, *(field for field in OF_POOLS if field.name in holds.columns and field.name == "pooled"))
    named = [name for name in holds.columns if name not in ("period", "entry", "releases", "reason")]
    told = holds.select(*named).withColumns({"hold_id": F.col("entry_id"), "recording_id": F.lit(UNCLAIMED)})
    for name in RELEASE:
        told = told.withColumn(name, F.lit(None).cast("string"))
    shared = holds.sparkSession.sparkContext.broadcast(dict(owners))
    columns, schema = divided(*fields)
    shares = told.mapInArrow(_divider(lambda: shared.value, schema), columns)
    return with_pools(part_by_part(shares, *fields))


def _divider(
    owners: Callable[[], Mapping[Market, Owners]], schema: pa.Schema
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def batches(holds: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in holds:
            parts = Parts()
            for place, hold in enumerate(batch.select([*MARKET, "amount", "policy"]).to_pylist()):
                _give(parts, place, hold["amount"], hold["policy"], owners().get(tuple(hold[name] for name in MARKET)))
            yield assemble(batch, parts.origin, parts.columns(), schema)

    return batches


def _give(parts: Parts, place: int, amount: Decimal, policy: str, owners: Owners | None) -> None:
    if owners is None:
        return
    for owner, units in zip(owners[0], owners[1].of(to_units(amount)), strict=True):
        if units or not amount:
            part = from_units(units)
            way = (Step("market_share", f"unclaimed:{policy}", amount, part),)
            parts.give(place, owner.contract, owner.version, [Part(owner.payee, ROLE, owner.category, Stream(part, way))])
