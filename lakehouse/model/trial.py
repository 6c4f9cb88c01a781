"""A contract book tried on a table of usage: royalty lines, movements and statements, with no lake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Balance, Event, Line, Movement, Statement, rounded
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Part, Step
from lakehouse.model.contracts import Contract
from lakehouse.model.counting import Due, balances_of, counts_of, divide_in_order
from lakehouse.model.money import add, exact, split
from lakehouse.model.pools import pooled
from lakehouse.model.settle import settle

if TYPE_CHECKING:
    from lakehouse.model.trial_rows import UsageRow


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A usage line that no contract could be applied to, and why. Its money, after pools and adjustments, is held, not guessed."""

    line_id: str
    period: str
    amount: Decimal
    currency: str
    reason: str


@dataclass
class Trial:
    """What came of it, period by period."""

    lines: list[Line] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    closing: tuple[Balance, ...] = ()


def try_book(book: ContractBook, rows: Iterable[UsageRow], events: Iterable[Event]) -> Trial:
    """Every period of the table in order, the closing of each the opening of the next. Raises ValueError where a rate of exchange is missing."""
    rows, events, trial = list(rows), list(events), Trial()
    for period in sorted({row.period for row in rows} | {event.period for event in events}):
        own = [event for event in events if event.period == period]
        resolved = resolve_lines(book, [row for row in rows if row.period == period], own, trial.closing)
        settlement = rounded([settle(book, None, period, [*trial.closing, *resolved.counts], resolved.lines, own)])
        trial.lines += resolved.lines
        trial.unresolved += resolved.unresolved
        trial.movements += settlement.movements
        trial.statements += settlement.statements
        trial.closing = settlement.closing
    return trial


@dataclass(frozen=True)
class Resolved:
    """Royalty lines of one period, what could not be resolved, and what the lines have counted, as balances."""

    lines: list[Line]
    unresolved: list[Unresolved]
    counts: list[Balance]


def resolve_lines(book: ContractBook, rows: list[UsageRow], events: Iterable[Event], opening: Iterable[Balance]) -> Resolved:
    """Every line by the contract in force. `opening`, the balances before the period, says how far each escalation has counted."""
    ordered = sorted(rows, key=lambda row: (row.usage.sale_date or row.usage.usage_period, row.line_id))
    bases = _bases(book, ordered, events)
    by_id = {row.line_id: row for row in rows}
    due: list[Due] = []
    unresolved: list[Unresolved] = []
    for row in ordered:
        contract = book.in_force(row.usage.recording, row.artist, row.label, row.usage.usage_period, row.usage.release)
        if contract is None:
            unresolved.append(_unresolved(row, bases[row.line_id][0], f"no contract covers it in {row.usage.usage_period}"))
        else:
            due.append(Due(row.line_id, contract, row.usage, *bases[row.line_id]))
    divided = divide_in_order(due, counts_of(opening))
    unresolved += [_unresolved(by_id[one.due.line_id], one.due.base, one.refusal) for one in divided if one.refusal]
    lines = [_line(by_id[one.due.line_id], one.due.contract, part) for one in divided for part in one.parts]
    return Resolved(lines, unresolved, balances_of(one.counted for one in divided))


def _line(row: UsageRow, contract: Contract, part: Part) -> Line:
    return Line(
        row.line_id, row.period, contract.contract, contract.version, part.party, part.role, part.category, part.stream.amount,
        row.currency, part.stream.steps, row.usage,
    )  # fmt: skip


def _unresolved(row: UsageRow, base: Decimal, reason: str) -> Unresolved:
    return Unresolved(row.line_id, row.period, base, row.currency, reason)


def _bases(book: ContractBook, rows: list[UsageRow], events: Iterable[Event]) -> Mapping[str, tuple[Decimal, tuple[Step, ...]]]:
    """The amount of each line before its contract, and how it came about: pools first, then adjustments of the whole report."""
    bases = pooled(book.rules.pools, rows)
    for event in sorted(events, key=lambda event: event.event_id):
        if event.event != "adjustment":
            continue
        touched = [row for row in rows if row.currency == event.currency]
        total = add(*(bases[row.line_id][0] for row in touched))
        if not total:
            raise ValueError(f"the adjustment {event.event_id} has no lines in {event.currency} to be spread over")
        shares = {row.line_id: exact(bases[row.line_id][0]) / exact(total) for row in touched}
        for line_id, part in split(event.amount, shares).items():
            before, steps = bases[line_id]
            after = add(before, part)
            bases[line_id] = (after, (*steps, Step("adjustment", event.event_id, before, after)))
    return bases
