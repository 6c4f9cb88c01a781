"""From royalty lines and events to movements and statements: every account of a period, settled once.

The order of stages: released reserves, shared costs, producers' points that wait, guarantees, tax on what is earned, costs, advances and
cross-collateralization (`settle_contracts`); then, of all that a payee is left with, conversion, tax on what is paid, minimum payout
(`settle_payees`). The result depends on the set of lines and events alone, not on their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import partial

from lakehouse.model.accounts import Balance, Books, Event, Line, Movement, Settlement, Statement, opened
from lakehouse.model.book import ContractBook
from lakehouse.model.bookings import book_events, book_granted_advances, hold_reserves, release_reserves
from lakehouse.model.clauses import Advance, Usage
from lakehouse.model.contracts import Contract
from lakehouse.model.guarantees import top_up
from lakehouse.model.money import ZERO, add
from lakehouse.model.payout import minimum_payout, pay_out
from lakehouse.model.producers import hold_producers
from lakehouse.model.recoupment import KINDS, Recoupment
from lakehouse.model.shared_costs import share_costs
from lakehouse.model.taxes import income_before, tax_on_earned, taxable_income

Account = tuple[str, str, str]  # contract, payee, currency


@dataclass
class Tally:
    """What the stages have found so far, by contract, payee and currency."""

    earned: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    deducted: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    reserved: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    taxed: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    # What comes to the income of the period besides its lines, or, negative, waits of it; by what it is made of (`taxes.make_up`).
    freed: dict[Account, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(lambda: ZERO)))

    def free(self, account: Account, ref: str, amount: Decimal) -> None:
        """Adds to what comes to the income of the period; a negative amount waits."""
        self.freed[account][ref] = add(self.freed[account][ref], amount)

    def available(self, account: Account) -> Decimal:
        """What the account has for recoupment and payment."""
        taken = add(self.deducted[account], self.reserved[account], self.taxed[account])
        return add(self.earned[account], taken.copy_negate())

    def accounts(self) -> set[Account]:
        return set(self.earned) | set(self.deducted) | set(self.reserved) | set(self.taxed)


# What happens to a payee as such, rather than under a contract.
OF_PAYEES = ("payment", "society_payment")


@dataclass(frozen=True, slots=True)
class Due:
    """What the contracts of one group leave a payee in one currency, with the sums of the way there and the make-up of the income."""

    payee: str
    currency: str
    left: Decimal
    sums: Mapping[str, Decimal]
    income: Mapping[str, Decimal]


@dataclass(frozen=True)
class Earned:
    """The accounts of a group of contracts, settled: before anything is paid out."""

    movements: tuple[Movement, ...]
    dues: tuple[Due, ...]
    closing: tuple[Balance, ...]


def settle(
    book: ContractBook,
    contracts: Collection[str] | None,
    period: str,
    opening: Iterable[Balance],
    lines: Iterable[Line],
    events: Iterable[Event],
) -> Settlement:
    """Settles the accounts of some contracts (None: all of the book) and of their payees for one statement period.

    In: the closing balances of the period before; the royalty lines of the period; its events. Out: movements (double entry), statements
    with exact payable amounts (`accounts.rounded` rounds them together), closing balances. Raises ValueError where a rate of exchange is
    missing.
    """
    opening, events = list(opening), list(events)
    earned = settle_contracts(
        book, contracts, period, [b for b in opening if b.contract], lines, [e for e in events if e.event not in OF_PAYEES]
    )
    paid = settle_payees(
        book, period, [b for b in opening if not b.contract], [e for e in events if e.event in OF_PAYEES], earned.dues
    )
    closing = tuple(sorted((*earned.closing, *paid.closing)))
    return Settlement((*earned.movements, *paid.movements), paid.statements, closing)


def settle_contracts(
    book: ContractBook,
    contracts: Collection[str] | None,
    period: str,
    opening: Iterable[Balance],
    lines: Iterable[Line],
    events: Iterable[Event],
) -> Earned:
    """The accounts under some contracts, up to what each leaves its payees.

    Contracts whose accounts recoup each other (`groups.account_groups`) must come together, with all their balances, lines, costs and
    advances; others may come apart.
    """
    books, tally = opened(period, opening), Tally()
    lines = sorted(
        lines, key=lambda line: (line.line_id, line.contract, line.payee, line.role, line.category, [s.term for s in line.stages])
    )
    in_group = [c for c in book.contracts if contracts is None or c.contract in contracts]
    book_granted_advances(books, in_group)
    book_events(books, book, sorted(events, key=lambda event: event.event_id), tally)
    release_reserves(books, tally)
    _earn(books, lines, tally)
    hold_reserves(books, book, lines, tally)
    share_costs(books, lines, tally)
    hold_producers(books, book, lines, tally)
    top_up(books, book, in_group, lines, tally)
    tax_on_earned(books, book, lines, tally)
    left, recouped = _recoup(books, book, in_group, tally)
    income = taxable_income(book, lines, tally)
    dues = tuple(
        Due(*account, left.get(account, ZERO), values, income.get(account, {}))
        for account, values in sorted(_sums(books, tally, recouped, lines).items())
    )
    return Earned(tuple(books.movements), dues, books.closing())


def settle_payees(
    book: ContractBook, period: str, opening: Iterable[Balance], events: Iterable[Event], dues: Iterable[Due]
) -> Settlement:
    """What payees are paid and what is carried: all that contracts leave them, with their own balances and payments.

    Payees may come apart, each with all currencies between which the book has a rate of exchange.
    """
    books, tally = opened(period, opening), Tally()
    book_events(books, book, sorted(events, key=lambda event: event.event_id), tally)
    left, recouped = _recoup(books, book, (), tally)
    sums = _sums(books, tally, recouped, ())
    income = income_before(books)
    for due in dues:
        account = (due.payee, due.currency)
        left[account] = add(left.get(account, ZERO), due.left)
        for target, found in ((sums[account], due.sums), (income[account], due.income)):
            for name, amount in found.items():
                target[name] = add(target[name], amount)
    statements = {(payee, cur): Statement(period, cur, payee, **values) for (payee, cur), values in sorted(sums.items())}
    return Settlement(*pay_out(books, book, statements, left, income))


def _earn(books: Books, lines: Iterable[Line], tally: Tally) -> None:
    """What each payee has earned, and what is reserved of it after the calculation."""
    sums: dict[Account, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        if line.category == "payable":
            sums[line.contract, line.payee, line.currency] = add(sums[line.contract, line.payee, line.currency], line.amount)
    for (contract, payee, currency), amount in sorted(sums.items()):
        tally.earned[contract, payee, currency] = add(tally.earned[contract, payee, currency], amount)
        books.post("earned", payee, currency, contract, amount, f"expenses:royalties:{contract}", f"liabilities:accrued:{payee}")


def _recoup(
    books: Books, book: ContractBook, contracts: Collection[Contract], tally: Tally
) -> tuple[dict[tuple[str, str], Decimal], dict[tuple[str, str], Decimal]]:
    """What each payee has left in each currency after recoupment, and what was recouped."""
    accounts: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for contract, payee, currency in tally.accounts():
        accounts[payee, currency][contract] = tally.available((contract, payee, currency))
    for kind, contract, payee, currency, _ in list(books.balances):
        if kind in KINDS:
            accounts[payee, currency].setdefault(contract, ZERO)
    limits = _limits(contracts, books.period)
    orders = {c.contract: c.recoup_order for c in contracts if c.effective.holds(books.period)}
    left: dict[tuple[str, str], Decimal] = {}
    recouped: dict[tuple[str, str], Decimal] = {}
    for (payee, currency), available in sorted(accounts.items()):
        recoupment = Recoupment(
            books,
            payee,
            currency,
            dict(sorted(available.items())),
            partial(_limit, limits, payee),
            lambda c: orders.get(c, KINDS),
        )
        recoupment.settle(book.rules.cross, minimum_payout(book, payee, currency))
        left[payee, currency] = add(*recoupment.left.values())
        recouped[payee, currency] = add(*(amount for _, amount in recoupment.recouped))
    return left, recouped


def _limits(contracts: Iterable[Contract], period: str) -> dict[str, dict[str, Fraction]]:
    """The part of a period's royalties that each contract lets an advance use, by the party that the advance is of."""
    now = Usage("", "ZZ", "", "", None, "", period)
    found: dict[str, dict[str, Fraction]] = defaultdict(dict)
    for contract in contracts:
        if contract.effective.holds(period):
            for _, term in contract.account_terms(Advance, now):
                for payee in term.to:
                    own = found[contract.contract]
                    own[payee] = min(term.up_to, own.get(payee, Fraction(1)))
    return found


