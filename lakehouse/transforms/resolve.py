"""From groups to royalty lines: the contract in force, every clause in order, the parts that add up to the group.

The clauses are the reference engine's own (`lakehouse.model.contracts`); Spark gives it groups in Arrow batches. Groups of contracts whose
rates rise with what has been counted go through a second pass, in which each counting group is one task that sees its lines in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Counter, Usage
from lakehouse.model.contracts import Contract
from lakehouse.model.counting import Due, balances_of, counting_groups, divide_in_order
from lakehouse.model.money import exact
from lakehouse.model.unmatched import fallback_pool
from lakehouse.tables import gold
from lakehouse.tables.declare import Field
from lakehouse.tables.gold import GROUP, UNMATCHED, line_key
from lakehouse.transforms.combinations import codes, distinct, gathered
from lakehouse.transforms.groups import MEASURES, RELEASE
from lakehouse.transforms.parts import Parts, assemble
from lakehouse.transforms.pools import out_of_pool, steps_of_pools
from lakehouse.transforms.recipes import Cookbook, columns_of
from lakehouse.transforms.resolved import COUNTING, OF_POOLS, RESOLVED, divided, part_by_part, with_pools
from lakehouse.transforms.wide import Places, read

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import Column, DataFrame

# What contracts cover, and what `Usage` and a group of usage lines call by one name: dimensions and measures.
_COVERED = ["recording_id", "catalog_artist", "catalog_label", "usage_period", "release"]
# What a fallback pool depends on.
_POOLED = ("territory", "months_held")
_DIMENSIONS = (
    "territory", "channel", "configuration", "price_category", "source", "usage_period", "sale_date", "report_period", "currency", *RELEASE,
)  # fmt: skip
_MEASURED = ("units", "gross", "ppd", "retail")
_NAMED = {"recording": "recording_id"}
# How many groups are worked on at once, and how many parts are sent to the JVM at once, with their groups.
_GATHERED, _SENT = 40_000, 20_000

Keep = Callable[["DataFrame"], "DataFrame"]
# In the place of a hold's id: the group comes from published lines that are corrected.
AGAIN = "again:"


def resolve(
    groups: DataFrame, book: ContractBook, opening: Mapping[Counter, Decimal] | None = None, keep: Keep = lambda rows: rows
) -> DataFrame:
    """Royalty parts of every group, and a row with no contract for each group that none covers.

    In: `GROUP`, measures, recording_id, what the catalog says of it (catalog_artist, catalog_label, `RELEASE`), hold_id, where fallback pools ask for it months_held, and where
    usage is pooled the base and the steps from it to the amount (`pooled`); how far each count of an escalation had come before the period. Out: `GROUP`, the recording and its contract, payee, role, category, base, amount, stages,
    counts and hold_id; contract_id is NULL, with the refusal, where no contract could be applied.
    """
    columns = [*GROUP, *MEASURES, "recording_id", "catalog_artist", "catalog_label", *RELEASE, "hold_id"]
    columns += [name for name in ("months_held", "base", "pooled", "held_since") if name in groups.columns]
    fields = (*RESOLVED, *(field for field in OF_POOLS if field.name in groups.columns))
    counting = counting_groups(book)
    # Read by each worker once, with what it remembers of its terms, rather than by each task.
    shared = groups.sparkSession.sparkContext.broadcast(book)
    first = groups.select(*columns).mapInArrow(_resolver(shared, counting, fields), divided(*fields, COUNTING)[0])
    if not counting:
        return with_pools(part_by_part(first, *fields))
    parts = part_by_part(keep(first), *fields, COUNTING)
    counted = (
        parts.where("counting IS NOT NULL")
        .groupBy("counting")
        .applyInArrow(_counter(shared, opening or {}, fields), divided(*fields)[0])
    )
    return with_pools(parts.where("counting IS NULL").drop("counting").unionByName(part_by_part(counted, *fields)))


def _resolver(
    book: Broadcast[ContractBook], counting: Mapping[str, str], fields: tuple[Field, ...]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    _, schema = divided(*fields, COUNTING)

    def batches(groups: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        cookbook = Cookbook()
        for batch in gathered(groups, _GATHERED):
            contracts, numbers = _recipes(batch, book.value, counting, cookbook)
            own = np.flatnonzero(numbers >= 0)
            if len(own):
                sizes, negative = read(batch.column("amount").take(pa.array(own)))
                places, columns = columns_of(list(cookbook.parts(numbers[own], sizes, negative)), cookbook)
                yield from _slices(assemble(_some(batch, own), places, columns, schema))
            others = np.flatnonzero(numbers < 0)
            if len(others):
                rest, parts = _some(batch, others), Parts()
                for place, group in enumerate(rest.to_pylist()):
                    _divide(parts, place, group, contracts[others[place]], counting)
                yield from _slices(assemble(rest, parts.origin, parts.columns(), schema))

    return batches


def _some(groups: pa.RecordBatch, places: Places) -> pa.RecordBatch:
    return groups if len(places) == len(groups) else groups.take(pa.array(places))


def _slices(groups: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The same groups in batches of no more than `_SENT` parts, where not one group alone has more."""
    first = groups.column("parts").offsets.to_numpy()
    start = 0
    while start < len(groups):
        fit = int(np.searchsorted(first, first[start] + _SENT, side="right")) - 1
        end = max(fit, start + 1)
        yield groups.slice(start, end - start)
        start = end


