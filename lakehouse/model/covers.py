"""What a contract covers, and when."""

from __future__ import annotations

from pydantic import Field, field_validator

from lakehouse.model.clauses.condition import DATE, Many
from lakehouse.model.identifiers import padded_upc
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

    A contract that names nothing covers whatever no other contract covers.
    """

    recordings: Many = ()
    releases: Many = ()
    artists: Many = ()
    labels: Many = ()

    @field_validator("releases")
    @classmethod
    def _as_reports_have_them(cls, releases: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(padded_upc, releases))

    @property
    def everything(self) -> bool:
        return not any(getattr(self, kind) for kind in COVERED)
