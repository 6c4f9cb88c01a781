"""From royalty lines and events to movements and statements: every account of a period, settled once.

The order of stages: released reserves, shared costs, producers' points that wait, guarantees, tax on what is earned, costs, advances and
cross-collateralization, conversion, tax on what is paid, minimum payout. The result depends on the set of lines and events alone, not on
their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from lakehouse.model.accounts import Balance, Books, Event, Line, Settlement, Statement, opened
from lakehouse.model.bookings import book_events, book_granted_advances, hold_reserves, release_reserves
from lakehouse.model.clauses import Advance, Usage
from lakehouse.model.contracts import Contract, ContractBook
from lakehouse.model.guarantees import top_up
from lakehouse.model.money import ZERO, add
from lakehouse.model.payout import minimum_payout, pay_out
from lakehouse.model.producers import hold_producers
from lakehouse.model.recoupment import KINDS, Recoupment
from lakehouse.model.shared_costs import share_costs
from lakehouse.model.taxes import tax_on_earned, taxable_income

Account = tuple[str, str, str]  # contract, payee, currency


@dataclass
class Tally:
    """What the stages have found so far, by contract, payee and currency."""

    earned: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    deducted: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    reserved: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    taxed: dict[Account, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def available(self, account: Account) -> Decimal:
        """What the account has for recoupment and payment."""
        taken = add(self.deducted[account], self.reserved[account], self.taxed[account])
        return add(self.earned[account], taken.copy_negate())

    def accounts(self) -> set[Account]:
        return set(self.earned) | set(self.deducted) | set(self.reserved) | set(self.taxed)


def settle(
    book: ContractBook,
    contracts: Collection[str] | None,
    period: str,
    opening: Iterable[Balance],
    lines: Iterable[Line],
    events: Iterable[Event],
) -> Settlement:
    """Settles the accounts of some contracts (None: all of the book) for one statement period.

    In: the closing balances of the period before; the royalty lines of the period, of every contract of the group; its events. Out: movements
    (double entry), statements with exact payable amounts (`accounts.rounded` rounds those of all groups together), closing balances.
    Contracts that share a payee belong to one group (`groups.account_groups`). Raises ValueError where a rate of exchange is missing.
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
    top_up(books, in_group, lines, tally)
    tax_on_earned(books, book, lines, tally)
    left, recouped = _recoup(books, book, in_group, tally)
    taxable = taxable_income(books, book, lines)
    statements = _statements(books, tally, recouped, lines)
    return Settlement(*pay_out(books, book, statements, left, taxable))


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
            lambda c: limits.get(c, Fraction(1)),
            lambda c: orders.get(c, KINDS),
        )
        recoupment.settle(book.rules.cross, minimum_payout(book, payee, currency))
        left[payee, currency] = add(*recoupment.left.values())
        recouped[payee, currency] = add(*(amount for _, amount in recoupment.recouped))
    return left, recouped


def _limits(contracts: Iterable[Contract], period: str) -> dict[str, Fraction]:
    """The part of a period's royalties that each contract lets an advance use."""
    now = Usage("", "ZZ", "", "", None, "", period)
    found: dict[str, Fraction] = {}
    for contract in contracts:
        if contract.effective.holds(period):
            for _, term in contract.account_terms(Advance, now):
                found[contract.contract] = min(term.up_to, found.get(contract.contract, Fraction(1)))
    return found


def _statements(
    books: Books, tally: Tally, recouped: dict[tuple[str, str], Decimal], lines: Iterable[Line]
) -> dict[tuple[str, str], Statement]:
    """A statement, before it is paid out, for every payee and currency with something to tell."""
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
    return {(payee, cur): Statement(books.period, cur, payee, **values) for (payee, cur), values in sorted(sums.items())}