def _recipes(
    groups: pa.RecordBatch, book: ContractBook, counting: Mapping[str, str], cookbook: Cookbook
) -> tuple[list[Contract | None], Places]:
    """For each group its contract, and the number of its recipe; -1 where it has none, and goes through its contract by itself.

    Both are worked out for distinct combinations: the contract of what contracts cover, the recipe of what its terms ask for.
    """
    names = [*_COVERED, *(_POOLED if pc.any(pc.equal(groups.column("recording_id"), UNMATCHED)).as_py() else ())]
    covered, which = distinct([codes(groups.column(name)) for name in names])
    told = groups.select(names).take(pa.array(covered)).to_pylist()
    in_force = [_in_force(group, book) for group in told]
    places: dict[int, int] = {}
    versions = np.array([places.setdefault(id(contract), len(places)) for contract in in_force], np.int64)
    asked = [codes(groups.column(_NAMED.get(name, name)), values) for name, values in book.asked.items() if name != "cost_type"]
    dated = [codes(groups.column(name)) for name in ("usage_period", "sale_date")] if book.dated else []
    combined, combination = distinct([versions[which], *asked, *dated])
    numbers = np.full(len(combined), -1, np.int64)
    dimensions = groups.select(["recording_id", *_DIMENSIONS]).take(pa.array(combined)).to_pylist()
    for place, (row, group) in enumerate(zip(combined.tolist(), dimensions, strict=True)):
        contract = in_force[which[row]]
        if contract is not None and contract.contract not in counting and (recipe := contract.recipe(_usage(group))):
            number = cookbook.number(contract, recipe)
            numbers[place] = -1 if number is None else number
    return [in_force[one] for one in which.tolist()], numbers[combination]


def _in_force(group: Mapping[str, Any], book: ContractBook) -> Contract | None:
    if group["recording_id"] == UNMATCHED:
        return fallback_pool(book.pools, group["territory"], group["usage_period"], group["months_held"])
    return book.in_force(
        group["recording_id"], group["catalog_artist"], group["catalog_label"], group["usage_period"], group["release"]
    )


def _divide(parts: Parts, place: int, group: Mapping[str, Any], contract: Contract | None, counting: Mapping[str, str]) -> None:
    if contract is None:
        parts.add(place, group["amount"], refusal="UNCLAIMED" if group["recording_id"] == UNMATCHED else "NO_CONTRACT")
    elif contract.contract in counting:
        named = {"contract_id": contract.contract, "contract_version": contract.version}
        parts.add(place, group["amount"], **named, counting=counting[contract.contract])
    else:
        try:
            divided = contract.split(_usage(group), group["amount"])
        except ValueError as error:
            # A price that a term needs and the report does not give: the money waits, and the hold says for what.
            parts.add(place, group["amount"], refusal=f"{contract.contract}: {error}")
        else:
            parts.give(place, contract.contract, contract.version, divided)


def _usage(group: Mapping[str, Any]) -> Usage:
    date = group["sale_date"]
    told = {name: group[name] for name in (*_DIMENSIONS, *_MEASURED) if name in group and name != "sale_date"}
    return Usage(recording=group["recording_id"], sale_date=date.isoformat() if date else None, **told)


