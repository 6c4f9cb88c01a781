"""The grammar of a dialect as Spark expressions: from the text of a cell to canonical text.

Text that does not fit is handed on as it is, for the contract to refuse by its own words. Equal to `sources.grammar`, which a
property test holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.model.identifiers import ISRC
from lakehouse.model.period import DAY, PERIOD, month_numbers
from lakehouse.model.territories import alpha2_codes, spellings
from lakehouse.sources.dialect import Grammar
from lakehouse.sources.grammar import (
    EXCEL_WRAPPER,
    MAX_EXPONENT,
    PADDING,
    UNFIT_NUMBER,
    TimePattern,
    number_pattern,
)

# Characters that stand for structure inside expressions; `trimmed` takes them out of every cell.
_BETWEEN_ENTRIES, _BEFORE_VALUE, _MARK = "\u0001", "\u0002", "\u0003"


def whole(pattern: str) -> str:
    """The pattern, matched against the whole text."""
    return rf"\A(?:{pattern})\z"


def trimmed(cell: Column, grammar: Grammar) -> Column:
    """The cell without padding and Excel's wrapper; NULL where nothing is left."""
    # The marks of a half-read value must not come from outside.
    text = F.trim(F.translate(cell, f"{_BETWEEN_ENTRIES}{_BEFORE_VALUE}{_MARK}", "\ufffd" * 3), F.lit(PADDING))
    if grammar.excel:
        text = F.trim(F.regexp_replace(text, whole(EXCEL_WRAPPER), "$1"), F.lit(PADDING))
    return F.nullif(text, F.lit(""))


def without_missing(text: Column, grammar: Grammar) -> Column:
    """NULL where trimmed text is one of the dialect's spellings of no value."""
    missing = [spelling.upper() for spelling in grammar.missing if spelling]
    return F.when(~one_of(F.upper(text), missing), text) if missing else text


def unfit(text: Column, canonical: str) -> Column:
    """Text that the grammar does not know, for the contract to refuse. Where it would pass for canonical text all the same, as
    `1.000` in a file with decimal commas would, quotes keep it from being misread."""
    return F.when(text.rlike(whole(canonical)), F.concat(F.lit("'"), text, F.lit("'"))).otherwise(text)


def spelled_number(text: Column, grammar: Grammar) -> Column:
    """First half of reading a number: text that the dialect's grammar knows is cut into marked parts; other text stays."""
    return F.regexp_replace(text, whole(number_pattern(grammar)), f"{_MARK}$1|$2|$3|$4|$5|$0")


def plain_numbers(frame: DataFrame, names: Sequence[str]) -> DataFrame:
    """Second half, the same for every dialect: columns of `spelled_number` become plain notation, exactly."""
    # One step per column of intermediate values, so that no expression is written out again inside another.
    cut = frame.withColumns({f"{name}_parts": _parts(name) for name in names})
    zeros = F.lit("0" * (MAX_EXPONENT + 1))
    digits = {f"{name}_digits": F.regexp_replace(F.get(f"{name}_parts", F.lit(1)), "[^0-9]", "") for name in names}
    power = {f"{name}_power": F.coalesce(F.get(f"{name}_parts", F.lit(3)).try_cast("int"), F.lit(0)) for name in names}
    signs = {f"{name}_signs": F.concat(F.get(f"{name}_parts", F.lit(0)), F.get(f"{name}_parts", F.lit(4))) for name in names}
    padded = {
        f"{name}_padded": F.concat(zeros, F.col(f"{name}_digits"), F.get(f"{name}_parts", F.lit(2)), zeros) for name in names
    }
    point = {f"{name}_point": F.lit(MAX_EXPONENT + 1) + F.length(f"{name}_digits") + F.col(f"{name}_power") for name in names}
    moved = cut.withColumns({**digits, **power, **signs}).withColumns({**padded, **point})
    around = {}
    for name in names:
        # Moving the point over padded zeros is exact and needs no arithmetic that rounds.
        whole_digits = F.substring(F.col(f"{name}_padded"), F.lit(1), F.col(f"{name}_point"))
        decimals = F.substring(F.col(f"{name}_padded"), F.col(f"{name}_point") + 1, F.length(f"{name}_padded"))
        around[f"{name}_whole"] = F.ltrim(whole_digits, F.lit("0"))
        around[f"{name}_decimals"] = F.rtrim(decimals, F.lit("0"))
    return (
        moved.withColumns(around)
        .withColumns({name: _joined_number(name) for name in names})
        .drop(*(f"{name}_{part}" for name in names for part in ("parts", *_NUMBER_STEPS)))
    )


_NUMBER_STEPS = ("digits", "power", "signs", "padded", "point", "whole", "decimals")


