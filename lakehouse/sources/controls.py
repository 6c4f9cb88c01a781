"""The figures that a sender, or whoever lands a file, declares about it, held against its rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from types import MappingProxyType
from typing import Any, NamedTuple

from lakehouse.model.usage import FIELDS
from lakehouse.model.vocabulary import NOT_INCOME
from lakehouse.sources.dialect import Dialect, Grammar
from lakehouse.sources.dsr_controls import DsrTally
from lakehouse.sources.grammar import SCALE, cut, plain_number, read_number
from lakehouse.sources.mapping import RowReader, sum_row_test
from lakehouse.sources.records import Record

# Among what was captured from a file: figures declared from outside it, by name.
GIVEN = "control."
# What they may be: the income of a file, or of one currency in it; its units; the count of its data rows.
GIVEN_CONTROL = re.compile("revenue([.][A-Z]{3})?|units|rows")
# Sums of printed amounts are exact or an error.
_EXACT = Context(prec=200, traps=[Inexact])
_ZERO = Decimal(0)
_CELLS_FREE = Grammar()
# Cells that are gathered before they are added up.
_GATHERED = 8192
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ControlResult:
    """A figure that was declared beside what was found, in the shape of `bronze.files.controls`."""

    name: str
    declared: str
    found: str
    ok: bool


def check_controls(
    records: Iterable[Record], dialect: Dialect, variant: str | None = None, captured: Mapping[str, str] = _NOTHING
) -> list[ControlResult]:
    """Holds what was declared about a file against its records, read once. `ControlTally` does it in passing."""
    tally = ControlTally(dialect, variant, captured)
    for record in records:
        tally.add(record)
    return tally.results()


def agrees(declared: Decimal, found: Decimal) -> bool:
    """Whether a declared sum is the one found. One that is printed with two decimals or more may have been rounded to them; a whole
    number must be met exactly."""
    exponent = declared.as_tuple().exponent
    assert isinstance(exponent, int)
    rounded = Decimal((0, (5,), exponent - 1)) if exponent <= -2 else _ZERO
    return abs(_EXACT.subtract(declared, found)) <= rounded


class Difference(NamedTuple):
    """Payable money that a control declares beyond what was found: `currency` is None for the file's own, `amount` is None where
    the figures are money but do not say how much is missing of what is owed."""

    control: str
    currency: str | None
    amount: Decimal | None


def money_differences(dialect: Dialect, broken: Iterable[Mapping[str, str]]) -> list[Difference]:
    """The broken controls that are of payable money. Counts, units and sums of other columns are not money that anyone owes.

    The totals of a DDEX summary are money too, but may be of one account of several: they do not say what is owed.
    """
    payable = dialect.map["amount"].column
    names = {control.name for control in dialect.controls if control.column and control.column == payable}
    summed = bool(payable and dialect.sum_rows)
    found = []
    for control in broken:
        name = control["name"]
        given = re.fullmatch(r"given revenue(?:[.]([A-Z]{3}))?", name)
        of_rows = name in names or (summed and name.endswith(f", {payable}"))
        of_summary = bool(dialect.dsr) and name.partition(" of summary ")[0] in (dialect.dsr.totals if dialect.dsr else ())
        if not (given or of_rows or of_summary):
            continue
        declared = plain_number(control["declared"], _CELLS_FREE if given else dialect.grammar)
        counted = plain_number(control["found"], _CELLS_FREE)
        amount = None
        if (given or of_rows) and declared is not None and counted is not None:
            amount = _EXACT.subtract(declared, counted)
        found.append(Difference(name, given[1] if given else None, amount))
    return found


class ControlTally:
    """Adds up a file's records as they stream by. `captured` is what the file's receipt holds, given figures among it."""

    def __init__(self, dialect: Dialect, variant: str | None = None, captured: Mapping[str, str] = _NOTHING) -> None:
        self._dialect = dialect
        read_as = dialect.under(variant)
        self._grammar = read_as.grammar
        self._rows = 0
        self._declared: dict[str, str] = {}
        self._given = {name.removeprefix(GIVEN): text for name, text in sorted(captured.items()) if name.startswith(GIVEN)}
        self._dsr = DsrTally(dialect) if dialect.dsr else None
        columns = {control.column for control in dialect.controls if control.column}
        self._sums = {column: (dialect.position(column), [_ZERO]) for column in columns}
        self._sections = _Sections(read_as) if dialect.sum_rows else None
        self._given_sums = _GivenSums(read_as, captured) if set(self._given) - {"rows"} else None
        self._payable = _Payable(read_as) if dialect.map["amount"].column else None

    def add(self, record: Record) -> None:
        """Counts one record, in the file's order."""
        if self._dsr:
            self._dsr.add(record)
        if record.kind == "data":
            self._add_row(record)
        elif record.kind in ("footer", "preamble") and not self._dsr:
            self._capture(record)

    def _add_row(self, record: Record) -> None:
        cells = record.cells
        if self._sections and cells is not None and self._sections.take(record.line_no, cells):
            return
        self._rows += 1
        if cells is None:
            return
        for place, total in self._sums.values():
            total[0] = _EXACT.add(total[0], plain_number(cells[place], self._grammar) or _ZERO)
        if self._payable:
            self._payable.add(cells)
        if self._given_sums:
            self._given_sums.add(cells)

    def _capture(self, record: Record) -> None:
        patterns = self._dialect.footer.capture if self._dialect.footer and record.kind == "footer" else {}
        for name, pattern in patterns.items():
            if found := re.search(pattern, record.text):
                self._declared.setdefault(name, found[1])
        if record.kind == "preamble":
            pattern = self._dialect.preamble[record.line_no - 1]
            found = re.search(pattern, record.text)
            self._declared.update({name: value for name, value in (found.groupdict() if found else {}).items() if value})

    def state(self) -> str:
        """What was counted so far, for `absorb` of a tally of the same file."""
        assert not self._dsr, "the rows of a flat file are counted together"
        assert not self._sections, "sections are counted together"
        state: dict[str, Any] = {"rows": self._rows, "declared": self._declared}
        state["sums"] = {column: f"{total[0]:f}" for column, (_, total) in self._sums.items()}
        state["given"] = self._given_sums.state() if self._given_sums else None
        state["payable"] = self._payable.state() if self._payable else None
        return json.dumps(state)

    def absorb(self, text: str) -> None:
        """Adds what a tally of the following part of the file has counted."""
        state = json.loads(text)
        self._rows += state["rows"]
        self._declared = {**state["declared"], **self._declared}
        for column, figure in state["sums"].items():
            total = self._sums[column][1]
            total[0] = _EXACT.add(total[0], Decimal(figure))
        if self._given_sums:
            self._given_sums.absorb(state["given"])
        if self._payable:
            self._payable.absorb(state["payable"])

    def results(self) -> list[ControlResult]:
        """Every declared figure beside the found one. A figure that is missing from the file is a broken control.

        Where the payable column has more decimals than amounts keep, its exact total and what was cut of it stand here too."""
        results = [
            self._compared(control.name, self._declared.get(control.captured), self._found(control.column))
            for control in self._dialect.controls
        ]
        results += [ControlResult(*result) for result in self._dsr.results()] if self._dsr else []
        results += self._sections.results if self._sections else []
        results += [self._held_to(name, text) for name, text in self._given.items()]
        return results + (self._payable.results() if self._payable else [])

    def _found(self, column: str | None) -> Decimal:
        return Decimal(self._rows) if column is None else self._sums[column][1][0]

    def _held_to(self, name: str, text: str) -> ControlResult:
        if name == "rows" or self._given_sums is None:
            return self._compared(f"given {name}", text, Decimal(self._rows), _CELLS_FREE)
        found = self._given_sums.of(name)
        if len(found) > 1:
            several = ", ".join(f"{figure:f} {currency}" for currency, figure in sorted(found.items()))
            return ControlResult(f"given {name}", text, f"{several}: give one figure for each, as revenue.EUR", False)
        return self._compared(f"given {name}", text, next(iter(found.values()), _ZERO), _CELLS_FREE)

    def _compared(self, name: str, declared: str | None, found: Decimal, grammar: Grammar | None = None) -> ControlResult:
        figure = plain_number(declared, grammar or self._grammar)
        return ControlResult(name, declared or "", f"{found:f}", figure is not None and agrees(figure, found))