def _counter(
    book: Broadcast[ContractBook], opening: Mapping[Counter, Decimal], fields: tuple[Field, ...]
) -> Callable[[pa.Table], pa.Table]:
    counts = {counter: exact(amount) for counter, amount in opening.items()}
    _, schema = divided(*fields)

    def divide(table: pa.Table) -> pa.Table:
        (batch,) = table.combine_chunks().to_batches()
        groups = batch.to_pylist()
        places = {line_key(group): place for place, group in enumerate(groups)}
        due = [
            Due(key, book.value.version(g["contract_id"], g["contract_version"]), _usage(g), g["amount"])
            for key, g in zip(places, groups, strict=True)
        ]
        parts = Parts()
        for one in divide_in_order(due, counts):
            place, contract = places[one.due.line_id], one.due.contract
            if one.refusal:
                parts.add(place, one.due.base, refusal=f"{contract.contract}: {one.refusal}")
            else:
                parts.give(place, contract.contract, contract.version, one.parts, _counts(one.counted or {}))
        return pa.Table.from_batches([assemble(batch, parts.origin, parts.columns(), schema)])

    return divide


def _counts(counted: Mapping[Counter, Fraction]) -> list[Mapping[str, Any]] | None:
    told: list[Mapping[str, Any]] = [{"counter": b.ref, "currency": b.currency, "size": b.amount} for b in balances_of([counted])]
    return told or None


def row_id(*parts: Column) -> Column:
    """32 hex digits of the SHA-256 over the parts, NULL told apart from empty."""
    texts = [F.coalesce(F.concat(F.lit("="), part.cast("string")), F.lit("~")) for part in parts]
    return F.substring(F.sha2(F.concat_ws("\u001f", *texts), 256), 1, 32)


def group_id() -> Column:
    """What rows share that are alike in every dimension of a group."""
    return row_id(*(F.col(name) for name in GROUP))


def royalty_lines(resolved: DataFrame, period: str) -> DataFrame:
    """gold.royalty_lines of the parts that have a contract."""
    terms = F.array_join("stages.term", ">")
    identity = (*GROUP, "contract_id", "contract_version", "payee", "role", "category", "hold_id")
    return (
        resolved.where("contract_id IS NOT NULL")
        .withColumn("period", F.lit(period))
        .withColumn("kind", F.lit("royalty"))
        .withColumn("reverses", F.lit(None).cast("string"))
        .withColumn("line_id", row_id(F.lit(period), F.lit("royalty"), *(F.col(c) for c in identity), terms))
        .select(*gold.royalty_lines.columns)
    )


def standing(published: DataFrame) -> DataFrame:
    """The lines that nothing has reversed, of reports of which all lines are given."""
    done = published.where("kind = 'reversal'").select(F.col("reverses").alias("line_id"))
    return published.where("kind = 'royalty'").join(done, "line_id", "left_anti")


def reversals(published: DataFrame, dead: DataFrame, period: str) -> DataFrame:
    """The mirror of every published line of a report that a later version has replaced."""
    return mirrors(standing(published.join(F.broadcast(dead), "file_id", "left_semi")), period)


def mirrors(lines: DataFrame, period: str) -> DataFrame:
    """The exact mirror of each of these lines, naming what it reverses."""
    mirrored = F.transform(
        "stages",
        lambda s: F.struct(
            s["stage"].alias("stage"), s["term"].alias("term"),
            (-s["amount_in"]).alias("amount_in"), (-s["amount_out"]).alias("amount_out"),
        ),
    )  # fmt: skip
    taken_back = F.transform(
        "counts", lambda c: F.struct(c["counter"].alias("counter"), c["currency"].alias("currency"), (-c["size"]).alias("size"))
    )
    return (
        lines.withColumn("reverses", F.col("line_id"))
        .withColumn("line_id", row_id(F.lit(period), F.lit("reversal"), F.col("reverses")))
        .withColumn("kind", F.lit("reversal"))
        .withColumn("period", F.lit(period))
        .withColumns({name: -F.col(name) for name in ("units", "gross", "base", "amount")})
        .withColumns({"stages": mirrored, "counts": taken_back})
        .select(*gold.royalty_lines.columns)
    )


def groups_again(lines: DataFrame) -> DataFrame:
    """The groups behind royalty lines, to be divided anew: `GROUP`, measures and a hold_id that says so.

    Two groups alike in everything, such as a fresh one and one from a hold, show as each part being there twice.
    """
    part = Window.partitionBy(*GROUP, "contract_id", "contract_version", "payee", "role", "category", "stages").orderBy("line_id")
    numbered = lines.withColumn("nth", F.row_number().over(part))
    pooled = steps_of_pools(F.col("stages"))
    return (
        numbered.withColumns({"pooled": pooled, "hold_id": F.concat(F.lit(AGAIN), F.col("nth"))})
        .withColumn("amount", out_of_pool(F.col("pooled"), F.col("base")))
        .select(*GROUP, *MEASURES, "base", "pooled", "hold_id")
        .distinct()
    )
