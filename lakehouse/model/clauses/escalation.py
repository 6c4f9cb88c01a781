"""Rates that rise: by date, by units or by income."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from lakehouse.model.clauses.usage import Usage
from lakehouse.model.money import SCALE, Amount, Rate, exact, from_units, parse_rate

DATE = r"^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$"


def parse_weight(value: Any) -> Fraction:
    """What one unit counts as: a rate, or a whole number such as 10 for an album among tracks."""
    text = str(value).strip()
    return Fraction(int(text)) if text.isdigit() else parse_rate(value)


Weight = Annotated[Fraction, BeforeValidator(parse_weight), WithJsonSchema({"type": ["string", "number"]})]


# What a count is known by: its name, and for one of income the currency; XXX is no currency, by ISO 4217.
Counter = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Count:
    """How far an escalation has counted: before the line, and at the opening and the closing of its statement period."""

    before: Fraction = Fraction(0)
    opening: Fraction = Fraction(0)
    closing: Fraction = Fraction(0)


class Step(BaseModel):
    """From where on which rate holds: `above` a count, or `from` a date."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    above: Amount | None = None
    start: str | None = Field(None, alias="from", pattern=DATE)
    rate: Rate | None = None
    unit_rate: Amount | None = None

    def value(self) -> Fraction:
        return self.rate if self.rate is not None else exact(self.unit_rate or Decimal(0))


class Escalation(BaseModel):
    """Steps of a rate. Source: Curve Royalty Systems, help article 56 (sale date, reporting date, units, income; history; equivalents).

    `marginal`: a line that crosses a step is parted there, in the order of sale date, then line id. `whole_period`: the step that the
    count reaches by the end of the statement period holds for all of it. `next_period`: a step reached holds from the next period on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["units", "income", "sale_date", "report_date"]
    steps: tuple[Step, ...] = Field(min_length=1)
    mode: Literal["marginal", "whole_period", "next_period"] = "marginal"
    history: Amount = Decimal(0)
    equivalents: dict[str, Weight] = {}
    counter: str = ""

    @model_validator(mode="after")
    def _steps_fit(self) -> Escalation:
        wanted = "above" if self.counts else "start"
        keys = [getattr(step, wanted) for step in self.steps]
        if None in keys:
            raise ValueError(f"every step of an escalation by {self.by} needs `{'above' if self.counts else 'from'}`")
        if keys != sorted(set(keys)):
            raise ValueError("the steps of an escalation rise, each above the one before")
        if any((step.rate is None) == (step.unit_rate is None) for step in self.steps):
            raise ValueError("a step has either a `rate` or a `unit_rate`")
        return self

    @property
    def counts(self) -> bool:
        """Whether the steps depend on what was counted before, rather than on a date."""
        return self.by in ("units", "income")

    def counter_of(self, term: str, usage: Usage) -> Counter:
        """The count that a line adds to: terms that name one counter share it, but income of two currencies is never added."""
        return (self.counter or term, (usage.currency or "XXX") if self.by == "income" else "XXX")

    def increment(self, usage: Usage, income: Decimal) -> Fraction:
        """What a line adds to the count, at 18 decimals, so that balances can keep it; returns count back."""
        if self.by == "income":
            return exact(income)
        size = exact(usage.units) * self.equivalents.get(usage.configuration, Fraction(1))
        return exact(from_units(round(size * 10**SCALE)))

    def rate_of(self, first: Fraction, usage: Usage, income: Decimal, count: Count) -> Fraction:
        """The rate of a line, of which `first` is the rate before the first step; where steps part the line, their mean by count."""
        if not self.counts:
            date = (
                (usage.sale_date or usage.usage_period) if self.by == "sale_date" else (usage.report_period or usage.usage_period)
            )
            reached = [step for step in self.steps if (step.start or "")[: len(date)] <= date[: len(step.start or "")]]
            return reached[-1].value() if reached else first
        history = exact(self.history)
        if self.mode != "marginal":
            return self._at((count.closing if self.mode == "whole_period" else count.opening) + history, first)
        start, size = count.before + history, self.increment(usage, income)
        if not size:
            return self._at(start, first)
        low, high = min(start, start + size), max(start, start + size)
        return sum((self._inside(low, high, first)), Fraction(0)) / (high - low)

    def _at(self, count: Fraction, first: Fraction) -> Fraction:
        reached = [step for step in self.steps if exact(step.above or Decimal(0)) < count]
        return reached[-1].value() if reached else first

    def _inside(self, low: Fraction, high: Fraction, first: Fraction) -> Iterator[Fraction]:
        """Length times rate of each tier between two counts."""
        bounds = [exact(step.above or Decimal(0)) for step in self.steps]
        rates = [first, *(step.value() for step in self.steps)]
        for start, end, rate in zip([None, *bounds], [*bounds, None], rates, strict=True):
            below = low if start is None else max(low, start)
            above = high if end is None else min(high, end)
            if above > below:
                yield (above - below) * rate
