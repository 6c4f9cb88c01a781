"""A producer's points, taken out of the artist's or the label's part of the master."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lakehouse.model.clauses.base import Clause, Flow, Part
from lakehouse.model.money import Rate


class ProducerPoints(Clause):
    """`points` are a rate on the whole master, as the artist's rate is; `from` says whose part they reduce.

    A 60 % all-in rate with 10 points to the producer leaves the artist 50 %. Source: Passman's example at
    taxi.com (all-in rate 0.60, producer 0.10, net artist rate 0.50).
    """

    clause: Literal["producer_points"]
    points: Rate
    to: str
    source: Literal["artist", "label"] = Field("artist", alias="from")

    def parties(self) -> tuple[str, ...]:
        return (self.to,)

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        # No points can be taken from a part whose rate is zero, and none are asked of it: the linter sees to that.
        share = self.points / flow.rates[self.source] if self.points else self.points
        cut = flow.pools[self.source].divide(self.stage(), term, {"points": share, "rest": 1 - share})
        return flow.give({self.source: cut["rest"]}, Part(self.to, "producer", "payable", cut["points"]))
