"""The royalty divided among several at once."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import model_validator

from lakehouse.model.clauses.base import Clause, Flow, Part, Shares
from lakehouse.model.money import write_rate


class Split(Clause):
    """The artist's royalty, or without a royalty term the whole of what is left, divided among the parties of `to`.

    The shares make a whole, or `rest` names the party that has what they leave. The largest remainders get the last units of 18 decimals.
    """

    clause: Literal["split"]
    to: Shares
    rest: str | None = None

    @model_validator(mode="after")
    def _shares_add_up(self) -> Split:
        total = sum(self.to.values(), Fraction(0))
        if total > 1 or (total < 1 and self.rest is None):
            raise ValueError(
                f"the shares of the split add up to {write_rate(total)}, not 100%; `rest` may name who has what they leave"
            )
        return self

    def parties(self) -> tuple[str, ...]:
        return (*self.to, *((self.rest,) if self.rest else ()))

    @property
    def fixed_share(self) -> bool:
        return True

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        pool = "artist" if "artist" in flow.pools else "net"
        if pool not in flow.pools:
            return flow
        shares = dict(self.to)
        if self.rest:
            shares[self.rest] = shares.get(self.rest, Fraction(0)) + 1 - sum(self.to.values(), Fraction(0))
        streams = flow.pools[pool].divide(self.kind(), term, shares)
        role = flow.role if pool == "artist" else "participant"
        return flow.without(pool, *(Part(party, role, "payable", stream) for party, stream in streams.items()))
