"""The artist's royalty on the master; what it leaves stays with the label."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from lakehouse.model.clauses.base import Basis, Clause, Flow, Part, Stream
from lakehouse.model.clauses.escalation import Count, Escalation
from lakehouse.model.money import Amount, Rate, add, exact, times


class RoyaltyClause(Clause):
    """A royalty: `rate` of a base, or `unit_rate` for each unit, or the greater of a rate and a minimum for each unit.

    The base is the net receipts (by default), or `basis`: gross receipts, the dealer price (ppd) or the retail price times units, with an
    `uplift` where the contract adds one. Where it is not the net receipts, the difference between the two is the label's, so that the parts
    still add up to the receipts.
    """

    rate: Rate | None = None
    unit_rate: Amount | None = None
    minimum_per_unit: Amount | None = None
    basis: Basis = "net"
    uplift: Rate = Field(Fraction(0), description="what is added to the price: a base of 130 % of ppd has an uplift of 30 %")
    to: str
    escalation: Escalation | None = None
    mfn: str = Field("", description="a class of terms in which all have the highest rate of any")
    role: ClassVar[str] = "artist"

    @model_validator(mode="after")
    def _one_measure(self) -> RoyaltyClause:
        if (self.rate is None) == (self.unit_rate is None):
            raise ValueError("a royalty has either a `rate` or a `unit_rate`")
        if self.minimum_per_unit is not None and self.rate is None:
            raise ValueError("`minimum_per_unit` is for a `rate`: the greater of the two is paid")
        if self.uplift and self.basis not in ("ppd", "retail"):
            raise ValueError("an `uplift` is added to a price: the `basis` is ppd or retail")
        if self.escalation and any((s.rate is None) != (self.rate is None) for s in self.escalation.steps):
            raise ValueError("the steps of an escalation are what the royalty is: all `rate`, or all `unit_rate`")
        return self

    def stage(self) -> str | None:
        return "rate"

    def parties(self) -> tuple[str, ...]:
        return (self.to,)

    @property
    def fixed_share(self) -> bool:
        plain = self.escalation is None and self.minimum_per_unit is None and not self.mfn
        return plain and self.rate is not None and self.basis == "net"

    def rebase(self, flow: Flow, term: str, label: str) -> Flow:
        """The net pool as the base that the rate is of; what the receipts differ by is the label's."""
        if self.basis == "net":
            return flow
        net = flow.pools["net"]
        base = times(flow.measured(self.basis), 1 + self.uplift)
        difference = net.becomes("base", term, add(net.amount, base.copy_negate()))
        return flow.give({"net": net.becomes("base", term, base)}, Part(label, "base_difference", "retained", difference))

    def apply(self, flow: Flow, term: str, label: str) -> Flow:
        base = flow.pools["net"]
        rate = self.effective(flow, term)
        royalty = times(base.amount, rate) if self.rate is not None else times(flow.per_unit(rate), flow.portion)
        least = times(flow.per_unit(exact(self.minimum_per_unit)), flow.portion) if self.minimum_per_unit is not None else None
        back = flow.units < 0 or (not flow.units and base.amount < 0)
        lifted = least is not None and (least < royalty if back else least > royalty)
        if self.rate is not None and not lifted:
            cut = base.divide(self.kind(), term, {"artist": rate, "label": 1 - rate})
            return self._cut(flow, cut["artist"], cut["label"], {"artist": rate, "label": 1 - rate})
        amount = least if lifted and least is not None else royalty
        artist, rest = base.take(self.kind(), term, amount)
        part = exact(amount) / exact(base.amount) if base.amount else Fraction(0)
        return self._cut(flow, artist, rest, {"artist": part, "label": 1 - part})

    def effective(self, flow: Flow, term: str) -> Fraction:
        """The rate of this line, escalated where the contract says so."""
        first = self.rate if self.rate is not None else exact(self.unit_rate or Decimal(0))
        if self.escalation is None or flow.usage is None:
            return first
        counter = self.escalation.counter_of(term, flow.usage)
        if self.escalation.counts and counter not in flow.counts:
            raise ValueError(f"how far the escalation {counter[0]} has counted is not known")
        return self.escalation.rate_of(first, flow.usage, flow.pools["net"].amount, flow.counts.get(counter, Count()))

    def _cut(self, flow: Flow, artist: Stream, rest: Stream, rates: dict[str, Fraction]) -> Flow:
        pools = {**flow.pools, "artist": artist, "label": rest}
        del pools["net"]
        return replace(flow, pools=pools, rates=rates, artist=self.to, role=self.role)


class MasterShare(RoyaltyClause):
    """`rate` of what is left for the master is the artist's royalty, and the rest the label's.

    Source: Curve Royalty Systems, help article 48 (base 67, rate 50 %, royalty 33.50); Royalties 101, lesson 6 (bases).
    """

    clause: Literal["master_share"]
