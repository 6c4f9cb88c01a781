"""The contract book: dated contracts in YAML, the terms that apply to a usage, and the split of its money.

This is the reference engine: plain Python that a person can read and try. Spark runs the same code on groups of
usage lines (`lakehouse.transforms.resolve`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from lakehouse.model.clauses import STAGES, AnyClause, Flow, Part, Stream, Usage
from lakehouse.model.documents import Document
from lakehouse.model.money import Rate

_PARTICIPANT = " participant"
_DATE = r"^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, ignored_types=(cached_property,))


class Party(_Frozen):
    name: str


class Effective(_Frozen):
    """Usage months in which a contract is in force, from the month of `from` to the month of `to`, both included."""

    start: str = Field(alias="from", pattern=_DATE)
    end: str | None = Field(None, alias="to", pattern=_DATE)

    def holds(self, usage_period: str) -> bool:
        return self.start[:7] <= usage_period <= (self.end or "9999-12")[:7]

    def overlaps(self, other: Effective) -> bool:
        return max(self.start[:7], other.start[:7]) <= min((self.end or "9999-12")[:7], (other.end or "9999-12")[:7])


class Covers(_Frozen):
    """What a contract covers: any of these. A recording named directly beats its artist, an artist beats a label."""

    recordings: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Contract(_Frozen):
    """One version of one contract."""

    contract: str
    version: str
    title: str = ""
    effective: Effective
    label: str
    parties: dict[str, Party] = {}
    covers: Covers
    terms: tuple[AnyClause, ...]
    tree: dict[str, dict[str, Rate]] = {}

    def term_id(self, index: int) -> str:
        """Such as ``C-001/2``: the contract and the place of the term in it, from 1."""
        return f"{self.contract}/{index + 1}"

    def applicable(self, usage: Usage) -> dict[str, int]:
        """For each stage the index of the one term that applies: the most specific that fits. Order of writing is irrelevant."""
        chosen: dict[str, int] = {}
        for index, term in enumerate(self.terms):
            if term.when.fits(usage):
                best = chosen.get(term.clause)
                if best is None or term.when.specificity() > self.terms[best].when.specificity():
                    chosen[term.clause] = index
        return chosen

    def split(self, usage: Usage, base: Decimal) -> tuple[Part, ...]:
        """Who gets what of `base`, through every stage. The parts add up to `base` exactly."""
        flow = Flow({"net": Stream(base)})
        chosen = self.applicable(usage)
        for stage in STAGES:
            if stage in chosen:
                index = chosen[stage]
                flow = self.terms[index].apply(flow, self.term_id(index), self.label)
        parts = list(flow.parts)
        if "artist" in flow.pools:
            parts.append(Part(flow.artist, "artist", "payable", flow.pools["artist"]))
        rest = flow.pools["label" if "label" in flow.pools else "net"]
        parts.append(Part(self.label, "label", "retained", rest))
        return tuple(leaf for part in parts for leaf in self._down_the_tree(part) if leaf.stream.amount or not base)

    def _down_the_tree(self, part: Part) -> tuple[Part, ...]:
        """A party's part divided among those who share it, to any depth; what is not given stays with the party."""
        shares = self.tree.get(part.party) if part.category == "payable" else None
        if not shares:
            return (part,)
        kept = Fraction(1) - sum(shares.values())
        streams = part.stream.divide("tree", f"{self.contract}/tree/{part.party}", {part.party: kept, **shares})
        # One party may be reached as artist and as producer on the same terms: the role tells the two parts apart.
        role = part.role.removesuffix(_PARTICIPANT) + _PARTICIPANT
        below = (Part(p, role, part.category, streams[p]) for p in shares)
        return (
            Part(part.party, part.role, part.category, streams[part.party]),
            *(leaf for child in below for leaf in self._down_the_tree(child)),
        )


@dataclass(frozen=True)
class ContractBook:
    """Every contract, in every version."""

    contracts: tuple[Contract, ...]
    parties: Mapping[str, Party]
    sha256: str

    def in_force(self, recording: str, artist: str, label: str | None, usage_period: str) -> Contract | None:
        """The contract of a recording in a month of use: by recording, else by artist, else by label."""
        for wanted, index in ((recording, self._by_recording), (artist, self._by_artist), (label, self._by_label)):
            for contract in index.get(wanted or "", ()):
                if contract.effective.holds(usage_period):
                    return contract
        return None

    def name_of(self, party: str) -> str:
        return self.parties[party].name if party in self.parties else party

    @cached_property
    def _by_recording(self) -> dict[str, list[Contract]]:
        return self._index("recordings")

    @cached_property
    def _by_artist(self) -> dict[str, list[Contract]]:
        return self._index("artists")

    @cached_property
    def _by_label(self) -> dict[str, list[Contract]]:
        return self._index("labels")

    def _index(self, kind: str) -> dict[str, list[Contract]]:
        found: dict[str, list[Contract]] = {}
        for contract in sorted(self.contracts, key=lambda c: (c.contract, c.version)):
            for key in getattr(contract.covers, kind):
                found.setdefault(key, []).append(contract)
        return found


def book_sha256(documents: Mapping[str, str]) -> str:
    """SHA-256 over the documents of a book: path, length and text of each, in order of path."""
    digest = hashlib.sha256()
    for file, text in sorted(documents.items()):
        content = text.encode()
        digest.update(f"{file}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def parse_contract(document: Document) -> Contract:
    """The contract in a document. Raises pydantic.ValidationError."""
    return Contract.model_validate(document.data)
