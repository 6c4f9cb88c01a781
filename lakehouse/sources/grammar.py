"""How a dialect spells numbers and times, as patterns. Only `[0-9]` is a digit, and every pattern is matched whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from lakehouse.model.period import PERIOD, month_numbers
from lakehouse.model.usage import AMOUNT
from lakehouse.sources.dialect import Grammar

# What surrounds a value and is not part of it: blanks, tabs, line ends, no-break space, byte order mark.
PADDING = " \t\r\n\u00a0\ufeff"
EXCEL_WRAPPER = '="([^"]*)"'
PLAIN_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?"
# What would pass for a plain number though the dialect's grammar did not read it as one.
UNFIT_NUMBER = r"-?[0-9]+(\.[0-9]+)?"
_WRAPPED = re.compile(EXCEL_WRAPPER)
_PLAIN = re.compile(PLAIN_NUMBER)
_UNFIT = re.compile(UNFIT_NUMBER)
# Decimals that an amount keeps. Some senders print more (34 were seen): the file's text and exact total keep those.
SCALE = AMOUNT[1]
# An exponent beyond this is not a printed amount; the number stays as it is and is refused.
MAX_EXPONENT = 60


@lru_cache
def number_pattern(grammar: Grammar) -> str:
    """Pattern of a number, with groups: 1 signs before, 2 whole digits, 3 decimals, 4 exponent, 5 signs after."""
    mark = re.escape(grammar.decimal)
    whole = "[0-9]+"
    if grammar.thousands:
        # No number in groups starts with 0: `0,258` is a fraction in another spelling, not 258.
        whole = f"[1-9][0-9]{{0,2}}(?:{re.escape(grammar.thousands)}[0-9]{{3}})+|[0-9]+"
    signs = "|".join(re.escape(sign) for sign in grammar.currency_signs)
    currency = f"(?:(?:{signs}) ?)?" if signs else ""
    before = f"[+-]?{currency}[+-]?" if signs else "[+-]?"
    after = "-?" if grammar.trailing_minus else ""
    if grammar.parentheses:
        before, after = rf"{before}|\({currency}", rf"{after}|\)"
    return rf"({before})({whole}|(?={mark}[0-9]))(?:{mark}([0-9]*))?(?:[eE]([+-]?[0-9]{{1,3}}))?({after})"


def read_number(text: str | None, grammar: Grammar) -> str | None:
    """Plain notation of the number, exactly: `1,234.50` becomes `1234.5`. Blank is None. Text that does not fit is
    returned as it is, or in quotes where it would pass for a number all the same: `1.000` in a file with decimal commas."""
    trimmed = (text or "").strip(PADDING)
    if not trimmed:
        return None
    # Nearly every number of nearly every report is plain already.
    if grammar.decimal == "." and _PLAIN.fullmatch(trimmed):
        return trimmed
    found = re.fullmatch(number_pattern(grammar), trimmed)
    bracketed = found is not None and found[1].startswith("(") == (found[5] == ")")
    exponent = int(found[4] or 0) if found else 0
    if found is None or not bracketed or abs(exponent) > MAX_EXPONENT:
        return f"'{trimmed}'" if re.fullmatch(UNFIT_NUMBER, trimmed) else trimmed
    negative = "(" in found[1] or "-" in found[1] + found[5]
    whole = re.sub("[^0-9]", "", found[2])
    # Moving the point over padded zeros is exact and needs no arithmetic that rounds.
    zeros = "0" * (MAX_EXPONENT + 1)
    digits = zeros + whole + (found[3] or "") + zeros
    point = len(zeros) + len(whole) + exponent
    plain_whole = digits[:point].lstrip("0") or "0"
    decimals = digits[point:].rstrip("0")
    return ("-" if negative else "") + plain_whole + (f".{decimals}" if decimals else "")


def trimmed(cell: str | None, grammar: Grammar) -> str | None:
    """The cell without padding and Excel's wrapper; None where nothing is left."""
    text = (cell or "").strip(PADDING)
    if grammar.excel and (wrapped := _WRAPPED.fullmatch(text)):
        text = wrapped[1].strip(PADDING)
    return text or None


def plain_number(text: str | None, grammar: Grammar) -> Decimal | None:
    """The number exactly, with as many decimals as it is printed with; None where the text is blank or no number."""
    plain = text if text and grammar.decimal == "." and _UNFIT.fullmatch(text) else read_number(trimmed(text, grammar), grammar)
    return Decimal(plain) if plain is not None and _UNFIT.fullmatch(plain) else None


