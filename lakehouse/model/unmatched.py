"""Usage of which nobody knows the recording, and the contract that divides it."""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.model.contracts import Contract
from lakehouse.model.places import countries_of


def fallback_pool(pools: Iterable[Contract], territory: str, usage_period: str, months_held: int = 0) -> Contract | None:
    """Of the contracts for what is unmatched whose time has come, that of the smallest territory that holds this one."""
    fitting = [
        (len(countries), contract)
        for contract in pools
        if contract.effective.holds(usage_period) and contract.covers.after_months <= months_held
        for countries in map(countries_of, contract.covers.unmatched)
        if territory in countries
    ]
    return min(fitting, key=lambda one: (one[0], one[1].contract, one[1].version))[1] if fitting else None
