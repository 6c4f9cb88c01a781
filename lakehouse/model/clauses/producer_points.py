"""Points of the base for others than the artist, taken out of the artist's or the label's part."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from lakehouse.model.clauses.base import Clause, Flow, Part
from lakehouse.model.money import Amount, Rate, exact, times


class PointsClause(Clause):
    """`points` are a rate on the base of the royalty, as the artist's rate is; `from` says whose part they reduce.

    A producer of 6 of 12 tracks has `points` times `tracks` / `album_tracks`. Source: musictechpolicy.com, 2012-01-04.
    """

    points: Rate | None = None
    unit_rate: Amount | None = None
    to: str
    source: Literal["artist", "label"] = Field("artist", alias="from")
    tracks: int = Field(1, ge=1)
    album_tracks: int = Field(1, ge=1)
    role: ClassVar[str]

    @model_validator(mode="after")
    def _one_measure(self) -> PointsClause:
        if (self.points is None) == (self.unit_rate is None):
            raise ValueError("points are either a rate, `points`, or a `unit_rate`")
        if self.tracks > self.album_tracks:
            raise ValueError(f"{self.tracks} tracks are more than the album's {self.album_tracks}")
        return self

    @property
    def prorated(self) -> Fraction:
        """The points of this share of the tracks."""
        return (self.points or Fraction(0)) * Fraction(self.tracks, self.album_tracks)

    def parties(self) -> tuple[str, ...]:
        return (self.to,)

    @property
    def fixed_share(self) -> bool:
        return self.unit_rate is None

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        stream = flow.pools.get(self.source)
        if stream is None:
            return flow
        if self.unit_rate is not None:
            price = exact(self.unit_rate) * Fraction(self.tracks, self.album_tracks)
            taken, rest = stream.take(self.kind(), term, times(flow.per_unit(price), self._portion(flow)))
            # Later points are of the same base: the pool's rate falls with the pool.
            kept = exact(rest.amount) / exact(stream.amount) if stream.amount else Fraction(0)
            rates = {**flow.rates, self.source: flow.rates.get(self.source, Fraction(0)) * kept}
            return replace(flow, rates=rates).give({self.source: rest}, Part(self.to, self.role, "payable", taken))
        rate, points = flow.rates.get(self.source, Fraction(0)), self.prorated
        # No points can be taken from a part whose rate is zero, and none are asked of it: the linter sees to that.
        share = points / rate if points and rate else Fraction(0)
        cut = stream.divide(self.kind(), term, {"points": share, "rest": 1 - share})
        left = replace(flow, rates={**flow.rates, self.source: rate - points})
        return left.give({self.source: cut["rest"]}, Part(self.to, self.role, "payable", cut["points"]))

    def _portion(self, flow: Flow) -> Fraction:
        return flow.portion if self.source == "artist" else flow.whole


class ProducerPoints(PointsClause):
    """A 60 % all-in rate with 10 points to the producer leaves the artist 50 %.

    `recoup` says when they are payable. `none`: from the first record. `record_one`: once the contract's costs are recouped by the artist's
    royalties (`at: net`, after the points; `at: all_in`, with them), and then for every record since the first. `prospective`: once they
    are recouped, for the records after that. Sources: Passman at taxi.com, producer deals; musictechpolicy.com, 2012-01-03.
    """

    clause: Literal["producer_points"]
    recoup: Literal["none", "record_one", "prospective"] = "none"
    at: Literal["net", "all_in"] = "net"
    role = "producer"


class Participation(PointsClause):
    """Points of anyone else: mixer, featured artist, executive producer, former label."""

    clause: Literal["participation"]
    role = "participant"
