"""Which contracts must be settled together: those that share a payee, and so a balance."""

from __future__ import annotations

from lakehouse.model.contracts import Contract, ContractBook


def payees_of(contract: Contract) -> set[str]:
    """Every party that may have an account under a contract."""
    named = {party for term in contract.terms for party in term.parties()}
    return named | set(contract.tree) | {party for shares in contract.tree.values() for party in shares} | {contract.label}


def account_groups(book: ContractBook) -> dict[str, str]:
    """The group of each contract and of each of its parties other than labels: contracts that share one of them are of one group.

    A group is named by its smallest contract id. Groups can be settled apart from each other, on any machine, in any order;
    `accounts.rounded` brings them together. An event without a contract belongs to the group of its payee.
    """
    above: dict[str, str] = {}

    def top(node: str) -> str:
        while above.setdefault(node, node) != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    labels = {contract.label for contract in book.contracts}
    paid = {party for contract in book.contracts for party in payees_of(contract) if party != contract.label}
    # A label that some other contract pays has an account too, and ties its contracts together.
    ties = paid - (labels - paid)
    for contract in book.contracts:
        for party in sorted(payees_of(contract) & ties):
            one, two = top(f"c:{contract.contract}"), top(f"p:{party}")
            above[max(one, two)] = min(one, two)
    return {node[2:]: top(node)[2:] for node in sorted(above)} | {c.contract: top(f"c:{c.contract}")[2:] for c in book.contracts}
