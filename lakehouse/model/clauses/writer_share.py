"""A writer's royalty on what the publisher receives."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from lakehouse.model.clauses.base import Flow
from lakehouse.model.clauses.master_share import RoyaltyClause
from lakehouse.model.money import Rate


class WriterShare(RoyaltyClause):
    """`rate` of the income of a work is the writer's, and the rest stays with the publisher, who is the contract's `label`.

    Of performance income a society pays the writer's share itself: `society_pays` says what part of the whole it is, the receipts are
    then the other part, and the publisher pays only what is missing to `rate` of the whole. What the society pays is never recouped.
    `at_least` is a floor that the law sets whatever the contract says: 50 % of unclaimed money, 17 USC 115(d)(3)(J)(iv)(II).
    """

    clause: Literal["writer_share"]
    society_pays: Rate = Fraction(0)
    at_least: Rate = Field(Fraction(0), description="a floor under the rate")
    role: ClassVar[str] = "writer"

    @model_validator(mode="after")
    def _not_all_by_the_society(self) -> WriterShare:
        if self.society_pays == 1:
            raise ValueError("a society that pays the whole leaves no receipts to divide")
        return self

    def effective(self, flow: Flow, term: str) -> Fraction:
        rate = super().effective(flow, term)
        if self.rate is None:
            return rate
        return max((max(rate, self.at_least) - self.society_pays) / (1 - self.society_pays), Fraction(0))
