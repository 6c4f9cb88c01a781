"""Producers who are paid once the recording costs are recouped: from the first record on, or for the records after that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Books, Line
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import ProducerPoints
from lakehouse.model.money import ZERO, add, exact, times
from lakehouse.model.taxes import make_up, set_free, wait

if TYPE_CHECKING:
    from lakehouse.model.settle import Tally

_ARTIST = "artist"


def hold_producers(books: Books, book: ContractBook, lines: Iterable[Line], tally: Tally) -> None:
    """Holds producers' points until the costs of the contract are recouped by the artist's royalties.

    The costs are those of the contract's events, at their recoup rates; the royalties are counted since the first record, at the net artist
    rate or the all-in rate. Once recouped, a producer's points are payable for good.
    """
    waiting: dict[tuple[str, str, str, str], list[Line]] = defaultdict(list)
    terms: dict[str, ProducerPoints] = {}
    royalties: dict[tuple[str, str], tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    watched = {c.contract for c in book.contracts if any(isinstance(t, ProducerPoints) and t.recoup != "none" for t in c.terms)}
    for line in lines:
        if line.contract not in watched or line.category not in ("payable", "reserved"):
            continue
        term_id = line.term_of("producer_points") or ""
        term = book.version(line.contract, line.version).term(term_id) if line.role.startswith("producer") and term_id else None
        net, all_in = royalties[line.contract, line.currency]
        if isinstance(term, ProducerPoints):
            royalties[line.contract, line.currency] = (net, add(all_in, line.amount if term.source == _ARTIST else ZERO))
            if term.recoup != "none" and line.category == "payable":
                terms[term_id] = term
                waiting[line.contract, line.payee, line.currency, term_id].append(line)
        elif line.role.startswith(_ARTIST):
            royalties[line.contract, line.currency] = (add(net, line.amount), add(all_in, line.amount))
    before = {key: (_count(books, key, "net"), _count(books, key, "all_in")) for key in royalties}
    for (contract, currency), (net, all_in) in sorted(royalties.items()):
        books.move(net, "position", contract, "", currency, "net")
        books.move(all_in, "position", contract, "", currency, "all_in")
    for key, _ in books.of_kind("pending"):
        _, contract, payee, currency, term_id = key
        waiting.setdefault((contract, payee, currency, term_id), [])
        term = next((t for c in book.contracts if isinstance(t := c.term(term_id), ProducerPoints)), None)
        if term is not None:
            terms.setdefault(term_id, term)
    waited: set[tuple[tuple[str, str, str], str]] = set()
    for (contract, payee, currency, term_id), own in sorted(waiting.items()):
        known = terms.get(term_id)
        at = 1 if known and known.at == "all_in" else 0
        recouped = _recouped_part(books, contract, currency, term_id, at, before.get((contract, currency), (ZERO, ZERO))[at])
        record_one = known is None or known.recoup == "record_one"
        _pay_or_hold(books, (contract, payee, currency), term_id, make_up(book, own), recouped, record_one, tally)
        if recouped is not None:
            waited.add(((contract, payee, currency), term_id))
    set_free(books, waited, tally)


def _count(books: Books, key: tuple[str, str], at: str) -> Decimal:
    return books.get("position", key[0], "", key[1], at)


def _recouped_part(books: Books, contract: str, currency: str, term_id: str, at: int, before: Decimal) -> Fraction | None:
    """What part of the period's records lies after recoupment: all, or some in the period in which it is reached; None before that."""
    if books.get("open", contract, "", currency, term_id):
        return Fraction(1)
    costs = books.get("costs", contract, "", currency)
    after = _count(books, (contract, currency), ("net", "all_in")[at])
    if after < costs:
        return None
    books.move(Decimal(1), "open", contract, "", currency, term_id)
    if after <= before:
        return Fraction(1)
    return min(Fraction(1), (exact(after) - max(exact(costs), exact(before))) / (exact(after) - exact(before)))


def _pay_or_hold(
    books: Books,
    account: tuple[str, str, str],
    term_id: str,
    income: dict[str, Decimal],
    recouped: Fraction | None,
    record_one: bool,
    tally: Tally,
) -> None:
    contract, payee, currency = account
    accrued = f"liabilities:accrued:{payee}"
    now = income[""]
    if not record_one:
        lost = add(now, times(now, recouped or Fraction(0)).copy_negate())
        for ref, amount in income.items():
            tally.free(account, ref, times(amount, (recouped or Fraction(0)) - 1))
        tally.deducted[account] = add(tally.deducted[account], lost)
        books.post("before_recoupment", payee, currency, term_id, lost, accrued, f"income:retained:{contract}")
        return
    pending = books.get("pending", contract, payee, currency, term_id)
    # From the first record on: all of it, or nothing yet.
    held = now if recouped is None else pending.copy_negate()
    books.move(held, "pending", contract, payee, currency, term_id)
    tally.free(account, "", held.copy_negate())
    for ref, amount in income.items():
        if ref and recouped is None:
            wait(books, account, term_id, ref, amount)
            tally.free(account, ref, amount.copy_negate())
    tally.reserved[account] = add(tally.reserved[account], held)
    books.post("producer_waits", payee, currency, term_id, held, accrued, f"liabilities:pending:{payee}")
