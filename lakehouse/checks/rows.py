"""The contract of a usage line over a whole table: good rows are typed natively, the others refused with every reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.model.identifiers import WRONG_CHECK_DIGIT
from lakehouse.model.period import DAY
from lakehouse.model.usage import AMOUNT, FIELDS, MAX_TEXT, Rule, reasons_against
from lakehouse.model.vocabulary import NOT_INCOME
from lakehouse.tables import ops
from lakehouse.tables.arrow import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

# What canonical rows carry besides the fields of a usage line. `faults` are reasons that the dialect itself found against a row,
# `oddities` what it found odd but keeps, `amounts` the text of further amounts by column.
CARRIED = ("period", "file_id", "source", "line_no", "text", "cells", "dialect_sha256")
REASONS_TYPE = ops.quarantine.types["reasons"]
# Only a refused row keeps these: they are most of its bytes, and good rows are millions.
_OF_REFUSED = ("text", "cells", "dialect_sha256")


class Split(NamedTuple):
    """`good`: typed fields, `amounts` and `warnings` beside what names the row. `ignored`: rows that are not income, as they are.
    `rejected`: the columns of `ops.quarantine`."""

    good: DataFrame
    ignored: DataFrame
    rejected: DataFrame


def accepts(name: str) -> Column:
    """Whether canonical text keeps the rule of its field: true or false, never NULL. Equal to `Rule.read` not raising."""
    rule, text = FIELDS[name], F.col(name)
    return F.when(text.isNull(), not rule.required).otherwise(_fits(rule, text))


def _fits(rule: Rule, text: Column) -> Column:
    if rule.kind == "text":
        return F.length(text).between(1, MAX_TEXT)
    if rule.kind == "code":
        # One literal instead of hundreds keeps the plan small, and looking for bytes in it is faster than find_in_set.
        listed = F.lit(f",{','.join(sorted(rule.codes))},")
        return listed.contains(F.concat(F.lit(","), text, F.lit(","))) & ~text.contains(",")
    if rule.kind == "decimal":
        return text.rlike(rf"\A(?:{rule.decimal_pattern})\z")
    if rule.kind == "day":
        return text.rlike(rf"\A(?:{DAY})\z") & text.try_cast("date").isNotNull()
    return text.rlike(rf"\A(?:{rule.pattern})\z")


def typed(name: str) -> Column:
    """The typed value of canonical text that its rule accepts."""
    rule, text = FIELDS[name], F.col(name)
    if rule.kind == "decimal":
        return text.try_cast("decimal({},{})".format(*rule.decimal))
    return text.try_cast("date") if rule.kind == "day" else text


def warnings_of_rows() -> Column:
    """`UsageLine.warnings` of accepted rows, natively, and the dialect's own; NULL where there are none."""
    digit = [F.substring(F.col("upc"), place, 1).try_cast("int") for place in range(1, 15)]
    total = sum((value * (3 if place % 2 == 0 else 1) for place, value in enumerate(digit)), F.lit(0))
    wrong = F.when(total % 10 != 0, F.array(F.lit(WRONG_CHECK_DIGIT)))
    return F.coalesce(F.concat(wrong, F.col("oddities")), wrong, F.col("oddities"))


def further_amounts() -> Column:
    """The further amounts by column, typed; one that no amount can hold is NULL."""
    return F.transform_values("amounts", lambda _, text: text.try_cast("decimal({},{})".format(*AMOUNT)))


def judge(canonical: DataFrame) -> DataFrame:
    """Canonical rows (the carried columns, one text column per field, `faults`, `oddities`, `amounts`) with `outcome`: good, ignored, rejected."""
    not_income = F.coalesce(F.col("meaning").isin(list(NOT_INCOME)), F.lit(False))
    ok = reduce(and_, (accepts(name) for name in FIELDS)) & (F.size("faults") == 0)
    judged = canonical.withColumn("outcome", F.when(not_income, "ignored").when(ok, "good").otherwise("rejected"))
    return judged.withColumns({name: F.when(F.col("outcome") == "rejected", F.col(name)) for name in _OF_REFUSED})


def split(judged: DataFrame) -> Split:
    """Parts judged rows by their outcome.

    Good rows never leave the JVM. Rejected rows pass through Pydantic for their reasons, all at once."""
    values = [typed(name).alias(name) for name in FIELDS]
    beside = [further_amounts().alias("amounts"), warnings_of_rows().alias("warnings")]
    named = [name for name in CARRIED if name not in _OF_REFUSED]
    good = judged.where("outcome = 'good'").select(*named, "report_period", "usage_key", *values, *beside)
    money_is_read = accepts("amount") & accepts("currency") & F.col("amount").isNotNull()
    refused = judged.where("outcome = 'rejected'").select(
        F.substring(F.sha2(F.concat_ws(":", "file_id", F.col("line_no").cast("string")), 256), 1, 32).alias("record_id"),
        *CARRIED,
        "faults",
        *FIELDS,
        F.when(money_is_read, typed("amount")).alias("readable_amount"),
        F.when(money_is_read, F.col("currency")).alias("readable_currency"),
    )
    rejected = refused.mapInArrow(_with_reasons, ops.quarantine.ddl.replace(" NOT NULL", ""))
    return Split(good, judged.where("outcome = 'ignored'"), rejected)


def _with_reasons(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of `ops.quarantine`, in its column order, for rows that the native rules refused."""
    import pyarrow as pa

    # A worker has no session to parse a schema with, so Arrow's comes from the declaration.
    schema = arrow_schema(ops.quarantine)
    for batch in batches:
        rows = []
        for row in batch.to_pylist():
            # A row that could not be cut has no fields to judge: its fault is the reason.
            against = [] if row["cells"] is None else reasons_against({name: row[name] for name in FIELDS})
            found = [reason._asdict() for reason in against]
            rows.append(
                {
                    **{name: row[name] for name in ("record_id", *CARRIED)},
                    "reasons": [*row["faults"], *found],
                    "amount": row["readable_amount"],
                    "currency": row["readable_currency"],
                }
            )
        yield pa.RecordBatch.from_pylist(rows, schema=schema)
