"""A deduction from the receipts of some territories, kept by the label."""

from __future__ import annotations

from typing import Literal

from lakehouse.model.clauses.base import Clause, Flow, Part
from lakehouse.model.money import Rate


class TerritoryDeduction(Clause):
    """`rate` of what is left after the distribution fee stays with the label before the shares are cut.

    Only one deduction applies, the most specific. Source: Curve Royalty Systems, help article 48
    (receipts 100, deduction 33 %, base 67).
    """

    clause: Literal["territory_deduction"]
    rate: Rate

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        cut = flow.pools["net"].divide(self.stage(), term, {"deduction": self.rate, "rest": 1 - self.rate})
        return flow.give({"net": cut["rest"]}, Part(label, "territory_deduction", "retained", cut["deduction"]))
