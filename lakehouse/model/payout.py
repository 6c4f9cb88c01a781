"""The end of a statement: conversion, minimum payout, tax, and what is paid or carried."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from lakehouse.model.accounts import Balance, Books, Movement, Statement
from lakehouse.model.book import ContractBook
from lakehouse.model.money import ZERO, add, exact, parse_rate, times
from lakehouse.model.rules import FxRate
from lakehouse.model.taxes import Income, remember

Account = tuple[str, str]  # payee, currency


def minimum_payout(book: ContractBook, payee: str, currency: str) -> Decimal:
    """From what balance on a payee is paid: the party's own, else the book's, else any."""
    party = book.parties.get(payee)
    own = party.minimum_payout.get(currency) if party else None
    return book.rules.minimum_payout.get(currency, ZERO) if own is None else own


def pay_out(
    books: Books, book: ContractBook, statements: dict[Account, Statement], left: dict[Account, Decimal], income: Income
) -> tuple[tuple[Movement, ...], tuple[Statement, ...], tuple[Balance, ...]]:
    """Movements, statements and closing balances. Payable amounts are exact; they are rounded with those of all other payees."""
    found = dict(statements)
    balances = {key: add(statement.opening, left.get(key, ZERO)) for key, statement in found.items()}
    for payee, currency in sorted(statements):
        target = book.parties[payee].currency if payee in book.parties else None
        if target and target != currency and balances[payee, currency]:
            _convert(books, book, (payee, currency), target, found, balances, income)
    finished = [_finish(books, book, key, statement, balances[key], income) for key, statement in sorted(found.items())]
    return tuple(books.movements), tuple(finished), books.closing()


def _convert(
    books: Books, book: ContractBook, account: Account, target: str, found: dict[Account, Statement],
    balances: dict[Account, Decimal], income: Income,
) -> None:  # fmt: skip
    """Moves a balance to the currency in which the payee is paid, at the book's rate; rate, source and date stay in the movement."""
    payee, currency = account
    fx = rate_of(book, currency, target, books.period)
    amount, there = balances[account], (payee, target)
    converted = times(amount, fx.rate)
    statement = found.setdefault(there, Statement(books.period, target, payee))
    found[there] = replace(statement, converted=add(statement.converted, converted))
    found[account] = replace(found[account], converted=amount.copy_negate())
    balances[there] = add(balances.get(there, ZERO), converted)
    balances[account] = ZERO
    source = f"{currency}/{target} {exact_text(fx.rate)} {fx.source} {fx.date}"
    accrued = f"liabilities:accrued:{payee}"
    books.post("fx", payee, currency, source, amount, accrued, "equity:conversion")
    books.post("fx", payee, target, source, converted, "equity:conversion", accrued)
    for ref, part in income.pop(account, {}).items():
        own = income[there]
        own[ref] = add(own[ref], times(part, fx.rate))


def exact_text(rate: Fraction) -> str:
    return f"{times(Decimal(1), rate).normalize():f}"


def rate_known(book: ContractBook, origin: str, to: str, period: str) -> FxRate | None:
    """The rate of a period, else the one for every period, else None."""
    rates = [fx for fx in book.rules.fx if (fx.origin, fx.to) == (origin, to) and fx.period in (None, period)]
    return max(rates, key=lambda fx: fx.period or "", default=None)


def rate_of(book: ContractBook, origin: str, to: str, period: str) -> FxRate:
    """The rate of a period, else the one for every period. Raises ValueError where the book has none: nothing is converted at a guess."""
    if (known := rate_known(book, origin, to, period)) is None:
        raise ValueError(f"the book has no rate from {origin} to {to} in {period}: add it under `fx`, with its source and date")
    return known


def _finish(
    books: Books, book: ContractBook, account: Account, statement: Statement, balance: Decimal, income: Income
) -> Statement:
    """Pays a balance that reaches the minimum, less tax; carries any other."""
    payee, currency = account
    payable, tax = ZERO, ZERO
    if balance > 0 and balance >= minimum_payout(book, payee, currency):
        tax = _tax(books, account, balance, income.get(account, {}))
        payable = add(balance, tax.copy_negate())
        balance = ZERO
    elif balance > 0:
        remember(books, payee, currency, income.get(account, {}))
    books.move(add(balance, statement.opening.copy_negate()), "carried", "", payee, currency)
    return replace(statement, taxed=add(statement.taxed, tax), payable=payable, carried=balance)


def _tax(books: Books, account: Account, balance: Decimal, income: dict[str, Decimal]) -> Decimal:
    """Tax on what is paid, in the proportion in which the income it comes from is taxed."""
    payee, currency = account
    whole, total = exact(income.get("", ZERO)), ZERO
    for ref, amount in sorted(income.items()):
        name, _, rate = ref.rpartition("|")
        if not ref or whole <= 0 or amount <= 0:
            continue
        part = min(exact(amount) / whole, Fraction(1))
        tax = times(balance, part * parse_rate(rate))
        total = add(total, tax)
        books.post("tax", payee, currency, ref, tax, f"liabilities:accrued:{payee}", f"liabilities:tax:{name or 'withholding'}")
    return total