class _Sections:
    """Sum rows: what each declares, held against the rows since the last."""

    def __init__(self, dialect: Dialect) -> None:
        assert dialect.sum_rows
        self._grammar = dialect.grammar
        self._is_sum = sum_row_test(dialect)
        self._places = {column: dialect.position(column) for column in dialect.sum_rows.columns}
        self._totals = dict.fromkeys(self._places, _ZERO)
        self._whole = dict.fromkeys(self._places, _ZERO)
        self.results: list[ControlResult] = []

    def take(self, line_no: int, cells: list[str | None]) -> bool:
        """Whether the row is a sum row; any other is added up."""
        figures = {column: plain_number(cells[place], self._grammar) for column, place in self._places.items()}
        if not self._is_sum(cells):
            for column, figure in figures.items():
                self._totals[column] = _EXACT.add(self._totals[column], figure or _ZERO)
            return False
        for column, place in self._places.items():
            if text := (cells[place] or "").strip():
                self._hold(f"line {line_no}, {column}", text, figures[column], column)
        for column, total in self._totals.items():
            self._whole[column] = _EXACT.add(self._whole[column], total)
        self._totals = dict.fromkeys(self._places, _ZERO)
        return True

    def _hold(self, name: str, text: str, declared: Decimal | None, column: str) -> None:
        """A sum row that follows another without rows between them is the sum of the whole."""
        section, whole = self._totals[column], _EXACT.add(self._whole[column], self._totals[column])
        found = whole if declared is not None and agrees(declared, whole) else section
        self.results.append(ControlResult(name, text, f"{found:f}", declared is not None and agrees(declared, found)))


