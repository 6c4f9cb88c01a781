"""Events, granted advances and reserves, as they come into the accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Books, Event, Line
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Advance, Cost, MasterShare, Reserve, RoyaltyClause, Split, Usage
from lakehouse.model.contracts import Contract
from lakehouse.model.money import ZERO, add, split, times
from lakehouse.model.period import later
from lakehouse.model.taxes import make_up, set_free, wait

if TYPE_CHECKING:
    from lakehouse.model.settle import Tally


def occasion(event: Event) -> Usage:
    """What conditions can ask of an event: its type of cost, its territory, its date."""
    return Usage("", event.territory, "", "", None, "", event.period, cost_type=event.cost_type, sale_date=event.date)


def contract_of(book: ContractBook, contract: str, period: str) -> Contract | None:
    """The version of a contract that is in force in a period, else its latest."""
    versions = sorted((c for c in book.contracts if c.contract == contract), key=lambda c: c.effective.start)
    return next((c for c in versions if c.effective.holds(period)), versions[-1] if versions else None)


def main_payee(contract: Contract) -> str | None:
    """Whose the contract is: the one party that its royalty terms name, the artist before the writer. None where there are several."""
    for kind in (MasterShare, RoyaltyClause):
        parties = {term.to for term in contract.terms if isinstance(term, kind)}
        if parties:
            return parties.pop() if len(parties) == 1 else None
    parties = {party for term in contract.terms if isinstance(term, (Advance, Split)) for party in term.parties()}
    return parties.pop() if len(parties) == 1 else None


def book_granted_advances(books: Books, contracts: Iterable[Contract]) -> None:
    """Advances that contracts grant by themselves, in the first statement period at or after theirs."""
    for contract in sorted(contracts, key=lambda c: (c.contract, c.version)):
        for index, term in enumerate(contract.terms):
            if not isinstance(term, Advance) or term.amount is None or term.period is None or term.period > books.period:
                continue
            # The version and the period tell one grant from another, whatever else is written in later versions.
            ref, currency = f"{contract.version}/{index + 1}", term.currency or contract.currency or "XXX"
            if contract.effective.holds(term.period) and not books.get("granted", contract.contract, "", currency, ref):
                books.move(Decimal(1), "granted", contract.contract, "", currency, ref)
                for payee, amount in split(term.amount, term.to).items():
                    _advance(books, contract.contract, payee, currency, amount, contract.term_id(index))


def _advance(books: Books, contract: str, payee: str, currency: str, amount: Decimal, source: str) -> None:
    books.move(amount, "advance", contract, payee, currency)
    books.post("advance", payee, currency, source, amount, f"assets:advances:{contract}:{payee}", "assets:bank")


def book_events(books: Books, book: ContractBook, events: Iterable[Event], tally: Tally) -> None:
    """Costs, advances, payments and what societies have paid. Returns and adjustments are lines before they come here.

    Raises ValueError where a cost or an advance belongs to no contract.
    """
    for event in events:
        contract = contract_of(book, event.contract, event.period)
        if contract is None and event.event in ("advance", "cost"):
            raise ValueError(f"the {event.event} {event.event_id} names no contract of the book: {event.contract!r}")
        if event.event == "advance" and contract:
            for payee, amount in _advanced(event, contract).items():
                _advance(books, event.contract, payee, event.currency, amount, event.event_id)
        elif event.event == "cost" and contract:
            _cost(books, event, contract)
        elif event.event == "payment":
            _payment(books, event, tally)
        elif event.event == "society_payment":
            # Told on the side: a society owes it, so that it is never recouped from and never paid again.
            to, name = f"equity:memo:received_from_society:{event.payee}", "society_payment"
            books.post(name, event.payee, event.currency, event.event_id, event.amount, to, "equity:memo:societies")


def _advanced(event: Event, contract: Contract) -> dict[str, Decimal]:
    """To whom an advance is paid: whom the event names, else by the contract's advance term, else whose the contract is."""
    terms = [term for _, term in contract.account_terms(Advance, occasion(event)) if term.amount is None]
    if event.payee or not terms:
        return {event.payee or main_payee(contract) or contract.label: event.amount}
    return split(event.amount, terms[0].to)


