"""Conform the rows of every report to one shape: usage lines, lines that are not income, and lines that are refused."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.checks.rows import REASONS_TYPE, split
from lakehouse.model.usage import FIELDS
from lakehouse.model.vocabulary import NOT_INCOME
from lakehouse.sources.dialect import Condition, Dialect, Grammar, Read, Sign
from lakehouse.sources.recognise import Dialects
from lakehouse.tables import ops, silver
from lakehouse.transforms import grammar
from lakehouse.transforms.keys import usage_key

_NUMBERS = ("units", "amount", "gross")
# Sums of cells are exact in this type; a sum that needs more is refused.
_SUM = "decimal(38,18)"


class Conformed(NamedTuple):
    """The rows of `silver.usage`, `ops.ignored` and `ops.quarantine` that the lines become: each line is in exactly one."""

    usage: DataFrame
    ignored: DataFrame
    quarantine: DataFrame


def conform(lines: DataFrame, files: DataFrame, dialects: Dialects) -> Conformed:
    """Reads each data line (`bronze.lines`) by the dialect and variant of its file (`bronze.files`).

    Every dialect present is one pass of native expressions. The three results share that work: persist `lines`, not them."""
    data = lines.filter(F.col("kind") == "data")
    of_file = files.select("file_id", "variant", "captured", "report_period", "dialect_sha256")
    present = [(row.source, row.variant) for row in files.select("source", "variant").distinct().sort("source", "variant").collect()]
    joined = data.join(F.broadcast(of_file), "file_id")
    if not present:
        # Any dialect gives empty tables their columns.
        return _split(_canonical(joined, next(iter(dialects.by_id.values()))))
    # Two variants of one dialect part at their grammar.
    parts = [
        _canonical(joined.filter((F.col("source") == source) & F.col("variant").eqNullSafe(variant)), dialects[source].under(variant))
        for source, variant in present
    ]
    return _split(reduce(DataFrame.unionByName, parts))


def _split(canonical: DataFrame) -> Conformed:
    not_income = F.coalesce(F.col("meaning").isin(list(NOT_INCOME)), F.lit(False))
    ignored = canonical.filter(not_income).select(*ops.ignored.columns)
    good, rejected = split(canonical.filter(~not_income))
    identity = [F.col(name) for name in ("isrc", "upc", "title", "artist", "album", "label", "proprietary_id")]
    usage = good.withColumn("usage_key", usage_key(*identity)).select(*silver.usage.columns)
    return Conformed(usage, ignored, rejected.select(*ops.quarantine.columns))


def _canonical(lines: DataFrame, dialect: Dialect) -> DataFrame:
    """Canonical text of every field, what each row means, and the faults that the dialect finds."""
    fields = [(_field(name, dialect) if name != "meaning" else _meaning(dialect)).alias(name) for name in FIELDS]
    record_id = F.substring(F.sha2(F.concat_ws(":", "file_id", F.col("line_no").cast("string")), 256), 1, 32)
    carried = ["period", "file_id", "source", "line_no", "text", "cells", "dialect_sha256", "report_period", "error"]
    marked = [_holds(sign.when, dialect).alias(f"sign_{place}") for place, sign in enumerate(dialect.signs)]
    read = lines.select(*carried, record_id.alias("record_id"), *fields, *marked)
    return read.withColumn("faults", _faults(dialect)).drop("error", *(f"sign_{place}" for place in range(len(dialect.signs))))


def _cell(column: str, dialect: Dialect) -> Column:
    """The trimmed text of a column's cell, or NULL where it is blank."""
    return grammar.trimmed(F.get("cells", F.lit(dialect.position(column))), dialect.grammar)


def _field(name: str, dialect: Dialect) -> Column:
    read = dialect.map.get(name)
    return F.lit(None).cast("string") if read is None else _reading(read, name, dialect)


def _reading(read: Read, name: str, dialect: Dialect) -> Column:
    """A field's canonical text: from where the reading says, by the grammar of the field."""
    if read.constant is not None:
        value = F.lit(read.constant)
    elif read.plus:
        value = _sum(read, dialect)
    else:
        value = _by_grammar(name, _origin(read, name, dialect), dialect)
    if read.otherwise_read is None:
        return value
    return F.coalesce(value, _reading(read.otherwise_read, name, dialect))


