"""A fixed amount of a line, such as the quote for a licence."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from lakehouse.model.clauses.base import Clause, Flow, Part
from lakehouse.model.money import Amount


class FixedFee(Clause):
    """`amount` of each line goes to `to`, before anything else; of a line that is taken back it is taken back.

    Quotes of one class of most favoured nations (`mfn`) all rise to the highest of them. Source: resilientmusic.com, most favoured nations.
    """

    clause: Literal["fixed_fee"]
    amount: Amount
    to: str
    role: str = "licensor"
    mfn: str = Field("", description="a class of terms in which all have the highest amount of any")

    def parties(self) -> tuple[str, ...]:
        return (self.to,)

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        sign = (flow.received > 0) - (flow.received < 0)
        taken, rest = flow.pools["net"].take(self.kind(), term, self.amount * Decimal(sign))
        return flow.give({"net": rest}, Part(self.to, self.role, "payable", taken))
