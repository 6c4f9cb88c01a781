"""What accounts are made of: lines and events that come in, balances that are carried, movements and statements that go out.

A balance is (kind, contract, payee, currency, ref): the closing balances of one period are the opening balances of the next. Amounts
are at 18 decimals; a statement's payable amount is rounded once, with all others of its period and currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lakehouse.model.clauses import Step, Usage
from lakehouse.model.money import ZERO, add, minor_digits, round_together

EVENTS = ("cost", "advance", "return", "payment", "society_payment", "adjustment")
# Kinds of balance. Those of money first; the rest are what the next period must know to go on counting.
MONEY = ("carried", "payable", "advance", "cost", "shared_cost", "reserve", "pending")
MEMO = ("recouped", "surplus", "granted", "guarantee", "position", "costs", "open", "taxable", "held_income", "count")

Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A royalty line: one party's part of one usage line (or group), with its way through the stages."""

    line_id: str
    period: str
    contract: str
    version: str
    payee: str
    role: str
    category: str
    amount: Decimal
    currency: str
    stages: tuple[Step, ...]
    usage: Usage

    def term_of(self, stage: str) -> str | None:
        """The term that made the line what it is at a stage: the last, for the line has come through those of others before."""
        return next((step.term for step in reversed(self.stages) if step.stage == stage), None)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an account besides usage."""

    event_id: str
    period: str
    event: str
    contract: str
    payee: str
    amount: Decimal
    currency: str
    cost_type: str | None = None
    territory: str = "ZZ"
    date: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Balance:
    """What an account holds between two periods. Memos (`count`, `guarantee`, ...) are numbers that go on counting."""

    kind: str
    contract: str
    payee: str
    currency: str
    ref: str
    amount: Decimal

    @property
    def key(self) -> Key:
        return (self.kind, self.contract, self.payee, self.currency, self.ref)


@dataclass(frozen=True, slots=True)
class Movement:
    """One posting. Debits are positive; the postings of one transaction add up to zero in each currency."""

    period: str
    transaction: str
    account: str
    payee: str
    kind: str
    amount: Decimal
    currency: str
    source: str


@dataclass(frozen=True, slots=True)
class Statement:
    """opening + earned - deducted - recouped - reserved - taxed + converted = payable + carried - rounding."""

    period: str
    currency: str
    payee: str
    opening: Decimal = ZERO
    earned: Decimal = ZERO
    deducted: Decimal = ZERO
    recouped: Decimal = ZERO
    reserved: Decimal = ZERO
    taxed: Decimal = ZERO
    converted: Decimal = ZERO
    payable: Decimal = ZERO
    carried: Decimal = ZERO
    rounding: Decimal = ZERO
    unrecouped: Decimal = ZERO
    held: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a period makes of its accounts."""

    movements: tuple[Movement, ...]
    statements: tuple[Statement, ...]
    closing: tuple[Balance, ...]


@dataclass
class Books:
    """The balances and movements of one period while it is settled."""

    period: str
    balances: dict[Key, Decimal] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)

    def get(self, kind: str, contract: str, payee: str, currency: str, ref: str = "") -> Decimal:
        return self.balances.get((kind, contract, payee, currency, ref), ZERO)

    def move(self, amount: Decimal, kind: str, contract: str, payee: str, currency: str, ref: str = "") -> None:
        """Adds to a balance; one that is zero is forgotten."""
        key = (kind, contract, payee, currency, ref)
        left = add(self.get(*key), amount)
        if left:
            self.balances[key] = left
        else:
            self.balances.pop(key, None)

    def of_kind(self, kind: str) -> list[tuple[Key, Decimal]]:
        """Every balance of a kind, in order."""
        return sorted(item for item in self.balances.items() if item[0][0] == kind)

    def post(self, kind: str, payee: str, currency: str, source: str, amount: Decimal, debit: str, credit: str) -> None:
        """One transaction between two accounts; nothing where the amount is zero."""
        if not amount:
            return
        transaction = ":".join(part for part in (self.period, kind, payee, currency, source) if part)
        for account, signed in ((debit, amount), (credit, amount.copy_negate())):
            self.movements.append(Movement(self.period, transaction, account, payee, kind, add(signed), currency, source))

    def closing(self) -> tuple[Balance, ...]:
        return tuple(sorted(Balance(*key, amount) for key, amount in self.balances.items()))


def opened(period: str, opening: Iterable[Balance]) -> Books:
    """The books of a period, as the one before closed them. A balance given twice counts twice."""
    books = Books(period)
    for balance in opening:
        books.move(balance.amount, *balance.key)
    return books


def rounded(settlements: Iterable[Settlement]) -> Settlement:
    """All settlements of a period as one, with every payable amount rounded: once, all of a currency together (largest remainders)."""
    parts = list(settlements)
    statements = sorted((s for part in parts for s in part.statements), key=lambda s: (s.currency, s.payee))
    movements = [movement for part in parts for movement in part.movements]
    balances: dict[Key, Decimal] = {}
    for part in parts:
        for balance in part.closing:
            balances[balance.key] = add(balances.get(balance.key, ZERO), balance.amount)
    finished: list[Statement] = []
    for currency in sorted({s.currency for s in statements}):
        own = [s for s in statements if s.currency == currency]
        payable = round_together({s.payee: s.payable for s in own if s.payable > 0}, minor_digits(currency))
        finished += [_round(s, payable.get(s.payee), balances, movements) for s in own]
    closing = tuple(sorted(Balance(*key, amount) for key, amount in balances.items() if amount))
    return Settlement(tuple(movements), tuple(finished), closing)


def _round(statement: Statement, payable: Decimal | None, balances: dict[Key, Decimal], movements: list[Movement]) -> Statement:
    if payable is None:
        return statement
    payable = add(payable)
    rounding = add(payable, statement.payable.copy_negate())
    books = Books(statement.period)
    payee, currency = statement.payee, statement.currency
    books.post("rounding", payee, currency, "", rounding, "income:rounding", f"liabilities:accrued:{payee}")
    books.post("payable", payee, currency, "", payable, f"liabilities:accrued:{payee}", f"liabilities:payable:{payee}")
    movements += books.movements
    key = ("payable", "", payee, currency, "")
    balances[key] = add(balances.get(key, ZERO), payable)
    return replace(statement, payable=payable, rounding=rounding)
