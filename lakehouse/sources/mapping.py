"""From the cells of a record to the canonical text of a usage line: a dialect's map under its grammar, for one row at a time.

Text that does not fit the grammar is handed on as it is, for the contract of a usage line to refuse by its own words. Cells repeat:
dates, stores, territories, titles. Each field therefore remembers what it made of the cells it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, Inexact
from typing import Any, NamedTuple

from lakehouse.model.identifiers import ISRC
from lakehouse.model.period import DAY, PERIOD
from lakehouse.model.territories import alpha2_codes, spellings
from lakehouse.model.usage import FIELDS, Reason
from lakehouse.sources.dialect import Condition, Dialect, Grammar, Read
from lakehouse.sources.grammar import cut, month_patterns, read_number, trimmed

# By place: those of a whole row, or only the ones that a field asks for.
Cells = Sequence[str | None] | Mapping[int, str | None]
Captured = Mapping[str, str]
Reader = Callable[[Cells, Captured], str | None]

NUMBERS = ("units", "amount", "gross", "ppd", "retail")
# What a field remembers of one batch of reports; amounts hardly repeat, so the memory is bounded.
_REMEMBERED = 200_000
_EXACT = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?")
# The sum of numbers that long is exact, or an error.
_EXACT_SUMS = Context(prec=200, traps=[Inexact])
_CELLS_FREE = Grammar()


class FieldReader(NamedTuple):
    """Reads one field. `places` are the cells that it looks at; `is_number`: it is the number of one cell, and nothing else is done to it."""

    read: Reader
    places: tuple[int, ...]
    is_number: bool = False


class RowReader:
    """Reads the rows of one dialect, in one variant."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._grammar = dialect.grammar
        self._sum_rows = dialect.sum_rows
        self.fields = [self._field_reader(name) for name in FIELDS]
        places = tuple(dialect.position(sign.when.column) for sign in dialect.signs)
        self._meaning_at = list(FIELDS).index("meaning")
        self.amount_at = list(FIELDS).index("amount")
        # The sign that a row's amount must have and why, as `negative|reason`.
        self.signs = FieldReader(_remembering(self._sign_rule, (places, ())), places) if dialect.signs else None

    def read(
        self, cells: Sequence[str | None] | None, captured: Captured, error: str | None
    ) -> tuple[list[str | None], list[Reason]]:
        """The canonical text of every field of a usage line, in their order, and what the reader and the dialect have against the row."""
        if cells is None:
            fields: list[str | None] = [None] * len(self.fields)
            fields[self._meaning_at] = "generation"
            return fields, [Reason("", "record", None, error or "the record could not be cut into cells")]
        fields = [field.read(cells, captured) for field in self.fields]
        faults = [Reason("", "record", None, error)] if error else []
        if self.signs and (fault := self.against_sign(self.signs.read(cells, captured), fields[self.amount_at])):
            faults.append(fault)
        return fields, faults

    def against_sign(self, rule: str | None, amount: str | None) -> Reason | None:
        """What is against an amount under the rule that `signs` gives for its row."""
        if not rule or not amount or not re.search("[1-9]", amount):
            return None
        must_be, message = rule.split("|", 1)
        return Reason("amount", "sign", amount, message) if amount.startswith("-") != (must_be == "negative") else None

    def _field_reader(self, name: str) -> FieldReader:
        places, names = self._sources(name)
        read = self._dialect.map.get(name)
        untouched = read is not None and read.column and not read.lookup and read.matching is None
        is_number = bool(name in NUMBERS and untouched and len(places) == 1 and self._grammar.decimal == ".")
        return FieldReader(_remembering(self._field(name), (places, names)), places, is_number)

    def _sources(self, name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The places of the cells and the names of the captured values that decide a field."""
        if name == "meaning":
            conditions = [rule.when for rule in self._dialect.meaning]
            conditions += self._dialect.sum_rows.when if self._dialect.sum_rows else ()
            return tuple(self._dialect.position(condition.column) for condition in conditions), ()
        read = self._dialect.map.get(name)
        chain = []
        while read:
            chain.append(read)
            read = read.otherwise_read
        own = {column for part in chain for column in (part.column, *part.first, *part.plus, *part.minus) if column}
        return tuple(sorted(self._dialect.position(column) for column in own)), tuple(p.captured for p in chain if p.captured)

    def _field(self, name: str) -> Reader:
        if name == "meaning":
            return lambda cells, captured: self._meaning(cells)
        read = self._dialect.map.get(name)
        if read is None:
            return lambda cells, captured: None
        return lambda cells, captured: _bare(name, self._reading(read, name, cells, captured))

    def _reading(self, read: Read, name: str, cells: Cells, captured: Captured) -> str | None:
        if read.constant is not None:
            value = _spelled(name, read.constant, _CELLS_FREE)
        elif read.plus:
            value = _spelled(name, self._sum(read, cells), _CELLS_FREE)
        else:
            value = _spelled(name, self._origin(read, name, cells, captured), self._grammar)
        if value is None and read.otherwise_read is not None:
            return self._reading(read.otherwise_read, name, cells, captured)
        return value

    def _origin(self, read: Read, name: str, cells: Cells, captured: Captured) -> str | None:
        """The text that the reading points at, after its lookup; None where it is blank or spelled as missing."""
        if read.captured is not None:
            texts = [trimmed(captured.get(read.captured), self._grammar)]
        else:
            texts = [self._cell(column, cells) for column in (read.first or (read.column or "",))]
        if name not in NUMBERS:
            texts = [without_missing(text, self._grammar) for text in texts]
        text = next((text for text in texts if text is not None), None)
        if read.matching is not None and text is not None:
            found = re.fullmatch(read.matching, text)
            text = found and ((found[1] or None) if found.re.groups else text)
        if read.lookup:
            listed = {key.lower(): value for key, value in read.lookup.items()}.get((text or "").lower())
            return listed if listed is not None else (read.otherwise if read.otherwise is not None else text)
        return read.otherwise if text is None else text

    def _sum(self, read: Read, cells: Cells) -> str | None:
        """The exact sum of cells in plain notation. Blank cells count as 0; a cell that is no number is handed on for refusal."""
        plus, minus = (
            [read_number(self._cell(column, cells), self._grammar) for column in columns] for columns in (read.plus, read.minus)
        )
        if unreadable := next((text for text in (*plus, *minus) if text is not None and not _EXACT.fullmatch(text)), None):
            return unreadable
        if all(text is None for text in plus):
            return None
        total = Decimal(0)
        for text in plus:
            total = _EXACT_SUMS.add(total, Decimal(text or 0))
        for text in minus:
            total = _EXACT_SUMS.subtract(total, Decimal(text or 0))
        return f"{total:f}"

    def _cell(self, column: str, cells: Cells) -> str | None:
        return trimmed(cells[self._dialect.position(column)], self._grammar)

    def _meaning(self, cells: Cells) -> str:
        if self._sum_rows and all(holds(condition, self._dialect, cells) for condition in self._sum_rows.when):
            return "summary"
        return next((rule.is_ for rule in self._dialect.meaning if holds(rule.when, self._dialect, cells)), "generation")

    def _sign_rule(self, cells: Cells, captured: Captured) -> str | None:
        for sign in self._dialect.signs:
            if holds(sign.when, self._dialect, cells):
                return f"{sign.must_be}|the amount of a row whose {sign.when} must be {sign.must_be}"
        return None


def holds(condition: Condition, dialect: Dialect, cells: Cells) -> bool:
    """Whether a row's cells meet a condition of its dialect."""
    text = trimmed(cells[dialect.position(condition.column)], dialect.grammar)
    if text is None:
        return condition.blank is True
    if condition.any:
        return text.lower() in {value.lower() for value in condition.any}
    return bool(condition.none_of) and text.lower() not in {value.lower() for value in condition.none_of}


def sum_row_test(dialect: Dialect) -> Callable[[Cells], bool]:
    """Tells the rows that add up others. Asked once for each combination of the cells that decide it."""
    assert dialect.sum_rows
    conditions = dialect.sum_rows.when
    places = tuple(dialect.position(condition.column) for condition in conditions)

    def ask(cells: Cells, captured: Captured) -> str | None:
        return "sum" if all(holds(condition, dialect, cells) for condition in conditions) else None

    remembered = _remembering(ask, (places, ()))
    return lambda cells: remembered(cells, {}) is not None


def _remembering(read: Reader, sources: tuple[tuple[int, ...], tuple[str, ...]]) -> Reader:
    """The same reader, asked once for each combination of the cells and captured values that decide it."""
    places, names = sources
    seen: dict[Any, str | None] = {}

    def ask(cells: Cells, captured: Captured) -> str | None:
        key: Any = (
            cells[places[0]]
            if len(places) == 1 and not names
            else (*(cells[p] for p in places), *(captured.get(n) for n in names))
        )
        try:
            return seen[key]
        except KeyError:
            if len(seen) >= _REMEMBERED:
                seen.clear()
            value = seen[key] = read(cells, captured)
            return value

    return ask


def without_missing(text: str | None, grammar: Grammar) -> str | None:
    """None where trimmed text is one of the dialect's spellings of no value."""
    missing = {spelling.upper() for spelling in grammar.missing if spelling}
    return None if text is None or text.upper() in missing else text


def unfit(text: str, canonical: str) -> str:
    """Text that the grammar does not know, for the contract to refuse. Quotes keep it from passing for canonical text all the same."""
    return f"'{text}'" if re.fullmatch(canonical, text) else text


def _spelled(name: str, text: str | None, grammar: Grammar) -> str | None:
    if text is None:
        return None
    if name in NUMBERS:
        number = read_number(text, grammar)
        return number if number is None or name == "units" else cut(number)
    if name in ("usage_period", "sale_date"):
        return _time(name, text, grammar)
    return _territory(text, grammar) if name == "territory" else text


def _time(name: str, text: str, grammar: Grammar) -> str | None:
    """`YYYY-MM` of a usage period, `YYYY-MM-DD` of a sale date. A month alone is no day: None."""
    read = next((value for pattern in month_patterns(grammar) if (value := pattern.read(text))), None)
    if read is None:
        return unfit(text, PERIOD if name == "usage_period" else DAY)
    if name == "usage_period":
        return read[:7]
    return read if len(read) > len("YYYY-MM") else None


def _territory(text: str, grammar: Grammar) -> str:
    """The alpha-2 code of a territory spelled in one of the dialect's forms."""
    forms: dict[str, str] = {}
    for form in reversed(grammar.territories):
        forms.update({spelling.lower(): code for spelling, code in spellings(form).items()})
    if "alpha2" in grammar.territories:
        return text.upper() if text.upper() in alpha2_codes() else forms.get(text.lower(), text)
    return forms.get(text.lower()) or unfit(text, "[A-Z]{2}")


def _bare(name: str, text: str | None) -> str | None:
    """Identifiers without the blanks, hyphens and padding of their printed forms."""
    if text is None:
        return None
    if name == "isrc":
        bare = re.sub("[- ]", "", text).upper()
        return bare if re.fullmatch(ISRC, bare) else text
    if name == "upc":
        if re.fullmatch("0+", text):
            return None
        return text.zfill(14) if re.fullmatch("[0-9]{8,14}", text) else text
    return text.upper() if name == "currency" else text
