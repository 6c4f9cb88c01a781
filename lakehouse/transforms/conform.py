"""Conform the rows of every report to one shape: usage lines, lines that are not income, and lines that are refused."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.checks.rows import CARRIED, REASONS_TYPE, split
from lakehouse.model.usage import FIELDS
from lakehouse.model.vocabulary import NOT_INCOME
from lakehouse.sources.dialect import Condition, Dialect, Grammar, Read
from lakehouse.sources.grammar import month_patterns
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
    kinds = files.select("source", "variant").distinct().sort("source", "variant").collect()
    present = [(row.source, row.variant) for row in kinds]
    joined = data.join(F.broadcast(of_file), "file_id")
    if not present:
        # Any dialect gives empty tables their columns.
        return _split(_canonical(joined, next(iter(dialects.by_id.values()))))
    # Two variants of one dialect part at their grammar.
    parts = [
        _canonical(
            joined.filter((F.col("source") == source) & F.col("variant").eqNullSafe(variant)), dialects[source].under(variant)
        )
        for source, variant in present
    ]
    return _split(reduce(DataFrame.unionByName, parts))


def _walled(frame: DataFrame) -> DataFrame:
    """The same rows behind a generator of one row each. The optimizer moves no filter or projection across it; else it would
    write every later expression out once for each dialect, and every field again in each filter."""
    return frame.select(F.inline(F.array(F.struct(*frame.columns))))


def _split(canonical: DataFrame) -> Conformed:
    canonical = _walled(_read_generally(_walled(canonical)))
    not_income = F.coalesce(F.col("meaning").isin(list(NOT_INCOME)), F.lit(False))
    ignored = canonical.filter(not_income).select(*ops.ignored.columns)
    good, rejected = split(canonical.filter(~not_income))
    identity = [F.col(name) for name in ("isrc", "upc", "title", "artist", "album", "label", "proprietary_id")]
    usage = good.withColumn("usage_key", usage_key(*identity)).select(*silver.usage.columns)
    return Conformed(usage, ignored, rejected.select(*ops.quarantine.columns))


def _canonical(lines: DataFrame, dialect: Dialect) -> DataFrame:
    """What is the dialect's to say: the text of every field by its map and grammar, what a row means, and its sign."""
    record_id = F.substring(F.sha2(F.concat_ws(":", "file_id", F.col("line_no").cast("string")), 256), 1, 32).alias("record_id")
    carried = ["period", "file_id", "source", "line_no", "text", "cells", "dialect_sha256", "report_period", "error", "captured"]
    cells = lines.select(
        *carried, record_id, *(_trimmed_cell(place, dialect).alias(f"cell_{place}") for place in _places(dialect))
    )
    fields = [(_meaning(dialect) if name == "meaning" else _field(name, dialect)).alias(name) for name in FIELDS]
    return _with_terms(cells, dialect).select(*CARRIED, "report_period", "error", *fields, _sign_rule(dialect).alias("sign"))


def _read_generally(read: DataFrame) -> DataFrame:
    """What is the same for every dialect, written once: plain numbers, days and months, bare identifiers, faults."""
    timed = grammar.plain_times(grammar.plain_numbers(read, _NUMBERS), "usage_period", "sale_date")
    bare = {"isrc": grammar.isrc(F.col("isrc")), "upc": grammar.upc(F.col("upc")), "currency": F.upper("currency")}
    return timed.withColumns(bare).withColumn("faults", _faults()).drop("error", "sign")


def _with_terms(cells: DataFrame, dialect: Dialect) -> DataFrame:
    """Plain numbers in columns `term_<place>` for the cells that the dialect adds up."""
    reads = [read for first in dialect.map.values() for read in (first, first.otherwise_read) if read]
    places = sorted({dialect.position(column) for read in reads for column in (*read.plus, *read.minus)})
    if not places:
        return cells
    spelled = {f"term_{place}": grammar.spelled_number(F.col(f"cell_{place}"), dialect.grammar) for place in places}
    return grammar.plain_numbers(cells.withColumns(spelled), list(spelled))


