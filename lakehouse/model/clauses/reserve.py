"""Money kept back against returns of physical copies, and the schedule on which it is set free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakehouse.model.clauses.base import Clause, Flow, Stream
from lakehouse.model.money import Rate, write_rate


class Release(BaseModel):
    """A part of what was held, free `after` so many months."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: int = Field(ge=1, description="months after the statement period of the reserve")
    share: Rate


class Reserve(Clause):
    """`rate` of the royalty (`apply: after`, the default) or of its base (`before`) is held, and released on a schedule that makes a whole.

    Never on returns: a line with negative units or a negative royalty is not reserved. A reserve after the calculation is earned and held; one
    before it is earned when it is released, at the rate that held when the copies were sold. Source: Curve Royalty Systems, help article 55.
    """

    clause: Literal["reserve"]
    rate: Rate
    timing: Literal["before", "after"] = Field("after", alias="apply")
    release: tuple[Release, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _schedule_makes_a_whole(self) -> Reserve:
        total = sum((release.share for release in self.release), Fraction(0))
        if total != 1:
            raise ValueError(f"the release schedule adds up to {write_rate(total)}, not 100%")
        return self

    def stage(self) -> str | None:
        return "base_reserve" if self.timing == "before" else "reserve"

    def hold(self, flow: Flow, term: str) -> tuple[Flow, Flow | None]:
        """The flow that is accounted for now, and the one that is held. What another reserve holds is not held twice."""
        pool = "net" if self.timing == "before" else "artist"
        stream = flow.pools.get(pool)
        if flow.held or stream is None or stream.amount <= 0 or flow.units < 0 or not self.rate:
            return flow, None
        cut = stream.divide(self.kind(), term, {"held": self.rate, "rest": 1 - self.rate})
        pools: Mapping[str, Stream] = {**flow.pools, pool: cut["rest"]}
        now, held = self._portions(flow, 1 - self.rate), self._portions(flow, self.rate)
        return replace(now, pools=pools), replace(held, pools={pool: cut["held"]}, parts=(), held=True)

    def _portions(self, flow: Flow, part: Fraction) -> Flow:
        """The flow as `part` of the units: all of its pools, where the base is reserved, or the artist's alone."""
        whole = flow.whole * part if self.timing == "before" else flow.whole
        return replace(flow, whole=whole, portion=flow.portion * part)
