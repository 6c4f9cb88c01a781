"""The routing score: how far the reports of a usage key can be relied on, by what they say and by the record of who sent them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[Decimal, Field(ge=0, le=1)]
_PLACES = Decimal("0.0001")


class Weights(BaseModel):
    """What each part of the score counts for; together 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    completeness: Share = Field(Decimal("0.4"), description="how many of ISRC, UPC, title, artist and album the reports say")
    match_rate: Share = Field(Decimal("0.3"), description="share of the source's usage lines that earlier periods matched")
    fidelity: Share = Field(Decimal("0.3"), description="share of the source's lines that earlier periods could read")

    @model_validator(mode="after")
    def _whole(self) -> Weights:
        if (total := self.completeness + self.match_rate + self.fidelity) != 1:
            raise ValueError(f"the weights of the routing score add up to {total}, not to 1")
        return self


class RoutingScore(BaseModel):
    """How the score is made. Of several sources of a key the worst record counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Weights = Weights()
    no_history: Share = Field(Decimal("0.5"), description="stands for a record that a source does not have yet")
    periods: int = Field(6, ge=1, description="closed periods that a source is judged by, the latest")

    def of(self, said: int, askable: int, match_rate: str | None, fidelity: str | None) -> Decimal:
        """The score, from 0 to 1 with four decimals, half to even."""
        weights = self.weights
        rate, read = (self.no_history if record is None else Decimal(record) for record in (match_rate, fidelity))
        score = weights.completeness * said / askable + weights.match_rate * rate + weights.fidelity * read
        return score.quantize(_PLACES, ROUND_HALF_EVEN)
