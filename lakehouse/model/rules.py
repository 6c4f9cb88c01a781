"""What holds for a whole contract book: precedence, groups of values, cross-collateralization, rates of exchange, pools."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from lakehouse.model.clauses.base import STAGES
from lakehouse.model.clauses.condition import DIMENSIONS, Condition
from lakehouse.model.money import Amount, Rate, exact, parse_amount

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class Frozen(BaseModel):
    """A document's node: nothing unknown in it, nothing changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Party(Frozen):
    """Who is named in contracts. `country` and `kind` decide on tax, `currency` in what they are paid, `minimum_payout` from when on."""

    name: str
    country: str = Field("", description="ISO 3166-1 alpha-2, for withholding tax")
    kind: Literal["", "individual", "company"] = ""
    currency: str | None = Field(None, description="paid in this currency; other balances are converted at the book's rates")
    minimum_payout: dict[str, Amount] = Field({}, description="by currency; a smaller balance is carried")
    tax_exempt: bool = False

    @field_validator("tax_exempt", mode="before")
    @classmethod
    def _word(cls, value: object) -> object:
        return (
            value
            if not isinstance(value, str)
            else {"true": True, "yes": True, "false": False, "no": False}.get(value.lower(), value)
        )


def _named(parties: Any) -> Any:
    """Parties written short: `P-ANA: Ana` for `P-ANA: {name: Ana}`."""
    if not isinstance(parties, dict):
        return parties
    return {party: {"name": entry} if isinstance(entry, str) else entry for party, entry in parties.items()}


Parties = Annotated[dict[str, Party], BeforeValidator(_named)]


class Cross(Frozen):
    """A group of a payee's accounts that recoup each other. Source: Curve Royalty Systems, cross-collateralization of contracts.

    `always` (or `income_and_costs`): the accounts are one; what all of them earn recoups all their costs and advances, in the order of
    `contracts`. `income`: the same for advances, while costs are recouped from their own contract alone. `positive`: each account is
    settled by itself first, and only what it has left recoups the others. `above_minimum`: the same, and only where what is left is at least
    the payee's minimum payout. What a debit balance owes is netted in any case.
    """

    payee: str
    contracts: tuple[str, ...] = Field(min_length=2)
    mode: Literal["always", "income", "income_and_costs", "positive", "above_minimum"] = "always"


class FxRate(Frozen):
    """Units of `to` for one of `from`, in one statement period (or all of them), with where and when it was read."""

    origin: str = Field(alias="from")
    to: str
    rate: Annotated[
        Fraction, BeforeValidator(lambda value: exact(parse_amount(value))), WithJsonSchema({"type": ["string", "number"]})
    ]
    period: str | None = Field(None, pattern=MONTH)
    source: str
    date: str


class Pool(Frozen):
    """Usage whose money is pooled and divided by units before any contract. `dsp_cut` stays with the DSP.

    `pro_rata`: each line has its part of all units of the pool in the period; `user_centric`: its part of its subscriber's units, where lines
    that name nobody are of one subscriber.
    Where what is left is less than `minimum`, the upfront minimum of the period, that is divided instead: the difference is the breakage.
    """

    name: str
    method: Literal["pro_rata", "user_centric"]
    dsp_cut: Rate = Fraction(0)
    minimum: Amount | None = Field(None, description="of a period and currency; pro rata only")
    when: Condition = Field(default_factory=Condition)


class BookRules(Frozen):
    """The document of a book that is neither a contract nor its parties."""

    book: str = ""
    dimensions: tuple[str, ...] = Field(DIMENSIONS, description="order of precedence, highest first; all of them, each once")
    territory_basis: Literal["iso", "tis"] = "iso"
    order: tuple[str, ...] = Field((), description="stages in another order than the default")
    groups: dict[str, dict[str, tuple[str, ...]]] = Field({}, description="by dimension: named groups of its values")
    parties: Parties = {}
    minimum_payout: dict[str, Amount] = {}
    cross: tuple[Cross, ...] = ()
    fx: tuple[FxRate, ...] = ()
    pools: tuple[Pool, ...] = ()

    @field_validator("pools")
    @classmethod
    def _minimum_of_the_whole(cls, pools: tuple[Pool, ...]) -> tuple[Pool, ...]:
        for pool in pools:
            if pool.minimum is not None and pool.method != "pro_rata":
                raise ValueError(f"the pool {pool.name} has a minimum: that is of the whole, so its method is pro_rata")
        return pools

    @field_validator("dimensions")
    @classmethod
    def _all_dimensions(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        if sorted(order) != sorted(DIMENSIONS):
            raise ValueError(f"the order of precedence names each of these once: {', '.join(DIMENSIONS)}")
        return order

    @field_validator("order")
    @classmethod
    def _known_stages(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        return known_stages(order)

    @field_validator("groups")
    @classmethod
    def _known_dimensions(cls, groups: dict[str, object]) -> dict[str, object]:
        if unknown := sorted(set(groups) - set(DIMENSIONS)):
            raise ValueError(f"{unknown[0]!r} is not a dimension: there is {', '.join(DIMENSIONS)}")
        return groups


def known_stages(order: tuple[str, ...]) -> tuple[str, ...]:
    """The order, if it names stages and each but once. Raises ValueError."""
    for stage in order:
        if stage not in STAGES or order.count(stage) > 1:
            raise ValueError(f"{stage!r} is {'named twice' if stage in STAGES else 'not a stage'}: there is {', '.join(STAGES)}")
    return order


def in_order(*orders: tuple[str, ...]) -> tuple[str, ...]:
    """All stages: those that an order names take each other's places in the order named, the others stay. The first order given counts."""
    order = next((order for order in orders if order), ())
    places = sorted(STAGES.index(stage) for stage in order)
    found = list(STAGES)
    for place, stage in zip(places, order, strict=True):
        found[place] = stage
    return tuple(found)
