"""A split that the law prescribes, whatever the contract says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from lakehouse.model.clauses.base import Clause, Flow, Part, Stream
from lakehouse.model.clauses.presets import dated, fill
from lakehouse.model.money import Rate, write_rate


class StatutorySplit(Clause):
    """The receipts divided by a preset such as `us-114-g`: 50 % owner, 45 % featured artist, 2.5 % and 2.5 % non-featured, 17 USC 114(g)(2).

    `to` names the party of each role. A `letter_of_direction` gives shares of the featured artist's part to others, who own that right then
    (17 USC 114(g)(5)); `producers_before_1995` share 2 % of all receipts out of the featured artist's part equally (17 USC 114(g)(6)).
    """

    clause: Literal["statutory_split"]
    preset: str
    versions: tuple[tuple[str, dict[str, Rate]], ...] = Field(
        (), description="first day and shares, as the preset has them", alias="shares"
    )
    to: dict[str, str]
    letter_of_direction: dict[str, Rate] = Field({}, description="parties and their shares of the featured artist's part")
    producers_before_1995: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any, info: ValidationInfo) -> Any:
        return fill(data, info, "split", "shares")

    @model_validator(mode="after")
    def _fits(self) -> StatutorySplit:
        for start, shares in self.versions:
            if (total := sum(shares.values(), Fraction(0))) != 1:
                raise ValueError(f"the preset's shares from {start} add up to {write_rate(total)}, not 100%")
            if missing := sorted(set(shares) - set(self.to)):
                raise ValueError(f"`to` names no party for {missing[0]}")
        if sum(self.letter_of_direction.values(), Fraction(0)) > 1:
            raise ValueError("the letter of direction gives away more than the featured artist has")
        return self

    def stage(self) -> str | None:
        return "rate"

    def parties(self) -> tuple[str, ...]:
        return (*self.to.values(), *self.letter_of_direction, *self.producers_before_1995)

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        if "net" not in flow.pools:
            return flow
        usage = flow.usage
        shares = dated(self.versions, (usage.sale_date or usage.usage_period) if usage else "9999-12", self.preset)
        streams = flow.pools["net"].divide(self.kind(), term, shares)
        parts: list[Part] = []
        for role, stream in streams.items():
            if role == "featured_artist":
                left, given = self._featured(stream, term, shares[role])
                parts += [*given, left]
            else:
                party = self.to[role]
                parts.append(Part(party, role, "retained" if party == label else "payable", stream))
        return replace(flow.without("net"), parts=(*flow.parts, *parts))

    def _featured(self, stream: Stream, term: str, rate: Fraction) -> tuple[Part, list[Part]]:
        """The featured artist's part, and what others have of it."""
        parts: list[Part] = []
        if self.producers_before_1995:
            share = Fraction(2, 100) / rate
            each = {party: share / len(self.producers_before_1995) for party in self.producers_before_1995}
            cut = stream.divide("producers_before_1995", term, {**each, "": 1 - share})
            stream = cut.pop("")
            parts += [Part(party, "producer", "payable", part) for party, part in cut.items()]
        if self.letter_of_direction:
            cut = stream.divide(
                "letter_of_direction",
                term,
                {**self.letter_of_direction, "": 1 - sum(self.letter_of_direction.values(), Fraction(0))},
            )
            stream = cut.pop("")
            parts += [Part(party, "producer", "payable", part) for party, part in cut.items()]
        return Part(self.to["featured_artist"], "featured_artist", "payable", stream), parts
