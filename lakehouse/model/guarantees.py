"""Minimum guarantees: a true-up line when a span or an instalment ends, never a floor for a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Books, Line
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import MinimumGuarantee
from lakehouse.model.contracts import Contract
from lakehouse.model.money import ZERO, add, times
from lakehouse.model.payout import rate_known
from lakehouse.model.period import later

if TYPE_CHECKING:
    from lakehouse.model.settle import Tally

_Account = tuple[str, str, str]  # contract, payee, currency
_EARNED = ("payable", "reserved")


@dataclass(frozen=True, slots=True)
class _Guarantee:
    """One guarantee in every version of its contract that writes it, the earliest first: an amendment that repeats it goes on counting."""

    account: _Account
    versions: tuple[tuple[Contract, int, MinimumGuarantee], ...]
    contract: tuple[Contract, ...]  # in all its versions, the earliest first

    @property
    def ref(self) -> str:
        """By what its balances are known: where it was first written."""
        contract, index, _ = self.versions[0]
        return f"{contract.version}/{index + 1}"

    def decides(self, month: str) -> Contract:
        """The version of the contract in force in a month; where none is, the latest that has begun."""
        begun = [one for one in self.contract if one.effective.start[:7] <= month] or [self.contract[0]]
        return next((one for one in begun if one.effective.holds(month)), begun[-1])

    def counted(self, book: ContractBook, earned: Mapping[_Account, Decimal], lines: Iterable[Line], period: str) -> Decimal:
        """What the payee has earned, in the guarantee's currency: others at the book's rate, where it has one.

        With conditions on usage it is what lines that meet them have brought, reserved or not.
        """
        contract, payee, currency = self.account
        when = self.versions[0][2].when
        if when.wanted:
            usage = when.model_copy(update={"from_period": None, "to_period": None})
            fitting = [line for line in lines if line.category in _EARNED and usage.fits(line.usage, book.rules.territory_basis)]
            earned = {}
            for line in fitting:
                key = (line.contract, line.payee, line.currency)
                earned[key] = add(earned.get(key, ZERO), line.amount)
        total = earned.get(self.account, ZERO)
        for (of, whose, other), amount in sorted(earned.items()):
            if (of, whose) == (contract, payee) and other != currency and (fx := rate_known(book, other, currency, period)):
                total = add(total, times(amount, fx.rate))
        return total


def top_up(books: Books, book: ContractBook, contracts: Iterable[Contract], lines: Sequence[Line], tally: Tally) -> None:
    """Adds what is missing to each guarantee that ends in the period, or has ended since the last one, to what is earned."""
    earned = dict(tally.earned)
    for guarantee in _guarantees(contracts):
        counted = guarantee.counted(book, earned, lines, books.period)
        terms = [term for _, _, term in guarantee.versions]
        if any(term.instalments for term in terms):
            _add(books, guarantee, _instalments(books, guarantee, counted), tally)
        if not all(term.instalments for term in terms):
            _add(books, guarantee, _spans(books, guarantee, counted), tally)


def _guarantees(contracts: Iterable[Contract]) -> Iterator[_Guarantee]:
    """The guarantees of all versions, told apart by whom they are for, name, `when`, and their place among those."""
    found: dict[tuple[_Account, str, str, int], list[tuple[Contract, int, MinimumGuarantee]]] = {}
    versions: dict[str, list[Contract]] = {}
    for contract in sorted(contracts, key=lambda c: (c.contract, c.effective.start, c.version)):
        versions.setdefault(contract.contract, []).append(contract)
        places: dict[tuple[_Account, str, str], int] = {}
        for index, term in enumerate(contract.terms):
            if isinstance(term, MinimumGuarantee):
                account = (contract.contract, term.to, term.currency or contract.currency or "XXX")
                key = (account, term.name, term.when.model_dump_json())
                place = places[key] = places.get(key, -1) + 1
                found.setdefault((*key, place), []).append((contract, index, term))
    for (account, _, _, _), written in sorted(found.items(), key=lambda item: item[0]):
        yield _Guarantee(account, tuple(written), tuple(versions[account[0]]))


def _spans(books: Books, guarantee: _Guarantee, earned: Decimal) -> Decimal:
    """The shortfalls of the spans that have ended. What is earned counts to the span its statement period lies in.

    A span is the matter of the version that is in force when it ends, and runs if its first month is within the dates of `when`.
    """
    contract_id, payee, currency = guarantee.account
    shortfall = ZERO
    for contract, _, term in guarantee.versions:
        start, last = term.starting or books.period, (contract.effective.end or "9999-12")[:7]
        while not term.instalments and start <= books.period and start <= last:
            end = later(start, term.months - 1)
            ref = f"{guarantee.ref}/{start}"
            own = term.when.holds(start) and guarantee.decides(end) is contract
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
    every = [(contract, i) for contract, _, term in guarantee.versions for i in term.instalments if term.when.holds(i.due)]
    due = add(*(i.amount for contract, i in every if i.due <= books.period and guarantee.decides(i.due) is contract))
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
