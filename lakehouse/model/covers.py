"""What a contract covers, and when."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from lakehouse.model.clauses.condition import DATE, Many
from lakehouse.model.identifiers import padded_upc
from lakehouse.model.places import countries_of
from lakehouse.model.rules import Frozen

COVERED = ("recordings", "releases", "artists", "labels")


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

    A contract that names nothing covers whatever no other contract covers. One that names `unmatched` is a fallback pool: of usage in these
    territories of which nobody knows the recording, and of nothing else.
    """

    recordings: Many = ()
    releases: Many = ()
    artists: Many = ()
    labels: Many = ()
    unmatched: Many = Field((), description="territories in which the contract divides what no recording was found for")

    after_months: int = Field(0, ge=0, description="for how many months such money is held before the contract divides it")

    @field_validator("releases")
    @classmethod
    def _as_reports_have_them(cls, releases: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(padded_upc, releases))

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