def _places(dialect: Dialect) -> list[int]:
    """The cells that the dialect's rules look at."""
    mapped = [column for read in dialect.map.values() for column in read.columns]
    conditions = [*(rule.when.column for rule in dialect.meaning), *(sign.when.column for sign in dialect.signs)]
    return sorted({dialect.position(column) for column in (*mapped, *conditions)})


def _trimmed_cell(place: int, dialect: Dialect) -> Column:
    return grammar.trimmed(F.get("cells", F.lit(place)), dialect.grammar)


def _cell(column: str, dialect: Dialect) -> Column:
    """The trimmed text of a column's cell, or NULL where it is blank."""
    return F.col(f"cell_{dialect.position(column)}")


def _field(name: str, dialect: Dialect) -> Column:
    read = dialect.map.get(name)
    return F.lit(None).cast("string") if read is None else _reading(read, name, dialect)


def _reading(read: Read, name: str, dialect: Dialect) -> Column:
    """A field's text: from where the reading says, spelled by the grammar of the field."""
    if read.constant is not None:
        value = _spelled(name, F.lit(read.constant), Grammar())
    elif read.plus:
        value = _spelled(name, _sum(read, dialect), Grammar())
    else:
        value = _spelled(name, _origin(read, name, dialect), dialect.grammar)
    if read.otherwise_read is None:
        return value
    return F.coalesce(value, _reading(read.otherwise_read, name, dialect))


def _spelled(name: str, text: Column, spelling: Grammar) -> Column:
    if name in _NUMBERS:
        return grammar.spelled_number(text, spelling)
    if name in ("usage_period", "sale_date"):
        return grammar.spelled_time(text, month_patterns(spelling))
    return grammar.territory(text, spelling) if name == "territory" else text


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


def _sum(read: Read, dialect: Dialect) -> Column:
    """The exact sum of cells in plain notation. Blank cells count as 0; a cell that is no number is handed on for refusal."""
    plus, minus = ([F.col(f"term_{dialect.position(column)}") for column in columns] for columns in (read.plus, read.minus))
    unreadable = F.coalesce(*(F.when(_exact(text).isNull(), text) for text in (*plus, *minus)))
    amounts = [_zero_where_blank(text) for text in plus] + [-_zero_where_blank(text) for text in minus]
    total = reduce(lambda left, right: F.try_add(left, right).cast(_SUM), amounts)
    blank = reduce(lambda left, right: left & right, (text.isNull() for text in plus))
    return F.coalesce(unreadable, F.when(~blank, total.cast("string")))


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


def _sign_rule(dialect: Dialect) -> Column:
    """The sign that the row's amount must have and why, as `negative|reason`; NULL where no rule of the dialect applies."""
    rule = F.lit(None).cast("string")
    for sign in reversed(dialect.signs):
        values = ", ".join(sign.when.any) or "other than " + ", ".join(sign.when.none_of)
        message = f"the amount of a row whose {sign.when.column} is {values} must be {sign.must_be}"
        rule = F.when(_holds(sign.when, dialect), F.lit(f"{sign.must_be}|{message}")).otherwise(rule)
    return rule


def _faults() -> Column:
    """What the reader and the dialect's own rules have against a row."""
    unreadable = F.when(F.col("error").isNotNull(), _reason("", "record", F.lit(None).cast("string"), F.col("error")))
    amount, must_be = F.col("amount"), F.substring_index("sign", "|", 1)
    wrong = amount.rlike("[1-9]") & (amount.startswith("-") != (must_be == "negative"))
    wrong_sign = F.when(wrong, _reason("amount", "sign", amount, F.substring_index("sign", "|", -1)))
    return F.array_compact(F.array(unreadable, wrong_sign)).cast(REASONS_TYPE)


def _reason(column: str, rule: str, value: Column, message: Column) -> Column:
    return F.struct(F.lit(column).alias("column"), F.lit(rule).alias("rule"), value.alias("value"), message.alias("message"))