def _limit(limits: Mapping[str, Mapping[str, Fraction]], payee: str, contract: str) -> Fraction:
    """The limit of a payee under a contract; of one that only an event names, the lowest of the contract."""
    own = limits.get(contract, {})
    return own.get(payee, min(own.values(), default=Fraction(1)))


def _sums(
    books: Books, tally: Tally, recouped: dict[tuple[str, str], Decimal], lines: Iterable[Line]
) -> dict[tuple[str, str], dict[str, Decimal]]:
    """The amounts of a statement, before it is paid out, for every payee and currency with something to tell."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for name in ("earned", "deducted", "reserved", "taxed"):
        for (_, payee, currency), amount in getattr(tally, name).items():
            sums[payee, currency][name] = add(sums[payee, currency][name], amount)
    for key, amount in recouped.items():
        sums[key]["recouped"] = amount
    for (kind, _, payee, currency, _), amount in books.balances.items():
        if kind == "carried":
            sums[payee, currency]["opening"] = add(sums[payee, currency]["opening"], amount)
        elif kind in KINDS:
            sums[payee, currency]["unrecouped"] = add(sums[payee, currency]["unrecouped"], amount)
        elif kind in ("reserve", "pending"):
            sums[payee, currency]["held"] = add(sums[payee, currency]["held"], amount)
    for line in lines:
        if line.category in ("payable", "reserved"):
            sums[line.payee, line.currency]["earned"] = add(sums[line.payee, line.currency]["earned"])
    return sums
