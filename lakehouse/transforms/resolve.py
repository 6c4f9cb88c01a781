"""From groups to royalty lines: the contract in force, every clause in order, the parts that add up to the group.

The clauses are the reference engine's own (`lakehouse.model.contracts`); Spark gives it groups in Arrow batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from lakehouse.model.clauses import Part, Usage
from lakehouse.model.contracts import ContractBook
from lakehouse.tables import gold
from lakehouse.tables.arrow import arrow_type
from lakehouse.tables.declare import Field
from lakehouse.tables.gold import GROUP
from lakehouse.tables.silver import STATUSES
from lakehouse.transforms.groups import MEASURES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PAID = ("MATCHED", "DRIFT_FLAGGED")
assert set(PAID) < set(STATUSES)

_PARTS = (
    "recording_id", "contract_id", "contract_version", "payee", "role", "category", "usage_lines", "units", "base", "amount", "stages",
)  # fmt: skip
_RESOLVED = (
    *(field for field in gold.royalty_lines.fields if field.name in (*GROUP, *_PARTS)),
    Field("hold_id", "string", "The hold that the group comes from, where it was held before"),
    Field("refusal", "string", "Why no contract could be applied, where none was"),
)


def resolve(groups: DataFrame, book: ContractBook) -> DataFrame:
    """Royalty parts of every group, and a row with no contract for each group that none covers.

    In: `GROUP`, measures, recording_id, catalog_artist, catalog_label, hold_id. Out: `GROUP`, the recording and its contract,
    payee, role, category, base, amount, stages and hold_id; contract_id is NULL, with the refusal, where no contract
    could be applied.
    """
    columns = [*GROUP, *MEASURES, "recording_id", "catalog_artist", "catalog_label", "hold_id"]
    schema = ", ".join(f"{f.name} {f.type}" for f in _RESOLVED)
    return groups.select(*columns).mapInArrow(_resolver(book), schema)


def _resolver(book: ContractBook) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = pa.schema([(field.name, arrow_type(field.type)) for field in _RESOLVED])

    def batches(groups: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in groups:
            rows = [row for group in batch.to_pylist() for row in _rows(group, book)]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return batches


def _rows(group: dict[str, Any], book: ContractBook) -> Iterator[dict[str, Any]]:
    contract = book.in_force(group["recording_id"], group["catalog_artist"], group["catalog_label"], group["usage_period"])
    shared = {**group, "base": group["amount"]}
    if contract is None:
        yield {**shared, "refusal": "NO_CONTRACT"}
        return
    usage = Usage(
        recording=group["recording_id"], territory=group["territory"], channel=group["channel"], configuration=group["configuration"],
        price_category=group["price_category"], source=group["source"], usage_period=group["usage_period"],
        report_period=group["report_period"], units=group["units"], currency=group["currency"],
    )  # fmt: skip
    try:
        parts = contract.split(usage, group["amount"])
    except ValueError as error:
        # A price that a term needs and the report does not give: the money waits, and the hold says for what.
        yield {**shared, "refusal": f"{contract.contract}: {error}"}
        return
    for part in parts:
        yield {**shared, "contract_id": contract.contract, "contract_version": contract.version, **_part(part)}


def _part(part: Part) -> dict[str, Any]:
    steps = [{"stage": s.stage, "term": s.term, "amount_in": s.amount_in, "amount_out": s.amount_out} for s in part.stream.steps]
    return {"payee": part.party, "role": part.role, "category": part.category, "amount": part.stream.amount, "stages": steps}


def row_id(*parts: Column) -> Column:
    """32 hex digits of the SHA-256 over the parts, NULL told apart from empty."""
    texts = [F.coalesce(F.concat(F.lit("="), part.cast("string")), F.lit("~")) for part in parts]
    return F.substring(F.sha2(F.concat_ws("\u001f", *texts), 256), 1, 32)


def royalty_lines(resolved: DataFrame, period: str) -> DataFrame:
    """gold.royalty_lines of the parts that have a contract."""
    terms = F.array_join(F.transform("stages", lambda step: step["term"]), ">")
    identity = (*GROUP, "contract_id", "contract_version", "payee", "role", "category", "hold_id")
    return (
        resolved.where("contract_id IS NOT NULL")
        .withColumn("period", F.lit(period))
        .withColumn("kind", F.lit("royalty"))
        .withColumn("reverses", F.lit(None).cast("string"))
        .withColumn("line_id", row_id(F.lit(period), F.lit("royalty"), *(F.col(c) for c in identity), terms))
        .select(*gold.royalty_lines.columns)
    )


def reversals(published: DataFrame, dead: DataFrame, period: str) -> DataFrame:
    """The exact mirror of every published line of a report that a later version has replaced, each naming what it reverses."""
    done = published.where("kind = 'reversal'").select(F.col("reverses").alias("line_id"))
    mirrored = F.transform(
        "stages",
        lambda s: F.struct(
            s["stage"].alias("stage"), s["term"].alias("term"),
            (-s["amount_in"]).alias("amount_in"), (-s["amount_out"]).alias("amount_out"),
        ),
    )  # fmt: skip
    lines = published.where("kind = 'royalty'").join(F.broadcast(dead), "file_id", "left_semi").join(done, "line_id", "left_anti")
    return (
        lines.withColumn("reverses", F.col("line_id"))
        .withColumn("line_id", row_id(F.lit(period), F.lit("reversal"), F.col("reverses")))
        .withColumn("kind", F.lit("reversal"))
        .withColumn("period", F.lit(period))
        .withColumns({name: -F.col(name) for name in ("units", "base", "amount")})
        .withColumn("stages", mirrored)
        .select(*gold.royalty_lines.columns)
    )