def _origin(read: Read, name: str, dialect: Dialect) -> Column:
    """The text that the reading points at, after its lookup; NULL where it is blank or spelled as missing."""
    if read.captured is not None:
        texts = [grammar.trimmed(F.try_element_at("captured", F.lit(read.captured)), dialect.grammar)]
    else:
        texts = [_cell(column, dialect) for column in (read.first or (read.column or "",))]
    if name not in _NUMBERS:
        texts = [grammar.without_missing(text, dialect.grammar) for text in texts]
    text = F.coalesce(*texts) if len(texts) > 1 else texts[0]
    if read.matching is not None:
        text = F.when(text.rlike(grammar.whole(read.matching)), text)
    if read.lookup:
        return F.coalesce(grammar.looked_up(text, read.lookup), text if read.otherwise is None else F.lit(read.otherwise))
    return text if read.otherwise is None else F.coalesce(text, F.lit(read.otherwise))


def _by_grammar(name: str, text: Column, dialect: Dialect) -> Column:
    spelled = dialect.grammar
    if name in _NUMBERS:
        return grammar.number(text, spelled)
    readers = {
        "usage_period": lambda: grammar.month(text, spelled),
        "sale_date": lambda: grammar.day(text, spelled),
        "territory": lambda: grammar.territory(text, spelled),
        "isrc": lambda: grammar.isrc(text),
        "upc": lambda: grammar.upc(text),
        "currency": lambda: F.upper(text),
    }
    return readers[name]() if name in readers else text


def _sum(read: Read, dialect: Dialect) -> Column:
    """The exact sum of cells in plain notation. Blank cells count as 0; a cell that is no number is handed on for refusal."""
    plus = [grammar.number(_cell(column, dialect), dialect.grammar) for column in read.plus]
    minus = [grammar.number(_cell(column, dialect), dialect.grammar) for column in read.minus]
    unreadable = F.coalesce(*(F.when(_exact(text).isNull(), text) for text in (*plus, *minus)))
    amounts = [_zero_where_blank(text) for text in plus] + [-_zero_where_blank(text) for text in minus]
    total = reduce(lambda left, right: F.try_add(left, right).cast(_SUM), amounts)
    blank = reduce(lambda left, right: left & right, (text.isNull() for text in plus))
    return F.coalesce(unreadable, F.when(~blank, grammar.number(total.cast("string"), Grammar())))


def _exact(text: Column) -> Column:
    return F.when(text.rlike(r"\A-?[0-9]{1,19}(\.[0-9]{1,18})?\z"), text.try_cast(_SUM))


def _zero_where_blank(text: Column) -> Column:
    return F.coalesce(_exact(text), F.lit(0).cast(_SUM))


def _holds(condition: Condition, dialect: Dialect) -> Column:
    text = F.lower(_cell(condition.column, dialect))
    if condition.any:
        return F.coalesce(text.isin([value.lower() for value in condition.any]), F.lit(False))
    return F.coalesce(~text.isin([value.lower() for value in condition.none_of]), F.lit(False))


def _meaning(dialect: Dialect) -> Column:
    meaning = F.lit("generation")
    for rule in reversed(dialect.meaning):
        meaning = F.when(_holds(rule.when, dialect), F.lit(rule.is_)).otherwise(meaning)
    return meaning


def _faults(dialect: Dialect) -> Column:
    """What the reader and the dialect's own rules have against a row."""
    unreadable = F.when(F.col("error").isNotNull(), _reason(F.lit(""), F.lit("record"), F.lit(None).cast("string"), F.col("error")))
    wrong_signs = [_wrong_sign(sign, f"sign_{place}") for place, sign in enumerate(dialect.signs)]
    return F.array_compact(F.array(unreadable, *wrong_signs)).cast(REASONS_TYPE)


def _wrong_sign(sign: Sign, holds: str) -> Column:
    negative = F.coalesce(F.col("amount").startswith("-"), F.lit(False))
    not_zero = F.col("amount").rlike("[1-9]")
    wrong = F.col(holds) & not_zero & (~negative if sign.must_be == "negative" else negative)
    names = ", ".join(sign.when.any) or "other than " + ", ".join(sign.when.none_of)
    message = f"the amount of a row whose {sign.when.column} is {names} must be {sign.must_be}"
    return F.when(wrong, _reason(F.lit("amount"), F.lit("sign"), F.col("amount"), F.lit(message)))


def _reason(column: Column, rule: Column, value: Column, message: Column) -> Column:
    return F.struct(column.alias("column"), rule.alias("rule"), value.alias("value"), message.alias("message"))
