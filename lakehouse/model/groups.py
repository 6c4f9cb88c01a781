"""What must be settled together: contracts whose accounts recoup each other, currencies that are converted into each other."""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.model.book import ContractBook


def account_groups(book: ContractBook) -> dict[str, str]:
    """The group of each contract, named by its smallest: contracts that a payee's cross-collateralization joins are of one group.

    Nothing else ties the accounts of two contracts: what a payee has from several of them meets only when it is paid out
    (`settle.settle_payees`). So groups can be settled apart from each other, on any machine, in any order.
    """
    return _joined({contract.contract for contract in book.contracts}, (cross.contracts for cross in book.rules.cross))


def currency_groups(book: ContractBook) -> dict[str, str]:
    """The group of each currency that the book converts, named by its smallest. Any other is a group alone."""
    return _joined((), ((fx.origin, fx.to) for fx in book.rules.fx))


def _joined(names: Iterable[str], ties: Iterable[Iterable[str]]) -> dict[str, str]:
    above = {name: name for name in names}

    def top(name: str) -> str:
        while above.setdefault(name, name) != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    for first, *others in ties:
        for other in others:
            one, two = top(first), top(other)
            above[max(one, two)] = min(one, two)
    return {name: top(name) for name in sorted(above)}
