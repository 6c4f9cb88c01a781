"""Shares of receipts kept on the way to the label, before any rate: distributor, importer, sub-publisher."""

from __future__ import annotations

from typing import ClassVar, Literal

from lakehouse.model.clauses.base import Clause, Flow, Part
from lakehouse.model.money import Rate


class Fee(Clause):
    """`rate` of the receipts that are left goes to `to`. Fees follow each other: the second is of what the first leaves."""

    rate: Rate
    to: str
    role: ClassVar[str]

    def parties(self) -> tuple[str, ...]:
        return (self.to,)

    @property
    def fixed_share(self) -> bool:
        return True

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        cut = flow.pools["net"].divide(self.kind(), term, {"fee": self.rate, "rest": 1 - self.rate})
        return flow.give({"net": cut["rest"]}, Part(self.to, self.role, "fee", cut["fee"]))


class DistributionFee(Fee):
    """`rate` of the net receipts goes to the distributor `to`, before anything else is calculated.

    Source: Curve Royalty Systems, Royalties 101, lesson 6 (dealer gross 6.00 less a 20 % fee is net 4.80).
    """

    clause: Literal["distribution_fee"]
    role = "distributor"


class ImporterFee(Fee):
    """`rate` of what the distributor leaves goes to the importer or exporter `to`."""

    clause: Literal["importer_fee"]
    role = "importer"


class SubPublisherFee(Fee):
    """`rate` of what a territory earned stays with its sub-publisher `to`.

    A writer's share *at source* is of the amount before it (`basis: source`), one of *receipts* of the amount after it.
    """

    clause: Literal["sub_publisher_fee"]
    role = "sub_publisher"
