"""A share of receipts kept by the distributor before any rate."""

from __future__ import annotations

from typing import Literal

from lakehouse.model.clauses.base import Clause, Flow, Part
from lakehouse.model.money import Rate


class DistributionFee(Clause):
    """`rate` of the net receipts goes to the distributor `to`, before anything else is calculated.

    Source: Curve Royalty Systems, Royalties 101, lesson 6 (dealer gross 6.00 less a 20 % fee is net 4.80).
    """

    clause: Literal["distribution_fee"]
    rate: Rate
    to: str

    def parties(self) -> tuple[str, ...]:
        return (self.to,)

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        cut = flow.pools["net"].divide(self.stage(), term, {"fee": self.rate, "rest": 1 - self.rate})
        return flow.give({"net": cut["rest"]}, Part(self.to, "distributor", "fee", cut["fee"]))
