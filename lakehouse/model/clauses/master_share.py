"""The artist's royalty on the master; what it leaves stays with the label."""

from __future__ import annotations

from typing import Literal

from lakehouse.model.clauses.base import Clause, Flow
from lakehouse.model.money import Rate


class MasterShare(Clause):
    """`rate` of what is left for the master is the artist's royalty, and the rest the label's.

    Source: Curve Royalty Systems, help article 48 (base 67, rate 50 %, royalty 33.50).
    """

    clause: Literal["master_share"]
    rate: Rate
    to: str

    def parties(self) -> tuple[str, ...]:
        return (self.to,)

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        rates = {"artist": self.rate, "label": 1 - self.rate}
        return Flow(flow.pools["net"].divide(self.stage(), term, rates), flow.parts, rates, self.to)