def _joined_number(name: str) -> Column:
    text, signs = F.col(name), F.col(f"{name}_signs")
    whole_digits, decimals = F.col(f"{name}_whole"), F.col(f"{name}_decimals")
    plain = F.concat(
        F.when(signs.rlike("[(-]"), "-").otherwise(""),
        F.when(whole_digits == "", "0").otherwise(whole_digits),
        F.when(decimals == "", "").otherwise(F.concat(F.lit("."), decimals)),
    )
    fits = text.startswith(_MARK) & (signs.contains("(") == signs.contains(")")) & (F.abs(F.col(f"{name}_power")) <= MAX_EXPONENT)
    return F.when(fits, plain).otherwise(unfit(_as_printed(name, 5), UNFIT_NUMBER))


def _parts(name: str) -> Column:
    """The parts of marked text; NULL where it is not marked."""
    return F.when(F.startswith(name, F.lit(_MARK)), F.split(F.substr(name, F.lit(2)), r"\|"))


def _as_printed(name: str, place: int) -> Column:
    """The text again, from the last of its parts, where they turned out to be no value after all."""
    return F.coalesce(F.get(f"{name}_parts", F.lit(place)), F.col(name))


def spelled_time(text: Column, patterns: Iterable[TimePattern]) -> Column:
    """First half of reading a day or month: text in one of the dialect's spellings is cut into marked year, month and day."""
    for pattern in patterns:
        group = {meaning: f"${place}" for place, meaning in enumerate(pattern.groups, start=1)}
        year = group.get("year") or f"20{group['century']}"
        parts = f"{_MARK}{year}|{group.get('month') or group['name']}|{group.get('day', '')}|$0"
        # Marked text fits no pattern, so the first spelling that fits decides.
        text = F.regexp_replace(text, whole(pattern.pattern), parts)
    return text


def plain_times(frame: DataFrame, month: str, day: str) -> DataFrame:
    """Second half: the columns of `spelled_time` become `YYYY-MM` and `YYYY-MM-DD`. A month alone is no day: NULL."""
    cut = frame.withColumns({f"{name}_parts": _parts(name) for name in (month, day)})
    numbered = cut.withColumns({f"{name}_month": _month_number(F.get(f"{name}_parts", F.lit(1))) for name in (month, day)})
    read_month = F.concat(F.get(f"{month}_parts", F.lit(0)), F.lit("-"), F.col(f"{month}_month"))
    day_part = F.get(f"{day}_parts", F.lit(2))
    read_day = F.concat(F.get(f"{day}_parts", F.lit(0)), F.lit("-"), F.col(f"{day}_month"), F.lit("-"), F.lpad(day_part, 2, "0"))
    return numbered.withColumns(
        {
            month: F.coalesce(read_month, unfit(_as_printed(month, 3), PERIOD)),
            day: F.when(day_part == "", None).otherwise(F.coalesce(read_day, unfit(_as_printed(day, 3), DAY))),
        }
    ).drop(*(f"{name}_{step}" for name in (month, day) for step in ("parts", "month")))


def _month_number(part: Column) -> Column:
    return F.when(part.rlike(whole("[0-9]{1,2}")), F.lpad(part, 2, "0")).otherwise(looked_up(part, month_numbers()))


def looked_up(text: Column, values: Mapping[str, str]) -> Column:
    """The value listed for the text, upper and lower case alike; NULL where none is."""
    # One literal, not one per entry: a plan of many dialects stays small.
    entries = _BETWEEN_ENTRIES.join(f"{key.lower()}{_BEFORE_VALUE}{value}" for key, value in values.items())
    return F.try_element_at(F.str_to_map(F.lit(entries), F.lit(_BETWEEN_ENTRIES), F.lit(_BEFORE_VALUE)), F.lower(text))


def one_of(text: Column, codes: Collection[str]) -> Column:
    """Whether the text is one of the codes, which hold no comma; NULL where it is NULL."""
    return F.find_in_set(text, F.lit(",".join(sorted(codes)))) > 0


def territory(text: Column, grammar: Grammar) -> Column:
    """The alpha-2 code of a territory spelled in one of the dialect's forms."""
    forms = {}
    for form in reversed(grammar.territories):
        forms.update(spellings(form))
    # The long list is searched only for what is no alpha-2 code.
    code = F.upper(text)
    if "alpha2" in grammar.territories:
        return F.when(one_of(code, alpha2_codes()), code).otherwise(F.coalesce(looked_up(text, forms), text))
    return F.coalesce(looked_up(text, forms), unfit(text, "[A-Z]{2}"))


def isrc(text: Column) -> Column:
    """Upper case, without the hyphens and blanks of its printed form, where that makes an ISRC."""
    bare = F.upper(F.regexp_replace(text, "[- ]", ""))
    return F.when(bare.rlike(whole(ISRC)), bare).otherwise(text)


def upc(text: Column) -> Column:
    """8 to 14 digits padded to 14; all zeros are no number."""
    digits = F.when(text.rlike(whole("[0-9]{8,14}")), F.lpad(text, 14, "0")).otherwise(text)
    return F.when(~text.rlike(whole("0+")), digits)