def cut(number: str) -> str:
    """Plain notation cut to `SCALE` decimals: the digits after are dropped, towards zero, so that no more is paid than was reported.
    Text that is no plain number, or has no more decimals, is returned as it is."""
    whole, _, decimals = number.partition(".")
    if len(decimals) <= SCALE or not _UNFIT.fullmatch(number):
        return number
    kept = decimals[:SCALE].rstrip("0")
    if kept:
        return f"{whole}.{kept}"
    return "0" if whole == "-0" else whole


# Token: pattern, and what the group gives.
_TOKENS = {
    "YYYY": ("([0-9]{4})", "year"),
    "YY": ("([0-9]{2})", "century"),
    "MMMM": ("([A-Za-z]{3,9})", "name"),
    "MMM": ("([A-Za-z]{3,4})", "name"),
    "MM": ("([0-9]{2})", "month"),
    "M": ("([0-9]{1,2})", "month"),
    "DD": ("([0-9]{2})", "day"),
    "D": ("([0-9]{1,2})", "day"),
    "Q": ("([1-4])", "quarter"),
    "{time}": (r"(?:[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)? ?(?:[AaPp][Mm])?)", ""),
    "{offset}": ("(?:Z|[+-][0-9]{2}:?[0-9]{2})", ""),
}
# Letters in single quotes stand for themselves, as in CLDR date patterns.
_TOKEN = re.compile("'(?P<literal>[^']+)'|" + "|".join(re.escape(token) for token in _TOKENS))


@dataclass(frozen=True)
class TimePattern:
    """One spelling of a day or month. `groups` says what each group of `pattern` is: year, century, name, month, quarter, day."""

    pattern: str
    groups: tuple[str, ...]

    @property
    def has_day(self) -> bool:
        return "day" in self.groups

    def read(self, text: str) -> str | None:
        """`YYYY-MM-DD` or `YYYY-MM`, or None where the text is spelled otherwise. Whether the day exists is not judged here."""
        found = re.fullmatch(self.pattern, text)
        if found is None:
            return None
        parts = dict(zip(self.groups, found.groups(), strict=True))
        if "quarter" in parts:
            # A quarter stands for its last month, as an end date would.
            month: str | None = f"{3 * int(parts['quarter']):02}"
        else:
            month = parts["month"].zfill(2) if "month" in parts else month_numbers().get(parts["name"].lower())
        if month is None:
            return None
        # Two digits of a year mean this century: no report is older than digital sales.
        year = parts.get("year") or "20" + parts["century"]
        return "-".join([year, month, *([parts["day"].zfill(2)] if self.has_day else [])])


@lru_cache
def time_pattern(spelling: str) -> TimePattern:
    """The pattern of a spelling such as `M/D/YYYY {time}`, `MMM-YY`, `YYYYMMDD` or `YYYY'M'M`. Tokens: YYYY YY MMMM MMM MM M DD D
    Q {time} {offset}; what stands in single quotes is literal."""
    pattern, groups, end = "", [], 0
    for token in _TOKEN.finditer(spelling):
        part, meaning = (re.escape(token["literal"]), "") if token["literal"] else _TOKENS[token[0]]
        pattern += re.escape(spelling[end : token.start()]) + part
        groups += [meaning] if meaning else []
        end = token.end()
    pattern += re.escape(spelling[end:])
    if not ({"year", "century"} & set(groups) and {"month", "name", "quarter"} & set(groups)):
        raise ValueError(f"{spelling!r} names no year or no month")
    return TimePattern(pattern, tuple(groups))


def month_patterns(grammar: Grammar) -> tuple[TimePattern, ...]:
    """What stands for a month: the spellings of months, then those of days."""
    return tuple(time_pattern(spelling) for spelling in (*grammar.months, *grammar.dates))


def read_month(text: str | None, grammar: Grammar) -> str | None:
    """The month `YYYY-MM` that the text names, or None where it is blank, spelled otherwise, or no month there is."""
    trimmed = (text or "").strip(PADDING)
    found = (pattern.read(trimmed) for pattern in month_patterns(grammar))
    month = next((value[:7] for value in found if value), "")
    return month if re.fullmatch(PERIOD, month) else None
