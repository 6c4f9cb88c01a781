"""What every clause shares: when it applies, and how money moves through it.

Money moves in streams through named pools: ``net`` (what the report paid, less what was taken before),
then ``master`` and, out of it, ``artist`` and ``label``. A clause takes from one pool and gives to parties or
to other pools; what it gives adds up to what it took.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lakehouse.model.money import add, split


@dataclass(frozen=True, slots=True)
class Usage:
    """The dimensions of a group of usage lines on which a clause may depend."""

    recording: str
    territory: str
    channel: str
    configuration: str
    price_category: str | None
    source: str
    usage_period: str


@dataclass(frozen=True, slots=True)
class Step:
    """One stage that an amount went through. `term` is the id of the term applied."""

    stage: str
    term: str
    amount_in: Decimal
    amount_out: Decimal


@dataclass(frozen=True, slots=True)
class Stream:
    """Money on its way: what is left, and every step it came through."""

    amount: Decimal
    steps: tuple[Step, ...] = ()

    def divide(self, stage: str, term: str, shares: Mapping[str, Fraction]) -> dict[str, Stream]:
        """One stream for each share; their amounts add up to this one's exactly."""
        parts = split(self.amount, shares)
        return {key: Stream(part, (*self.steps, Step(stage, term, self.amount, part))) for key, part in parts.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """What one party gets: in which role, and whether it is payable, retained, a fee or a tax."""

    party: str
    role: str
    category: str
    stream: Stream


@dataclass(frozen=True, slots=True)
class Flow:
    """All the money of one group: what is still in pools, and what has reached a party.

    `rates` says what rate of the master each pool was cut by, for clauses that take points of the master from it;
    `artist` whose the artist's pool is.
    """

    pools: Mapping[str, Stream]
    parts: tuple[Part, ...] = ()
    rates: Mapping[str, Fraction] = field(default_factory=dict)
    artist: str = ""

    def give(self, pools: Mapping[str, Stream], *parts: Part) -> Flow:
        """The flow with these pools set and these parts added."""
        return replace(self, pools={**self.pools, **pools}, parts=(*self.parts, *parts))

    def total(self) -> Decimal:
        """All of it, exactly: what no clause may change."""
        return add(*(s.amount for s in (*self.pools.values(), *(p.stream for p in self.parts))))


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


OneOrMany = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1)]

# The published order of dimensions, highest first. Source: Curve Royalty Systems, help article 348.
DIMENSIONS = ("recording", "territory", "channel", "configuration", "price_category", "source")


class Condition(BaseModel):
    """To which usage a term applies. A single value is a direct condition, a list a group; no value fits everything."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    recording: OneOrMany | None = None
    territory: OneOrMany | None = None
    channel: OneOrMany | None = None
    configuration: OneOrMany | None = None
    price_category: OneOrMany | None = None
    source: OneOrMany | None = None
    from_period: str | None = Field(None, alias="from", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    to_period: str | None = Field(None, alias="to", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")

    def fits(self, usage: Usage) -> bool:
        if not (self.from_period or "") <= usage.usage_period <= (self.to_period or "9999-12"):
            return False
        return all(
            (wanted := getattr(self, dimension)) is None or getattr(usage, dimension) in wanted for dimension in DIMENSIONS
        )

    def specificity(self) -> tuple[int, ...]:
        """0 none, 1 group, 2 direct, for each dimension in the published order; the larger vector wins."""
        return tuple(0 if (wanted := getattr(self, d)) is None else 2 if len(wanted) == 1 else 1 for d in DIMENSIONS)

    def covers(self, other: Condition) -> bool:
        """Whether all usage that fits the other fits this one, months left aside."""
        pairs = ((getattr(self, d), getattr(other, d)) for d in DIMENSIONS)
        return all(mine is None or (theirs is not None and set(theirs) <= set(mine)) for mine, theirs in pairs)

    def overlaps(self, other: Condition) -> bool:
        """Whether some usage fits both."""
        if max(self.from_period or "", other.from_period or "") > min(self.to_period or "9999-12", other.to_period or "9999-12"):
            return False
        pairs = ((getattr(self, d), getattr(other, d)) for d in DIMENSIONS)
        return all(mine is None or theirs is None or set(mine) & set(theirs) for mine, theirs in pairs)


class Clause(BaseModel):
    """A term of a contract. Subclasses say what they take from which pool, and to whom it goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: Condition = Condition()

    @classmethod
    def stage(cls) -> str:
        """The name of the clause in a contract, which is also the name of its stage."""
        return str(get_args(cls.model_fields["clause"].annotation)[0])

    def parties(self) -> tuple[str, ...]:
        """Every party the clause names."""
        return ()

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        """The flow after this clause; its total is unchanged. `term` is the id for the trail, `label` the retaining party."""
        raise NotImplementedError