class _GivenSums:
    """What the rows that are income come to, as the reader of the books reads them."""

    def __init__(self, dialect: Dialect, captured: Mapping[str, str]) -> None:
        self._reader, self._captured = RowReader(dialect), captured
        self._places = [list(FIELDS).index(name) for name in ("meaning", "amount", "currency", "units")]
        self._revenue: dict[str, Decimal] = {}
        self._units = _ZERO

    def add(self, cells: list[str | None]) -> None:
        fields, _ = self._reader.read(cells, self._captured, None)
        meaning, amount, currency, units = (fields[place] for place in self._places)
        if meaning in NOT_INCOME:
            return
        counted = plain_number(amount, _CELLS_FREE) or _ZERO
        self._revenue[currency or ""] = _EXACT.add(self._revenue.get(currency or "", _ZERO), counted)
        self._units = _EXACT.add(self._units, plain_number(units, _CELLS_FREE) or _ZERO)

    def state(self) -> dict[str, Any]:
        return {"revenue": _written(self._revenue), "units": f"{self._units:f}"}

    def absorb(self, state: Mapping[str, Any]) -> None:
        _add_all(self._revenue, state["revenue"])
        self._units = _EXACT.add(self._units, Decimal(state["units"]))

    def of(self, name: str) -> dict[str, Decimal]:
        """The figure of a given control, by currency; units have none."""
        if name == "units":
            return {"": self._units}
        _, _, currency = name.partition(".")
        return {currency: self._revenue.get(currency, _ZERO)} if currency else self._revenue


class _Payable:
    """The exact total of the payable column in each currency, and the part of it beyond the decimals which amounts keep.

    Cells are gathered and added up some thousand at a time: this looks at every row of every report."""

    def __init__(self, dialect: Dialect) -> None:
        amount, currency = dialect.map["amount"].column, dialect.map["currency"].column
        assert amount
        self._grammar = dialect.grammar
        self._place = dialect.position(amount)
        self._currency_at = dialect.position(currency) if currency else None
        self._gathered: dict[str | None, list[str]] = {}
        self._size = 0
        self._totals: dict[str, Decimal] = {}
        self._residues: dict[str, Decimal] = {}

    def add(self, cells: list[str | None]) -> None:
        text = cells[self._place]
        if not text:
            return
        self._gathered.setdefault(None if self._currency_at is None else cells[self._currency_at], []).append(text)
        self._size += 1
        if self._size == _GATHERED:
            self._add_up()

    def _add_up(self) -> None:
        gathered, self._gathered, self._size = self._gathered, {}, 0
        for cell, texts in gathered.items():
            currency = (cell or "").strip()
            amounts = [amount for text in texts if (amount := plain_number(text, self._grammar)) is not None]
            with localcontext(_EXACT):
                self._totals[currency] = sum(amounts, self._totals.get(currency, _ZERO))
                # No text shorter than this has more decimals than amounts keep, but for an exponent.
                long = [plain_number(text, self._grammar) for text in texts if len(text) > SCALE or "e" in text.lower()]
                for amount in filter(None, long):
                    if rest := amount - Decimal(cut(f"{amount:f}")):
                        self._residues[currency] = self._residues.get(currency, _ZERO) + rest

    def state(self) -> dict[str, Any]:
        self._add_up()
        return {"totals": _written(self._totals), "residues": _written(self._residues)}

    def absorb(self, state: Mapping[str, Any]) -> None:
        _add_all(self._totals, state["totals"])
        _add_all(self._residues, state["residues"])

    def results(self) -> list[ControlResult]:
        self._add_up()
        results = []
        for currency, residue in sorted(self._residues.items()):
            total, of = self._totals[currency], f" {currency}".rstrip()
            figures = (total, _EXACT.subtract(total, residue), residue)
            exact, kept, rest = (read_number(f"{figure:f}", _CELLS_FREE) or "" for figure in figures)
            results.append(ControlResult(f"exact total{of}", exact, kept, True))
            results.append(ControlResult(f"residue{of} beyond {SCALE} decimals", rest, "0", True))
        return results


def _written(figures: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: f"{figure:f}" for name, figure in figures.items()}


def _add_all(figures: dict[str, Decimal], more: Mapping[str, str]) -> None:
    for name, figure in more.items():
        figures[name] = _EXACT.add(figures.get(name, _ZERO), Decimal(figure))
