"""Money without an owner: under which policy it is held, since when, what is due, and its exact release by market share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from pydantic import Field, field_validator

from lakehouse.model.documents import Document
from lakehouse.model.money import Amount, Cut, Rate, exact, from_units, times, to_units
from lakehouse.model.period import later
from lakehouse.model.places import countries_of
from lakehouse.model.rules import Frozen

# Money without an owner belongs to the market that it was earned in: those who earned in the same.
MARKET: Final = ("usage_period", "territory", "source", "currency")
# Whose lines are of an owner, by category: fees are for a service, and taxes the state's.
OWNED: Final = ("payable", "reserved", "retained")

Release = Literal["match", "market_share", "collective", "state"]


class HoldingPolicy(Frozen):
    """How long such money is held, from when, and what may become of it then. Without `hold_months` it is held until it is matched."""

    policy: str
    title: str
    authority: str
    territories: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    clock: Literal["accrual", "receipt", "financial_year_end"] = "receipt"
    hold_months: int | None = Field(None, ge=1)
    interest: str = ""
    release: Release = "match"
    notice_days: int = 0
    minimum: dict[str, Amount] = Field({}, description="by currency: what is due of one market waits for more while it is less")
    writers_at_least: Rate = Fraction(0)
    start: str = Field("0000-00", alias="from", description="first month of money that the policy is about")

    @field_validator("territories")
    @classmethod
    def _known(cls, territories: tuple[str, ...]) -> tuple[str, ...]:
        for territory in territories:
            if not countries_of(territory):
                raise ValueError(f"{territory!r} is neither an ISO 3166-1 alpha-2 code nor a territory group")
        return territories

    def covers(self, item: HeldItem) -> bool:
        """Whether the policy is about such money. One that names no territory or no right is about all of them."""
        there = not self.territories or any(item.territory in countries_of(territory) for territory in self.territories)
        return there and (not self.rights or item.right in self.rights) and self.start <= item.received


class Policies(Frozen):
    """The document of holding policies; the last is the weakest."""

    policies: tuple[HoldingPolicy, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class HeldItem:
    """Money held: of which recording, where it was earned, in which month it accrued and was received."""

    entry_id: str
    isrc: str
    title: str
    artist: str
    territory: str
    right: str
    accrued: str
    received: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Held:
    """An item under its policy: when its hold ends, and whether that is past."""

    item: HeldItem
    policy: HoldingPolicy
    due: str | None
    status: Literal["held", "due"]


def read_policies(document: Document) -> tuple[HoldingPolicy, ...]:
    """The policies of a document. Raises pydantic.ValidationError."""
    return Policies.model_validate(document.data).policies


def policy_of(item: HeldItem, policies: Iterable[HoldingPolicy]) -> HoldingPolicy:
    """The policy for an item: of those that cover it the one that names most of it, territory before right; the longest hold among equals.

    Raises ValueError where none covers it: a set of policies ends with one that holds everything.
    """
    fitting = [policy for policy in policies if policy.covers(item)]
    if not fitting:
        raise ValueError(f"no holding policy covers {item.territory}, {item.right}: add one without territories and rights")
    return max(fitting, key=lambda p: (bool(p.territories), bool(p.rights), p.hold_months or 0, p.policy))


def due_month(item: HeldItem, policy: HoldingPolicy, year_ends: int = 12) -> str | None:
    """The month in which the hold has run out; None where it never does. `year_ends` is the last month of the financial year."""
    if policy.hold_months is None:
        return None
    start = item.accrued if policy.clock == "accrual" else item.received
    if policy.clock == "financial_year_end":
        year, month = int(start[:4]), int(start[5:])
        start = f"{year + (month > year_ends)}-{year_ends:02d}"
    return later(start, policy.hold_months)


def statutory_report(
    items: Iterable[HeldItem], policies: Iterable[HoldingPolicy], period: str, territory: str | None = None, year_ends: int = 12
) -> list[Held]:
    """Every item held (in a territory or group) with its policy: younger than the hold it is `held`, else `due`. In order of due month."""
    policies = list(policies)
    wanted = countries_of(territory) if territory else None
    found = []
    for item in items:
        if wanted is not None and item.territory not in wanted:
            continue
        policy = policy_of(item, policies)
        due = due_month(item, policy, year_ends)
        found.append(Held(item, policy, due, "due" if due is not None and due <= period else "held"))
    return sorted(found, key=lambda held: (held.due or "9999-12", held.item.entry_id))


def market_cut(earned: Mapping[str, Decimal]) -> Cut:
    """How any amount is divided among owners in proportion to what each earned in the same period.

    Source: 17 USC 115(d)(3)(J)(ii), relative market shares. Raises ValueError where there is nothing to measure by.
    """
    total = sum((exact(share) for share in earned.values()), Fraction(0))
    if total <= 0 or min(earned.values()) < 0:
        raise ValueError("market shares are not negative, and one of them at least is more than zero")
    return Cut({owner: exact(share) / total for owner, share in earned.items()})


def by_market_share(amount: Decimal, earned: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """An amount divided so; the parts add up to it exactly."""
    return dict(zip(earned, map(from_units, market_cut(earned).of(to_units(amount))), strict=True))


def with_interest(amount: Decimal, yearly: Fraction, months: int) -> Decimal:
    """The amount with simple interest for full months, at 18 decimals."""
    return times(amount, 1 + yearly * Fraction(months, 12))
