"""Escalations that count: the lines of a period in their order, each with how far its counts have come before it.

The order is that of the day of sale (the month of use where no day is known), then of the line's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from lakehouse.model.accounts import Balance
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Clause, Count, Counter, Part, RoyaltyClause, Step, Usage
from lakehouse.model.contracts import Contract
from lakehouse.model.money import SCALE, exact, from_units

KIND = "count"


@dataclass(frozen=True, slots=True)
class Due:
    """A line before its contract: `steps` is what its base has come through already."""

    line_id: str
    contract: Contract
    usage: Usage
    base: Decimal
    steps: tuple[Step, ...] = ()

    @property
    def order(self) -> tuple[str, int, str]:
        """Ids that are numbers, as those of lines of a table are, follow each other by size: 10 comes after 9."""
        number = int(self.line_id) if self.line_id.isascii() and self.line_id.isdigit() else -1
        return (self.usage.sale_date or self.usage.usage_period, number, self.line_id)


@dataclass(frozen=True, slots=True)
class Divided:
    """A line after its contract: its parts and what it has counted, or why it waits. What waits has not counted."""

    due: Due
    parts: tuple[Part, ...] = ()
    counted: Mapping[Counter, Fraction] | None = None
    refusal: str = ""


def divide_in_order(lines: Iterable[Due], opening: Mapping[Counter, Fraction]) -> list[Divided]:
    """Every line of one statement period by its contract. `opening`: how far each count had come before the period."""
    found: list[Divided] = []
    work: list[tuple[Due, dict[Counter, Fraction]]] = []
    closing = dict(opening)
    for due in sorted(lines, key=lambda line: line.order):
        try:
            added = due.contract.counted(due.usage, due.base)
        except ValueError as error:
            found.append(Divided(due, refusal=str(error)))
            continue
        work.append((due, added))
        for counter, size in added.items():
            closing[counter] = closing.get(counter, Fraction(0)) + size
    before = dict(opening)
    for due, added in work:
        counts = {c: Count(before.get(c, Fraction(0)), opening.get(c, Fraction(0)), closing[c]) for c in added}
        try:
            found.append(Divided(due, due.contract.split(due.usage, due.base, counts, due.steps), added))
        except ValueError as error:
            found.append(Divided(due, refusal=str(error)))
            continue
        for counter, size in added.items():
            before[counter] = before.get(counter, Fraction(0)) + size
    return found


def keep_counting(contracts: Sequence[Contract]) -> list[Contract]:
    """The contracts, in the same order, with the counts of every later version those of the versions before it.

    A count without a name of its own is known by the place of its term. A term that another version of the contract writes at another
    place, for the same usage, goes on with the same count, and no other term takes that over.
    """
    names: dict[str, dict[str, str]] = {}
    kept: dict[int, Contract] = {}
    for number in sorted(range(len(contracts)), key=lambda n: (contracts[n].effective.start, contracts[n].version)):
        contract = contracts[number]
        known = names.setdefault(contract.contract, {})
        counting = {index: key for index, term in enumerate(contract.terms) if (key := _counts_for(term))}
        moved = {known[key]: key for key in counting.values() if key in known}
        found: dict[int, str] = {}
        for index, key in counting.items():
            own = contract.term_id(index)
            taken = own in moved and moved[own] != key
            found[index] = known.setdefault(key, f"{own}/{contract.version}" if taken else own)
        kept[number] = _renamed(contract, found)
    return [kept[number] for number in range(len(contracts))]


def _counts_for(term: Clause) -> str:
    """What tells a term with an unnamed count from the others of its contract; empty for any other term."""
    escalation = term.escalation if isinstance(term, RoyaltyClause) else None
    if escalation is None or not escalation.counts or escalation.counter:
        return ""
    return f"{term.kind()}|{term.name}|{escalation.by}|{term.when.model_dump_json()}"


def _renamed(contract: Contract, counters: Mapping[int, str]) -> Contract:
    """The contract with names for those counts that the place of their terms does not name."""
    terms = list(contract.terms)
    for index, name in counters.items():
        term = terms[index]
        if name != contract.term_id(index) and isinstance(term, RoyaltyClause) and term.escalation:
            named = term.escalation.model_copy(update={"counter": name})
            terms[index] = term.model_copy(update={"escalation": named})
    return contract if terms == list(contract.terms) else contract.model_copy(update={"terms": tuple(terms)})


def counting_groups(book: ContractBook) -> dict[str, str]:
    """The group of each contract in which some term counts: contracts that share a counter are of one group, named by its smallest."""
    above: dict[str, str] = {}

    def top(node: str) -> str:
        while above.setdefault(node, node) != node:
            node = above[node]
        return node

    found = {contract.contract for contract in book.contracts if contract.counters}
    for contract in book.contracts:
        for counter in contract.counters:
            one, two = top(f"c:{contract.contract}"), top(f"n:{counter}")
            above[max(one, two)] = min(one, two)
    return {contract: top(f"c:{contract}")[2:] for contract in sorted(found)}


def balances_of(counted: Iterable[Mapping[Counter, Fraction] | None]) -> list[Balance]:
    """What lines have counted, as balances to be added to those that the period opened with."""
    sums: dict[Counter, Fraction] = {}
    for each in counted:
        for counter, size in (each or {}).items():
            sums[counter] = sums.get(counter, Fraction(0)) + size
    return [
        Balance(KIND, "", "", currency, name, from_units(int(size * 10**SCALE)))
        for (name, currency), size in sorted(sums.items())
    ]


def counts_of(balances: Iterable[Balance]) -> dict[Counter, Fraction]:
    """How far each count has come, by the balances of a closed period."""
    sums: dict[Counter, Fraction] = {}
    for balance in balances:
        if balance.kind == KIND:
            counter = (balance.ref, balance.currency)
            sums[counter] = sums.get(counter, Fraction(0)) + exact(balance.amount)
    return sums
