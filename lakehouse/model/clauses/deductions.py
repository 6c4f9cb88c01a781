"""Deductions: what stays with the label before the rate is applied, or comes off the royalty after it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from lakehouse.model.clauses.base import Basis, Clause, Flow, Part
from lakehouse.model.money import Amount, Rate, exact, times


class DeductionClause(Clause):
    """`rate` of the base, or `per_unit` for each unit, stays with the label (or goes to `to`).

    Only one deduction of a kind applies, the most specific. `apply: before` (the default) takes it from the base of the rate, `after` from
    the royalty. `of` makes it a share of another base: 25 % packaging of the retail price, off a base of PPD.
    Source: Curve Royalty Systems, help article 48 (receipts 100, deduction 33 %, base 67).
    """

    rate: Rate | None = None
    per_unit: Amount | None = None
    of: Basis | None = None
    timing: Literal["before", "after"] = Field("before", alias="apply")
    to: str | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> DeductionClause:
        if (self.rate is None) == (self.per_unit is None):
            raise ValueError("a deduction has either a `rate` or an amount `per_unit`")
        if self.of and self.rate is None:
            raise ValueError("`of` says what a `rate` is of")
        if self.of == "net" and self.timing == "after":
            raise ValueError("after the rate the net receipts are divided already: `of` is gross, ppd or retail, or left out")
        return self

    def stage(self) -> str | None:
        return self.kind() if self.timing == "before" else "deduction_after"

    def parties(self) -> tuple[str, ...]:
        return (self.to,) if self.to else ()

    @property
    def fixed_share(self) -> bool:
        return self.rate is not None and self.of is None

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        pool = "net" if self.timing == "before" else "artist"
        stream = flow.pools.get(pool)
        if stream is None:
            return flow
        if self.rate is not None and self.of is None:
            cut = stream.divide(self.kind(), term, {"deduction": self.rate, "rest": 1 - self.rate})
            taken, rest = cut["deduction"], cut["rest"]
        else:
            portion = flow.whole if self.timing == "before" else flow.portion
            taken, rest = stream.take(self.kind(), term, times(self._fixed(flow), portion))
        to, category = (self.to, "fee") if self.to else (label, "retained")
        return flow.give({pool: rest}, Part(to, self.kind(), category, taken))

    def _fixed(self, flow: Flow) -> Decimal:
        if self.per_unit is not None:
            return flow.per_unit(exact(self.per_unit))
        return times(flow.measured(self.of or "net"), self.rate or Fraction(0))


class Packaging(DeductionClause):
    """A deduction for the container of a physical copy."""

    clause: Literal["packaging"]


class FreeGoods(DeductionClause):
    """A deduction for copies that are given away."""

    clause: Literal["free_goods"]


class TerritoryDeduction(DeductionClause):
    """A deduction for sales abroad."""

    clause: Literal["territory_deduction"]


class Deduction(DeductionClause):
    """Any other deduction."""

    clause: Literal["deduction"]
