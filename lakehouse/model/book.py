"""The contract book: every contract in every version, which of them is in force for a usage, and what all of them ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lakehouse.model.clauses import Clause, FixedFee, RoyaltyClause
from lakehouse.model.contracts import Contract
from lakehouse.model.covers import COVERED, Effective
from lakehouse.model.rules import BookRules, Party
from lakehouse.model.vocabulary import OF_WORK


@dataclass(frozen=True)
class ContractBook:
    """Every contract, in every version."""

    contracts: tuple[Contract, ...]
    parties: Mapping[str, Party]
    sha256: str
    rules: BookRules = field(default_factory=BookRules)

    def in_force(
        self, recording: str, artist: str, label: str | None, usage_period: str, release: str | None = None
    ) -> Contract | None:
        """The contract of a recording in a month of use: by recording, else by release, artist, label; else the one that covers the rest.

        In the place of a recording that nobody knows may stand the work that it is of.
        """
        if recording.startswith(OF_WORK):
            return self._of(recording.removeprefix(OF_WORK), "works", usage_period)
        for wanted, kind in (
            (recording, "recordings"),
            (release, "releases"),
            (artist, "artists"),
            (label, "labels"),
            ("", "everything"),
        ):
            if contract := self._of(wanted, kind, usage_period):
                return contract
        return None

    def _of(self, wanted: str | None, kind: str, usage_period: str) -> Contract | None:
        return next((one for one in self._index[kind].get(wanted or "", ()) if one.effective.holds(usage_period)), None)

    @cached_property
    def pools(self) -> tuple[Contract, ...]:
        return tuple(contract for contract in self.contracts if contract.covers.unmatched)

    @cached_property
    def of_works(self) -> tuple[Contract, ...]:
        """The contracts that pay publishing on works."""
        return tuple(contract for contract in self.contracts if contract.covers.works)

    def version(self, contract: str, version: str) -> Contract:
        """One version of one contract. Raises ValueError for one that the book does not have (any more)."""
        found = self.find(contract, version)
        if found is None:
            raise ValueError(f"version {version} of {contract} is needed by lines of this period: put it back into the book")
        return found

    def find(self, contract: str, version: str) -> Contract | None:
        return self._versions.get((contract, version))

    def name_of(self, party: str) -> str:
        return self.parties[party].name if party in self.parties else party

    @cached_property
    def asks_for_days(self) -> bool:
        """Whether a contract or a pool tells days of one month apart, so that usage of different days must stay apart."""
        bounds = [day for pool in self.rules.pools for day in (pool.when.from_period, pool.when.to_period)]
        return any(contract.asks_for_days for contract in self.contracts) or any(len(d or "") > len("YYYY-MM") for d in bounds)

    @cached_property
    def asked(self) -> dict[str, frozenset[str] | None]:
        """For each dimension that some term of any contract asks for, the values that fit one; None where every value must be looked at."""
        found: dict[str, frozenset[str] | None] = {}
        for contract in self.contracts:
            for dimension, values in contract.asked.items():
                found[dimension] = (found.get(dimension) or frozenset()) | values
        if "territory" in found and self.rules.territory_basis == "tis":
            found["territory"] = None
        return found

    @cached_property
    def dated(self) -> bool:
        """Whether some term holds for a part of the time that its contract is in force."""
        return any(contract.dated for contract in self.contracts)

    @cached_property
    def _versions(self) -> dict[tuple[str, str], Contract]:
        return {(c.contract, c.version): c for c in self.contracts}

    @cached_property
    def _index(self) -> dict[str, dict[str, list[Contract]]]:
        found: dict[str, dict[str, list[Contract]]] = {kind: {} for kind in (*COVERED, "everything")}
        for contract in sorted(self.contracts, key=lambda c: (c.contract, c.version)):
            for kind in COVERED:
                for key in getattr(contract.covers, kind):
                    found[kind].setdefault(key, []).append(contract)
            if contract.covers.everything:
                found["everything"].setdefault("", []).append(contract)
        return found


def peers_of(contracts: tuple[Contract, ...]) -> dict[str, tuple[tuple[Effective, Clause], ...]]:
    """The terms of each class of most favoured nations, with when their contracts are in force."""
    found: dict[str, list[tuple[Effective, Clause]]] = {}
    for contract in contracts:
        for term in contract.terms:
            if isinstance(term, (RoyaltyClause, FixedFee)) and term.mfn:
                found.setdefault(term.mfn, []).append((contract.effective, term))
    return {name: tuple(terms) for name, terms in found.items()}
