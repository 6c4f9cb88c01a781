"""The composition's share of the receipts, divided among its writers and publishers."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import field_validator

from lakehouse.model.clauses.base import Clause, Flow, Part, Shares
from lakehouse.model.money import Rate, write_rate


class PublishingShare(Clause):
    """`rate` of the net receipts is the publishing pool; `to` divides it among writers and publishers.

    Source: design of the contract book; the shares of a work add up to 100 % (CISAC shares of interested parties).
    """

    clause: Literal["publishing_share"]
    rate: Rate
    to: Shares

    @field_validator("to")
    @classmethod
    def _shares_add_up(cls, shares: dict[str, Rate]) -> dict[str, Rate]:
        if sum(shares.values()) != 1:
            raise ValueError(f"the writers' shares add up to {write_rate(sum(shares.values(), Fraction(0)))}, not 100%")
        return shares

    def parties(self) -> tuple[str, ...]:
        return tuple(self.to)

    @property
    def fixed_share(self) -> bool:
        return True

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        cut = flow.pools["net"].divide(self.kind(), term, {"publishing": self.rate, "rest": 1 - self.rate})
        writers = cut["publishing"].divide("writer_share", term, self.to)
        return flow.give({"net": cut["rest"]}, *(Part(w, "writer", "payable", s) for w, s in writers.items()))
