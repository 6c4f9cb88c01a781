"""The grammar of a dialect as Spark expressions: from the text of a cell to canonical text.

Text that does not fit is handed on unchanged, for the contract to refuse by its own words. Equal to `sources.grammar`, which a
property test holds."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.model.identifiers import ISRC
from lakehouse.model.period import month_numbers
from lakehouse.model.territories import alpha2_codes, spellings
from lakehouse.sources.dialect import Grammar
from lakehouse.sources.grammar import EXCEL_WRAPPER, MAX_EXPONENT, PADDING, PLAIN_NUMBER, TimePattern, month_patterns, number_pattern, time_pattern


def whole(pattern: str) -> str:
    """The pattern, matched against the whole text."""
    return rf"\A(?:{pattern})\z"


def trimmed(cell: Column, grammar: Grammar) -> Column:
    """The cell without padding and Excel's wrapper; NULL where nothing is left."""
    text = F.trim(cell, F.lit(PADDING))
    if grammar.excel:
        text = F.trim(F.regexp_replace(text, whole(EXCEL_WRAPPER), "$1"), F.lit(PADDING))
    return F.nullif(text, F.lit(""))


def without_missing(text: Column, grammar: Grammar) -> Column:
    """NULL where trimmed text is one of the dialect's spellings of no value."""
    missing = [spelling.upper() for spelling in grammar.missing if spelling]
    return F.when(~F.upper(text).isin(missing), text) if missing else text


def number(text: Column, grammar: Grammar) -> Column:
    """Plain notation of the number in trimmed text, exactly."""
    pattern = whole(number_pattern(grammar))
    before, whole_digits, decimals, exponent, after = (F.regexp_extract(text, pattern, group) for group in range(1, 6))
    digits = F.regexp_replace(whole_digits, "[^0-9]", "")
    power = F.coalesce(exponent.try_cast("int"), F.lit(0))
    bracketed = before.startswith("(") == (after == ")")
    # Moving the point over padded zeros is exact and needs no arithmetic that rounds.
    zeros = F.lit("0" * (MAX_EXPONENT + 1))
    padded = F.concat(zeros, digits, decimals, zeros)
    point = F.lit(MAX_EXPONENT + 1) + F.length(digits) + power
    before_point = F.ltrim(F.substring(padded, F.lit(1), point), F.lit("0"))
    after_point = F.rtrim(F.substring(padded, point + 1, F.length(padded)), F.lit("0"))
    negative = before.contains("(") | before.contains("-") | after.contains("-")
    plain = F.concat(
        F.when(negative, "-").otherwise(""),
        F.when(before_point == "", "0").otherwise(before_point),
        F.when(after_point == "", "").otherwise(F.concat(F.lit("."), after_point)),
    )
    usual = grammar.decimal == "."
    fits = text.rlike(pattern) & bracketed & (F.abs(power) <= MAX_EXPONENT)
    spelled = F.when(fits, plain).otherwise(text)
    # Most cells are plain already: one look decides.
    return F.when(text.rlike(whole(PLAIN_NUMBER)), text).otherwise(spelled) if usual else spelled


def month(text: Column, grammar: Grammar) -> Column:
    """The month `YYYY-MM` that trimmed text names."""
    read = [_spelled(text, pattern, with_day=False) for pattern in month_patterns(grammar)]
    return F.coalesce(*read, text)


def day(text: Column, grammar: Grammar) -> Column:
    """The day `YYYY-MM-DD` that trimmed text names. Text that names only a month is no day: NULL."""
    days = [_spelled(text, time_pattern(spelling), with_day=True) for spelling in grammar.dates]
    months = [text.rlike(whole(time_pattern(spelling).pattern)) for spelling in grammar.months]
    only_month = F.lit(False)
    for matched in months:
        only_month = only_month | matched
    return F.coalesce(*days, F.when(~only_month, text))


def _spelled(text: Column, pattern: TimePattern, with_day: bool) -> Column:
    """The value where the text is spelled so, else NULL."""
    matched = whole(pattern.pattern)
    parts = {meaning: F.regexp_extract(text, matched, group) for group, meaning in enumerate(pattern.groups, start=1)}
    year = parts["year"] if "year" in parts else F.concat(F.lit("20"), parts["century"])
    month_digits = F.lpad(parts["month"], 2, "0") if "month" in parts else looked_up(parts["name"], month_numbers())
    pieces = [year, month_digits]
    if with_day and pattern.has_day:
        pieces.append(F.lpad(parts["day"], 2, "0"))
    # concat, unlike concat_ws, is NULL where the month's name is none.
    joined = pieces[0]
    for piece in pieces[1:]:
        joined = F.concat(joined, F.lit("-"), piece)
    return F.when(text.rlike(matched), joined)


def looked_up(text: Column, values: Mapping[str, str]) -> Column:
    """The value listed for the text, upper and lower case alike; NULL where none is."""
    keys = [key.lower() for key in values]
    table = F.map_from_arrays(F.array(*map(F.lit, keys)), F.array(*map(F.lit, values.values())))
    return F.try_element_at(table, F.lower(text))


def territory(text: Column, grammar: Grammar) -> Column:
    """The alpha-2 code of a territory spelled in one of the dialect's forms."""
    forms = {}
    for form in reversed(grammar.territories):
        forms.update(spellings(form))
    # An alpha-2 code, by far the most frequent, is found in a hash set; the list is searched only for the rest.
    code = F.upper(text)
    if "alpha2" in grammar.territories:
        return F.when(code.isin(sorted(alpha2_codes())), code).otherwise(F.coalesce(looked_up(text, forms), text))
    return F.coalesce(looked_up(text, forms), text)


def isrc(text: Column) -> Column:
    """Upper case, without the hyphens and blanks of its printed form, where that makes an ISRC."""
    bare = F.upper(F.regexp_replace(text, "[- ]", ""))
    return F.when(bare.rlike(whole(ISRC)), bare).otherwise(text)


def upc(text: Column) -> Column:
    """8 to 14 digits padded to 14; all zeros are no number."""
    digits = F.when(text.rlike(whole("[0-9]{8,14}")), F.lpad(text, 14, "0")).otherwise(text)
    return F.when(~text.rlike(whole("0+")), digits)
