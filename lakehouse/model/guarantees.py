"""Minimum guarantees: a true-up line when a span or an instalment ends, never a floor for a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Books
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import MinimumGuarantee
from lakehouse.model.contracts import Contract
from lakehouse.model.money import ZERO, add, times
from lakehouse.model.payout import rate_known
from lakehouse.model.period import later

if TYPE_CHECKING:
    from lakehouse.model.settle import Tally

_Account = tuple[str, str, str]  # contract, payee, currency


@dataclass(frozen=True, slots=True)
class _Guarantee:
    """One guarantee in every version of its contract that writes it, the earliest first: an amendment that repeats it goes on counting."""

    account: _Account
    versions: tuple[tuple[Contract, int, MinimumGuarantee], ...]

    @property
    def ref(self) -> str:
        """By what its balances are known: where it was first written."""
        contract, index, _ = self.versions[0]
        return f"{contract.version}/{index + 1}"

    def in_force(self, month: str) -> MinimumGuarantee:
        """The term of the version in force in a month; where none is, of the latest that has begun."""
        begun = [one for one in self.versions if one[0].effective.start[:7] <= month] or [self.versions[0]]
        return next((term for contract, _, term in begun if contract.effective.holds(month)), begun[-1][2])


def top_up(books: Books, book: ContractBook, contracts: Iterable[Contract], tally: Tally) -> None:
    """Adds what is missing to each guarantee that ends in the period, or has ended since the last one, to what is earned."""
    earned = dict(tally.earned)
    for guarantee in _guarantees(contracts):
        counted = _counted(book, guarantee.account, earned, books.period)
        terms = [term for _, _, term in guarantee.versions]
        if any(term.instalments for term in terms):
            _add(books, guarantee, _instalments(books, guarantee, counted), tally)
        if not all(term.instalments for term in terms):
            _add(books, guarantee, _spans(books, guarantee, counted), tally)


def _guarantees(contracts: Iterable[Contract]) -> Iterator[_Guarantee]:
    """The guarantees of all versions, told apart by whom they are for, their name and their place among those."""
    found: dict[tuple[_Account, str, int], list[tuple[Contract, int, MinimumGuarantee]]] = {}
    for contract in sorted(contracts, key=lambda c: (c.contract, c.effective.start, c.version)):
        places: dict[tuple[_Account, str], int] = {}
        for index, term in enumerate(contract.terms):
            if isinstance(term, MinimumGuarantee):
                account = (contract.contract, term.to, term.currency or contract.currency or "XXX")
                place = places[account, term.name] = places.get((account, term.name), -1) + 1
                found.setdefault((account, term.name, place), []).append((contract, index, term))
    for (account, _, _), versions in sorted(found.items(), key=lambda item: item[0]):
        yield _Guarantee(account, tuple(versions))


def _counted(book: ContractBook, account: _Account, earned: dict[_Account, Decimal], period: str) -> Decimal:
    """What the payee has earned under the contract, in the guarantee's currency: others at the book's rate, where it has one."""
    contract, payee, currency = account
    total = earned.get(account, ZERO)
    for (of, whose, other), amount in sorted(earned.items()):
        if (of, whose) == (contract, payee) and other != currency and (fx := rate_known(book, other, currency, period)):
            total = add(total, times(amount, fx.rate))
    return total


def _spans(books: Books, guarantee: _Guarantee, earned: Decimal) -> Decimal:
    """The shortfalls of the spans that have ended. What is earned counts to the span its statement period lies in.

    A span is the matter of the version that is in force when it ends.
    """
    contract_id, payee, currency = guarantee.account
    shortfall = ZERO
    for contract, _, term in guarantee.versions:
        start, last = term.starting or books.period, (contract.effective.end or "9999-12")[:7]
        while not term.instalments and start <= books.period and start <= last:
            end = later(start, term.months - 1)
            ref = f"{guarantee.ref}/{start}"
            own = guarantee.in_force(end) is term
            if own and start <= books.period <= end:
                books.move(earned, "guarantee", contract_id, payee, currency, ref)
            if own and end <= books.period and not books.get("guarantee", contract_id, payee, currency, f"{ref}/closed"):
                missing = add(term.guaranteed, books.get("guarantee", contract_id, payee, currency, ref).copy_negate())
                shortfall = add(shortfall, max(missing, ZERO))
                books.move(Decimal(1), "guarantee", contract_id, payee, currency, f"{ref}/closed")
            start = later(end, 1)
    return shortfall


def _instalments(books: Books, guarantee: _Guarantee, earned: Decimal) -> Decimal:
    """What brings all that was earned up to all that is due; negative where later earnings make good what was topped up.

    An instalment is due by the version that is in force in its month, so that an amendment may repeat those before it or leave them out.
    """
    contract_id, payee, currency = guarantee.account
    books.move(earned, "guarantee", contract_id, payee, currency, f"{guarantee.ref}/earned")
    total = books.get("guarantee", contract_id, payee, currency, f"{guarantee.ref}/earned")
    credited = add(books.get("guarantee", contract_id, payee, currency, f"{guarantee.ref}/credited"), earned)
    every = [(term, i) for _, _, term in guarantee.versions for i in term.instalments]
    due = add(*(i.amount for term, i in every if i.due <= books.period and guarantee.in_force(i.due) is term))
    amount = add(max(total, due), credited.copy_negate())
    books.move(add(earned, amount), "guarantee", contract_id, payee, currency, f"{guarantee.ref}/credited")
    return amount


def _add(books: Books, guarantee: _Guarantee, amount: Decimal, tally: Tally) -> None:
    contract, payee, currency = guarantee.account
    written, index, _ = guarantee.versions[0]
    term_id, accrued = written.term_id(index), f"liabilities:accrued:{payee}"
    if not amount:
        return
    if amount > 0:
        tally.earned[guarantee.account] = add(tally.earned[guarantee.account], amount)
        books.post("guarantee", payee, currency, term_id, amount, f"expenses:guarantees:{contract}", accrued)
    else:
        tally.deducted[guarantee.account] = add(tally.deducted[guarantee.account], amount.copy_negate())
        books.post("guarantee_offset", payee, currency, term_id, amount.copy_negate(), accrued, f"expenses:guarantees:{contract}")
