"""What every clause shares: how money moves through it.

Money moves in streams through named pools: ``net`` (what the report paid, less what was taken before),
then ``artist`` and ``label`` (the rate divides the one into the two). A clause takes from one pool and gives to parties or
to other pools; what it gives adds up to what it took.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from lakehouse.model.clauses.condition import Condition
from lakehouse.model.clauses.escalation import Count, Counter
from lakehouse.model.clauses.usage import Usage
from lakehouse.model.money import SCALE, Rate, add, exact, from_units, split, times

# Where in the default order a clause stands: one entry for each stage of a line.
STAGES = (
    "fixed_fee", "distribution_fee", "importer_fee", "sub_publisher_fee", "base", "packaging", "free_goods", "territory_deduction",
    "deduction", "publishing_share", "base_reserve", "rate", "deduction_after", "reserve", "producer_points", "participation", "mechanical",
    "split",
)  # fmt: skip
_FIGURES = ("unit_rate", "minimum_per_unit", "per_unit", "amount", "statutory_rate")
Basis = Literal["net", "gross", "source", "ppd", "retail"]


def _of_one_party(value: Any) -> Any:
    return {value: "100%"} if isinstance(value, str) else value


_RATES = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
# Who has what: `{P-ANA: 60%, P-BEN: 40%}`, or `P-ANA` for one party that has it all.
Shares = Annotated[dict[str, Rate], BeforeValidator(_of_one_party), WithJsonSchema({"anyOf": [{"type": "string"}, _RATES]})]


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
        return {key: self.becomes(stage, term, part) for key, part in parts.items()}

    def take(self, stage: str, term: str, amount: Decimal) -> tuple[Stream, Stream]:
        """A stream of `amount` out of this one, and what is left, which may be negative."""
        rest = add(self.amount, amount.copy_negate())
        return self.becomes(stage, term, amount), self.becomes(stage, term, rest)

    def becomes(self, stage: str, term: str, amount: Decimal) -> Stream:
        """The stream after a step that leaves `amount` of it."""
        return Stream(amount, (*self.steps, Step(stage, term, self.amount, amount)))


@dataclass(frozen=True, slots=True)
class Part:
    """What one party gets: in which role, and whether it is payable, reserved, retained, a fee or a tax."""

    party: str
    role: str
    category: str
    stream: Stream


@dataclass(frozen=True, slots=True)
class Flow:
    """All the money of one group: what is still in pools, and what has reached a party.

    `base` is the amount that rates of the royalty are of, once it is known; `rates` says what part of it each pool is, for clauses
    that take points of the base from a pool; `artist` whose the artist's pool is, and `role` in what capacity. `portion` is the part of
    the units that the artist's pool stands for, where a reserve has parted it, and `whole` that of all other pools, which only a reserve of
    the base parts; `held` marks the part that is kept back.
    """

    pools: Mapping[str, Stream]
    parts: tuple[Part, ...] = ()
    rates: Mapping[str, Fraction] = field(default_factory=dict)
    artist: str = ""
    usage: Usage | None = None
    role: str = "artist"
    portion: Fraction = Fraction(1)
    whole: Fraction = Fraction(1)
    held: bool = False
    received: Decimal = Decimal(0)
    counts: Mapping[Counter, Count] = field(default_factory=dict)

    def give(self, pools: Mapping[str, Stream], *parts: Part) -> Flow:
        """The flow with these pools set and these parts added."""
        return replace(self, pools={**self.pools, **pools}, parts=(*self.parts, *parts))

    def without(self, pool: str, *parts: Part) -> Flow:
        """The flow with these parts in place of a pool."""
        pools = {name: stream for name, stream in self.pools.items() if name != pool}
        return replace(self, pools=pools, parts=(*self.parts, *parts))

    def total(self) -> Decimal:
        """All of it, exactly: what no clause may change."""
        return add(*(s.amount for s in (*self.pools.values(), *(p.stream for p in self.parts))))

    @property
    def units(self) -> Fraction:
        """The units of the group."""
        return exact(self.usage.units) if self.usage else Fraction(1)

    def per_unit(self, price: Fraction) -> Decimal:
        """A price for each unit of the group, at 18 decimals."""
        return from_units(round(price * self.units * 10**SCALE))

    def measured(self, basis: str) -> Decimal:
        """What a rate on this basis is of. Without a price in the report it is unknown: ValueError."""
        usage = self.usage
        if basis == "net" or usage is None:
            return self.pools["net"].amount
        if basis in ("gross", "source"):
            return self.received if usage.gross is None else usage.gross
        price = usage.ppd if basis == "ppd" else usage.retail
        if price is None:
            raise ValueError(f"a rate is of {basis}, and the line has no {basis} price")
        return times(usage.units, exact(price))


class Clause(BaseModel):
    """A term of a contract. Subclasses say what they take from which pool, and to whom it goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        "", description="terms of one clause with different names apply side by side; of one name only the most specific"
    )
    when: Condition = Field(default_factory=Condition, description="to which usage the term applies; everything by default")

    @classmethod
    def kind(cls) -> str:
        """The name of the clause in a contract."""
        return str(get_args(cls.model_fields["clause"].annotation)[0])

    def stage(self) -> str | None:
        """Where in the order of `STAGES` the term stands; None for terms of accounts, which no single line meets."""
        return self.kind()

    def parties(self) -> tuple[str, ...]:
        """Every party the clause names."""
        return ()

    def priced(self) -> bool:
        """Whether the term names an amount of money, which is in the currency of its contract."""
        return any(getattr(self, figure, None) is not None for figure in _FIGURES)

    @property
    def fixed_share(self) -> bool:
        """Whether the term takes the same shares of any amount, whatever the usage: only then a split can be worked out beforehand."""
        return False

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        """The flow after this clause; its total is unchanged. `term` is the id for the trail, `label` the retaining party."""
        raise NotImplementedError


class AccountClause(Clause):
    """A term that works on the balance of an account rather than on a line (`lakehouse.model.settle`)."""

    def stage(self) -> str | None:
        return None

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        return flow
