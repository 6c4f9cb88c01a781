"""Minimum guarantees: a true-up line when a span or an instalment ends, never a floor for a period."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Books, Line
from lakehouse.model.clauses import MinimumGuarantee
from lakehouse.model.contracts import Contract
from lakehouse.model.money import ZERO, add
from lakehouse.model.period import later

if TYPE_CHECKING:
    from lakehouse.model.settle import Tally


def top_up(books: Books, contracts: Iterable[Contract], lines: Iterable[Line], tally: Tally) -> None:
    """Adds what is missing to each guarantee that ends in the period, or has ended since the last one."""
    earned: dict[tuple[str, str, str], Decimal] = {}
    for line in lines:
        if line.category in ("payable", "reserved"):
            key = (line.contract, line.payee, line.currency)
            earned[key] = add(earned.get(key, ZERO), line.amount)
    for contract in sorted(contracts, key=lambda c: (c.contract, c.version)):
        for index, term in enumerate(contract.terms):
            if isinstance(term, MinimumGuarantee):
                currency = term.currency or contract.currency or "XXX"
                account = (contract.contract, term.to, currency)
                found = _instalments if term.instalments else _spans
                amount = found(books, contract, index, account, earned.get(account, ZERO))
                _add(books, account, contract.term_id(index), amount, tally)


def _spans(books: Books, contract: Contract, index: int, account: tuple[str, str, str], earned: Decimal) -> Decimal:
    """The shortfalls of the spans that have ended. What is earned counts to the span its statement period lies in."""
    term = contract.terms[index]
    assert isinstance(term, MinimumGuarantee)
    contract_id, payee, currency = account
    name, shortfall, start = f"{contract.version}/{index + 1}", ZERO, term.starting or books.period
    last = (contract.effective.end or "9999-12")[:7]
    while start <= books.period and start <= last:
        end = later(start, term.months - 1)
        ref = f"{name}/{start}"
        if start <= books.period <= end:
            books.move(earned, "guarantee", contract_id, payee, currency, ref)
        if end <= books.period and not books.get("guarantee", contract_id, payee, currency, f"{ref}/closed"):
            missing = add(term.guaranteed, books.get("guarantee", contract_id, payee, currency, ref).copy_negate())
            shortfall = add(shortfall, max(missing, ZERO))
            books.move(Decimal(1), "guarantee", contract_id, payee, currency, f"{ref}/closed")
        start = later(end, 1)
    return shortfall


def _instalments(books: Books, contract: Contract, index: int, account: tuple[str, str, str], earned: Decimal) -> Decimal:
    """What brings all that was earned up to all that is due; negative where later earnings make good what was topped up."""
    term = contract.terms[index]
    assert isinstance(term, MinimumGuarantee)
    contract_id, payee, currency = account
    ref = f"{contract.version}/{index + 1}"
    books.move(earned, "guarantee", contract_id, payee, currency, f"{ref}/earned")
    total = books.get("guarantee", contract_id, payee, currency, f"{ref}/earned")
    credited = add(books.get("guarantee", contract_id, payee, currency, f"{ref}/credited"), earned)
    due = add(*(i.amount for i in term.instalments if i.due <= books.period))
    amount = add(max(total, due), credited.copy_negate())
    books.move(add(earned, amount), "guarantee", contract_id, payee, currency, f"{ref}/credited")
    return amount


def _add(books: Books, account: tuple[str, str, str], term_id: str, amount: Decimal, tally: Tally) -> None:
    contract, payee, currency = account
    if not amount:
        return
    accrued = f"liabilities:accrued:{payee}"
    if amount > 0:
        tally.earned[account] = add(tally.earned[account], amount)
        books.post("guarantee", payee, currency, term_id, amount, f"expenses:guarantees:{contract}", accrued)
    else:
        tally.deducted[account] = add(tally.deducted[account], amount.copy_negate())
        books.post("guarantee_offset", payee, currency, term_id, amount.copy_negate(), accrued, f"expenses:guarantees:{contract}")
