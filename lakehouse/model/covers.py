"""What a contract covers, and when."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from lakehouse.model.clauses.condition import DATE, Many
from lakehouse.model.identifiers import iswc_check_digit_holds, padded_upc, plain_isrc, plain_iswc
from lakehouse.model.places import countries_of
from lakehouse.model.rules import Frozen

COVERED = ("recordings", "releases", "artists", "labels", "works")


class Effective(Frozen):
    """Usage months in which a contract is in force, from the month of `from` to the month of `to`, both included."""

    start: str = Field(alias="from", pattern=DATE)
    end: str | None = Field(None, alias="to", pattern=DATE)

    def holds(self, usage_period: str) -> bool:
        return self.start[:7] <= usage_period <= (self.end or "9999-12")[:7]

    def overlaps(self, other: Effective) -> bool:
        return max(self.start[:7], other.start[:7]) <= min((self.end or "9999-12")[:7], (other.end or "9999-12")[:7])


class Covers(Frozen):
    """What a contract covers: any of these. A recording named directly beats its release, then its artist, then a label.

    One that names `works` pays what is owed on these works, and no more, where reports name a recording of them that nobody knows.
    A contract that names nothing covers whatever no other contract covers. One that names `unmatched` is a fallback pool: of usage in these
    territories of which nobody knows the recording, and of nothing else.
    """

    recordings: Many = ()
    releases: Many = ()
    artists: Many = ()
    labels: Many = ()
    works: Many = Field(
        (), description="ISWCs of which the contract pays the publishing where the recording is not known; it covers nothing else"
    )
    unmatched: Many = Field((), description="territories in which the contract divides what no recording was found for")

    after_months: int = Field(0, ge=0, description="for how many months such money is held before the contract divides it")

    @field_validator("recordings")
    @classmethod
    def _as_codes(cls, recordings: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(plain_isrc, recordings))

    @field_validator("releases")
    @classmethod
    def _as_reports_have_them(cls, releases: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(padded_upc, releases))

    @field_validator("works")
    @classmethod
    def _valid_codes(cls, works: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [work for work in works if not iswc_check_digit_holds(plain_iswc(work))]:
            raise ValueError(f"{wrong[0]!r} is no ISWC, or its check digit is wrong: T, nine digits, a check digit")
        return tuple(map(plain_iswc, works))

    @model_validator(mode="after")
    def _works_of_nothing_else(self) -> Covers:
        if self.works and any(getattr(self, kind) for kind in COVERED if kind != "works"):
            raise ValueError(
                "a contract for works covers nothing else: a recording may be found, and then has a contract of its own"
            )
        return self

    @model_validator(mode="after")
    def _pool_of_nothing_else(self) -> Covers:
        if unknown := [name for name in self.unmatched if not countries_of(name)]:
            raise ValueError(f"{unknown[0]!r} is neither an ISO 3166-1 alpha-2 code nor a territory group")
        if self.unmatched and any(getattr(self, kind) for kind in COVERED):
            raise ValueError("a contract for what is unmatched covers nothing else: write two contracts")
        if self.after_months and not self.unmatched:
            raise ValueError("`after_months` is for what is `unmatched`")
        return self

    @property
    def everything(self) -> bool:
        return not self.unmatched and not any(getattr(self, kind) for kind in COVERED)
