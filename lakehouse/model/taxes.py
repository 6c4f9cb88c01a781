"""Withholding tax: which income of a payee is taxed, and at what rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Books, Line
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Withholding
from lakehouse.model.money import ZERO, add, parse_rate, times, write_rate

if TYPE_CHECKING:
    from lakehouse.model.settle import Tally

# Income of a payee and currency that has not been paid yet: all of it under "", what is taxed under "name|rate".
Income = dict[tuple[str, str], dict[str, Decimal]]
# The same of an account that waits: what is taxed stands under "of|name|rate", and "of|term|rate" for tax on what is earned.
_HELD = "held_income"


def _taxes(book: ContractBook, line: Line, of: str) -> Iterator[tuple[str, Fraction, str]]:
    """Name, rate and id of each tax on a line's income: of one name the most specific term about this payee."""
    party = book.parties.get(line.payee)
    if party is None or party.tax_exempt:
        return
    contract = book.find(line.contract, line.version)
    if contract is None:
        # What is taken back under a contract that has left the book: there are no terms on tax any more.
        return
    chosen: dict[str, tuple[tuple[object, ...], Fraction, str, str]] = {}
    for index, term in enumerate(contract.terms):
        if isinstance(term, Withholding) and term.when.fits(line.usage, book.rules.territory_basis):
            rate = term.rate_for(line.payee, party.country, party.kind)
            about = (bool(term.payees), bool(term.country), bool(term.payee_kind))
            rank = (contract.specificity(term), about, term.when.from_period or "")
            if rate is not None and (term.name not in chosen or rank > chosen[term.name][0]):
                chosen[term.name] = (rank, rate, contract.term_id(index), term.of)
    for name, (_, rate, term_id, base) in sorted(chosen.items()):
        if base == of:
            yield name, rate, term_id


def make_up(book: ContractBook, lines: Iterable[Line]) -> dict[str, Decimal]:
    """The income of some lines: all of it under "", and of each tax what is taxed."""
    found: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        found[""] = add(found[""], line.amount)
        for of in ("payable", "earned"):
            for name, rate, term_id in _taxes(book, line, of):
                ref = f"{of}|{name if of == 'payable' else term_id}|{write_rate(rate)}"
                found[ref] = add(found[ref], line.amount)
    return found


def wait(books: Books, account: tuple[str, str, str], until: str, ref: str, amount: Decimal) -> None:
    """Keeps what income that waits is made of, so that it is taxed as what it is when it is set free."""
    contract, payee, currency = account
    books.move(amount, _HELD, contract, payee, currency, f"{until}#{ref}")


def set_free(books: Books, waited: Collection[tuple[tuple[str, str, str], str]], tally: Tally) -> None:
    """Gives the make-up of income that has waited, by account and what it waited for, to the income of the period."""
    for (_, contract, payee, currency, place), amount in books.of_kind(_HELD):
        account = (contract, payee, currency)
        until, _, ref = place.partition("#")
        if (account, until) in waited:
            books.move(amount.copy_negate(), _HELD, *account, place)
            tally.free(account, ref, amount)


def tax_on_earned(books: Books, book: ContractBook, lines: Iterable[Line], tally: Tally) -> None:
    """Taxes that are taken before recoupment."""
    sums: dict[tuple[str, str, str, str, Fraction], Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        if line.category == "payable":
            for _, rate, term_id in _taxes(book, line, "earned"):
                key = (line.contract, line.payee, line.currency, term_id, rate)
                sums[key] = add(sums[key], line.amount)
    for account, freed in sorted(tally.freed.items()):
        for ref, amount in sorted(freed.items()):
            of, _, taxed_by = ref.partition("|")
            if of == "earned":
                term_id, _, share = taxed_by.rpartition("|")
                key = (*account, term_id, parse_rate(share))
                sums[key] = add(sums[key], amount)
    for (contract, payee, currency, term_id, rate), amount in sorted(sums.items()):
        tax = times(amount, rate)
        tally.taxed[contract, payee, currency] = add(tally.taxed[contract, payee, currency], tax)
        books.post("tax", payee, currency, term_id, tax, f"liabilities:accrued:{payee}", f"liabilities:tax:{term_id}")


def _no_income() -> Income:
    return defaultdict(lambda: defaultdict(lambda: ZERO))


def taxable_income(book: ContractBook, lines: Iterable[Line], tally: Tally) -> Income:
    """The income of a period, with what was set free in it and without what waits, and what of it is taxed when it is paid."""
    income = _no_income()
    for line in lines:
        if line.category == "payable":
            own = income[line.payee, line.currency]
            own[""] = add(own[""], line.amount)
            for name, rate, _ in _taxes(book, line, "payable"):
                ref = f"{name}|{write_rate(rate)}"
                own[ref] = add(own[ref], line.amount)
    for (_, payee, currency), freed in sorted(tally.freed.items()):
        own = income[payee, currency]
        for ref, amount in sorted(freed.items()):
            of, _, tax = ref.partition("|")
            if of in ("", "payable"):
                own[tax] = add(own[tax], amount)
    return income


def income_before(books: Books) -> Income:
    """What the balances that earlier periods have not paid come from; the books forget it until it is carried again."""
    income = _no_income()
    for (_, _, payee, currency, ref), amount in books.of_kind("taxable"):
        income[payee, currency][ref] = add(income[payee, currency][ref], amount)
        books.move(amount.copy_negate(), "taxable", "", payee, currency, ref)
    return income


def remember(books: Books, payee: str, currency: str, income: dict[str, Decimal]) -> None:
    """Keeps the make-up of a balance that is carried, so that it is taxed as what it is when it is paid."""
    if any(ref and amount for ref, amount in income.items()):
        for ref, amount in sorted(income.items()):
            books.move(amount, "taxable", "", payee, currency, ref)
