"""Mechanical royalties for each copy, with the rate and the caps of a controlled composition clause."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from lakehouse.model.clauses.base import Clause, Flow, Part, Shares
from lakehouse.model.clauses.presets import dated, fill
from lakehouse.model.money import Amount, Rate, exact, split, write_rate


class Mechanical(Clause):
    """Each copy pays `statutory_rate` times `controlled` for each of the `songs` the artist controls, and the full rate for `outside_songs`.

    No more than `cap_songs` (or the cap of the release type in `caps`) times the controlled rate is paid for a copy: what others' songs
    leave of it goes to the controlled songs, and what others' songs need beyond it comes off the artist's royalty (`excess: artist`) or stays
    with the label. The label bears the rest. Source: musictechpolicy.com, 2010-04-23 (0.091 at 75 %: LP 0.6825, EP 0.34125, single 0.1365).
    """

    clause: Literal["mechanical"]
    statutory_rate: Amount | None = None
    preset: str | None = None
    rates: tuple[tuple[str, Amount], ...] = Field((), description="first day and rate, as the preset has them")
    known_to: str | None = Field(None, description="last day for which the preset has a rate")
    controlled: Rate = Fraction(1)
    songs: int = Field(1, ge=0)
    outside_songs: int = Field(0, ge=0)
    cap_songs: int | None = Field(None, ge=0)
    caps: dict[str, int] = Field({}, description="songs paid at most, by release type")
    to: Shares
    outside_to: str | None = None
    excess: Literal["artist", "label"] = "artist"

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any, info: ValidationInfo) -> Any:
        return fill(data, info, "mechanical", "rates")

    @model_validator(mode="after")
    def _fits(self) -> Mechanical:
        if (self.statutory_rate is None) == (not self.rates):
            raise ValueError("a mechanical royalty has either a `statutory_rate` for each song and copy, or a `preset`")
        if (total := sum(self.to.values(), Fraction(0))) != 1:
            raise ValueError(f"the shares of the songs add up to {write_rate(total)}, not 100%")
        if self.outside_songs and not self.outside_to:
            raise ValueError("`outside_to` says who is paid for the songs of others")
        return self

    def parties(self) -> tuple[str, ...]:
        return (*self.to, *((self.outside_to,) if self.outside_to else ()))

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        if flow.held:
            return flow
        usage = flow.usage
        date = (usage.sale_date or usage.usage_period) if usage else ""
        rate = (
            exact(self.statutory_rate)
            if self.statutory_rate is not None
            else exact(dated(self.rates, date, self.preset or "", self.known_to))
        )
        cap_songs = self.caps.get((usage.release_type if usage else None) or "", self.cap_songs)
        own, outside = self.songs * rate * self.controlled, self.outside_songs * rate
        if cap_songs is not None:
            cap = cap_songs * rate * self.controlled
            own, over = min(own, max(cap - outside, Fraction(0))), max(outside - cap, Fraction(0))
        else:
            over = Fraction(0)
        return self._charge(self._pay(flow, term, own, outside), term, label, over)

    def _pay(self, flow: Flow, term: str, own: Fraction, outside: Fraction) -> Flow:
        pool = "label" if "label" in flow.pools else "net"
        taken, rest = flow.pools[pool].take(self.kind(), term, flow.per_unit(own))
        writers = split(taken.amount, self.to)
        parts = [Part(w, "writer", "payable", taken.becomes("writer_share", term, amount)) for w, amount in writers.items()]
        if self.outside_to and outside:
            paid, rest = rest.take(self.kind(), term, flow.per_unit(outside))
            parts.append(Part(self.outside_to, "writer", "payable", paid))
        return flow.give({pool: rest}, *parts)

    def _charge(self, flow: Flow, term: str, label: str, over: Fraction) -> Flow:
        """What is beyond the cap comes off the artist's royalty, back to the label that paid it."""
        if not over or self.excess != "artist" or "artist" not in flow.pools:
            return flow
        charged, rest = flow.pools["artist"].take("excess_mechanical", term, flow.per_unit(over))
        return flow.give({"artist": rest}, Part(label, "excess_mechanical", "retained", charged))
