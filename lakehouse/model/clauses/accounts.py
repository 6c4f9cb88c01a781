"""Terms of accounts: costs, advances, guarantees and taxes. They move balances once a statement period, not single lines."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lakehouse.model.clauses.base import AccountClause, Shares
from lakehouse.model.clauses.condition import Many
from lakehouse.model.money import Amount, Rate, times, write_rate

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


def _whole(to: dict[str, Fraction]) -> dict[str, Fraction]:
    if (total := sum(to.values(), Fraction(0))) != 1:
        raise ValueError(f"the shares add up to {write_rate(total)}, not 100%")
    return to


class Cost(AccountClause):
    """What part of a cost is recouped, and from whom. Source: Curve Royalty Systems, help article 49; eddy, statement breakdown.

    `charge: artist` recoups it from the account of `to` (by default the artist's) after the rate. `charge: shared` takes it from the
    contract's income before the rate: the earnings of everyone who shares in that income fall in the same proportion. Without any cost term a
    cost is recouped whole, from the artist. `when` may name `cost_type`, `territory` and dates.
    """

    clause: Literal["cost"]
    recoup: Rate = Fraction(1)
    charge: Literal["artist", "shared"] = "artist"
    to: str | None = None

    def parties(self) -> tuple[str, ...]:
        return (self.to,) if self.to else ()


class Advance(AccountClause):
    """Who an advance on the contract is paid to and recouped from, and an advance that the contract itself grants.

    `to` divides it among several parties. With an `amount` it is paid in `period` without any event. `up_to` is the part of a period's royalties
    that may be used for recoupment; the rest is paid out. Source: label-worx.com, article 6697352246290 (1000 over two licensors).
    """

    clause: Literal["advance"]
    to: Shares
    amount: Amount | None = None
    currency: str | None = None
    period: str | None = Field(None, pattern=MONTH)
    up_to: Rate = Fraction(1)

    _shares = field_validator("to", mode="after")(_whole)

    @model_validator(mode="after")
    def _fits(self) -> Advance:
        if (self.amount is None) != (self.period is None):
            raise ValueError("an advance that the contract grants has an `amount` and the `period` in which it is paid")
        return self

    def parties(self) -> tuple[str, ...]:
        return tuple(self.to)


class Instalment(BaseModel):
    """A part of a guarantee that must have been earned by the end of the month `due`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    due: str = Field(pattern=MONTH)
    amount: Amount


class Forecast(BaseModel):
    """A guarantee as `share` of what `rate` of a forecast comes to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    forecast: Amount
    rate: Rate
    share: Rate = Fraction(1)


class MinimumGuarantee(AccountClause):
    """What `to` has at least from the contract: a line at the end of each year, or at each instalment, never a floor for a period.

    `amount` with `starting` (the first month) and `months` (12): at the end of each such span the shortfall to what was earned in it is added
    once. `instalments`: at each of them the shortfall of all that was earned to all that is due; what is earned later first makes good
    what was topped up. `when` says what usage counts; its dates are those within which a span begins, or an instalment is due.
    Sources: easyroyaltiesusa.com; imclicensing.com (forecast); animenewsnetwork.com (earning out).
    """

    clause: Literal["minimum_guarantee"]
    to: str
    currency: str | None = None
    amount: Amount | None = None
    of: Forecast | None = None
    starting: str | None = Field(None, pattern=MONTH)
    months: int = Field(12, ge=1)
    instalments: tuple[Instalment, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> MinimumGuarantee:
        if [self.amount is None, self.of is None, not self.instalments].count(False) != 1:
            raise ValueError("a guarantee has one of `amount`, `of` (a forecast) and `instalments`")
        if not self.instalments and self.starting is None:
            raise ValueError("`starting` says in which month the guarantee begins to run")
        if [i.due for i in self.instalments] != sorted({i.due for i in self.instalments}):
            raise ValueError("instalments come in the order in which they are due")
        return self

    @property
    def guaranteed(self) -> Decimal:
        """The amount of one span."""
        return (
            self.amount
            if self.amount is not None
            else times(self.of.forecast, self.of.rate * self.of.share)
            if self.of
            else Decimal(0)
        )

    def parties(self) -> tuple[str, ...]:
        return (self.to,)


class Withholding(AccountClause):
    """Tax withheld from what is paid on income that `when` describes (its territory is the source country).

    `payees`, `country` and `payee_kind` say of whom; `treaty` gives other rates by the payee's country. `of: payable` (the default) is after
    recoupment, in the proportion in which the income is taxed; `of: earned` before it. Of several terms of one `name` the most specific applies.
    """

    clause: Literal["withholding"]
    rate: Rate
    payees: Many = ()
    country: Many = ()
    payee_kind: Literal["", "individual", "company"] = ""
    treaty: dict[str, Rate] = Field({}, description="rates by the country of the payee")
    of: Literal["payable", "earned"] = "payable"

    def parties(self) -> tuple[str, ...]:
        return self.payees

    def rate_for(self, payee: str, country: str, kind: str) -> Fraction | None:
        """The rate for a payee; None where the term is not about them."""
        if (self.payees and payee not in self.payees) or (self.country and country not in self.country):
            return None
        if self.payee_kind and kind != self.payee_kind:
            return None
        return self.treaty.get(country, self.rate)