def _cost(books: Books, event: Event, contract: Contract) -> None:
    terms = contract.account_terms(Cost, occasion(event))
    term_id, term = terms[0] if terms else (event.event_id, Cost(clause="cost"))
    recoupable = times(event.amount, term.recoup)
    borne = add(event.amount, recoupable.copy_negate())
    payee = event.payee or term.to or main_payee(contract) or contract.label
    source = f"{event.event_id}:{term_id}" if terms else event.event_id
    books.post("cost_borne", "", event.currency, source, borne, f"expenses:costs:{event.contract}", "assets:bank")
    books.move(recoupable, "costs", event.contract, "", event.currency)
    if term.charge == "shared":
        books.move(recoupable, "shared_cost", event.contract, "", event.currency)
        books.post("shared_cost", "", event.currency, source, recoupable, f"assets:shared_costs:{event.contract}", "assets:bank")
    else:
        books.move(recoupable, "cost", event.contract, payee, event.currency)
        books.post("cost", payee, event.currency, source, recoupable, f"assets:costs:{event.contract}:{payee}", "assets:bank")


def _payment(books: Books, event: Event, tally: Tally) -> None:
    """A payment settles what is payable; what goes beyond it is on account, and comes off what is payable next."""
    owed = books.get("payable", "", event.payee, event.currency)
    settled = min(event.amount, max(owed, ZERO))
    beyond = add(event.amount, settled.copy_negate())
    books.move(settled.copy_negate(), "payable", "", event.payee, event.currency)
    payable, accrued = f"liabilities:payable:{event.payee}", f"liabilities:accrued:{event.payee}"
    books.post("payment", event.payee, event.currency, event.event_id, settled, payable, "assets:bank")
    books.post("payment_on_account", event.payee, event.currency, event.event_id, beyond, accrued, "assets:bank")
    account = ("", event.payee, event.currency)
    tally.deducted[account] = add(tally.deducted[account], beyond)


def hold_reserves(books: Books, book: ContractBook, lines: Iterable[Line], tally: Tally) -> None:
    """Reserves of the period. After the calculation they are earned and held; before it they are earned when they are released."""
    held_by: dict[tuple[str, str, str, str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.category == "reserved":
            held_by[line.contract, line.version, line.payee, line.currency, line.term_of("reserve") or ""].append(line)
    for (contract, version, payee, currency, term_id), own in sorted(held_by.items()):
        income = make_up(book, own)
        amount = income.pop("")
        term = book.version(contract, version).term(term_id)
        assert isinstance(term, Reserve)
        due = {f"{later(books.period, release.after)}/{term.timing}": release.share for release in term.release}
        account = (contract, payee, currency)
        for ref, part in split(amount, due).items():
            books.move(part, "reserve", *account, ref)
        for tax, taxed in sorted(income.items()):
            for ref, part in split(taxed, due).items():
                wait(books, account, ref, tax, part)
        accrued, held = f"liabilities:accrued:{payee}", f"liabilities:reserves:{payee}"
        debit = accrued if term.timing == "after" else f"expenses:royalties:{contract}"
        if term.timing == "after":
            tally.earned[account] = add(tally.earned[account], amount)
            tally.reserved[account] = add(tally.reserved[account], amount)
            books.post("earned_and_held", payee, currency, term_id, amount, f"expenses:royalties:{contract}", accrued)
        books.post("reserve", payee, currency, term_id, amount, debit, held)


def release_reserves(books: Books, tally: Tally) -> None:
    """What is due of earlier reserves."""
    waited: set[tuple[tuple[str, str, str], str]] = set()
    for (_, contract, payee, currency, ref), amount in books.of_kind("reserve"):
        due, _, timing = ref.partition("/")
        if due > books.period:
            continue
        books.move(amount.copy_negate(), "reserve", contract, payee, currency, ref)
        account = (contract, payee, currency)
        tally.free(account, "", amount)
        waited.add((account, ref))
        if timing == "after":
            tally.reserved[account] = add(tally.reserved[account], amount.copy_negate())
        else:
            tally.earned[account] = add(tally.earned[account], amount)
        source = f"{contract}:{ref}"
        books.post("release", payee, currency, source, amount, f"liabilities:reserves:{payee}", f"liabilities:accrued:{payee}")
    set_free(books, waited, tally)
