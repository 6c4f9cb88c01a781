"""A contract: dated YAML, the terms of it that apply to a usage, and the split of its money.

This is the reference engine: plain Python that a person can read and try. Spark runs the same code on groups of
usage lines (`lakehouse.transforms.resolve`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr, field_validator

from lakehouse.model.clauses import (
    AnyClause,
    Clause,
    Count,
    Counter,
    FixedFee,
    Flow,
    Part,
    Reserve,
    RoyaltyClause,
    Step,
    Stream,
    Usage,
)
from lakehouse.model.covers import Covers, Effective
from lakehouse.model.documents import Document
from lakehouse.model.money import Rate
from lakehouse.model.places import rolled_up
from lakehouse.model.recipe import Recipe, work_out
from lakehouse.model.rules import BookRules, Frozen, Parties, in_order, known_stages

_PARTICIPANT = " participant"
_HELD = " held"
# How many combinations of dimensions a contract remembers the terms of.
_QUEUES = 10_000
# Stage and index of each term that applies to a usage, in order.
Queue = tuple[tuple[str, int], ...]


class Contract(Frozen):
    """One version of one contract."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, ignored_types=(cached_property,))

    contract: str
    version: str
    title: str = ""
    effective: Effective
    label: str
    currency: str | None = Field(
        None, description="the currency of amounts in the terms; lines in others are refused by those terms"
    )
    order: tuple[str, ...] = Field((), description="stages in another order than the book's")
    recoup_order: tuple[Literal["cost", "advance"], ...] = Field(("cost", "advance"), description="what is recouped first")
    parties: Parties = Field({}, description="parties that this contract introduces")
    covers: Covers = Covers()
    terms: tuple[AnyClause, ...]
    tree: dict[str, dict[str, Rate]] = Field({}, description="who shares what a party earns, to any depth")
    _rules: BookRules = PrivateAttr(default_factory=BookRules)
    _peers: Mapping[str, tuple[tuple[Effective, Clause], ...]] = PrivateAttr(default_factory=dict)

    _queues: dict[tuple[str | None, ...], Queue] = PrivateAttr(default_factory=dict)
    _recipes: dict[Queue, Recipe | None] = PrivateAttr(default_factory=dict)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Contract:
        """A copy that remembers nothing of what applied to the terms of this one."""
        copied = super().model_copy(update=update, deep=deep)
        copied._queues, copied._recipes = {}, {}
        for name in ("_places", "asked", "dated", "counters", "asks_for_days"):
            copied.__dict__.pop(name, None)
        return copied

    @field_validator("order")
    @classmethod
    def _known_stages(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        return known_stages(order)

    @field_validator("recoup_order")
    @classmethod
    def _each_once(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        if sorted(order) != ["advance", "cost"]:
            raise ValueError("`recoup_order` names `cost` and `advance`, each once")
        return order

    def bound(self, rules: BookRules, peers: Mapping[str, tuple[tuple[Effective, Clause], ...]]) -> Contract:
        """The contract under the rules of its book; `peers` are the terms of each class of most favoured nations."""
        self._rules, self._peers, self._queues, self._recipes = rules, peers, {}, {}
        return self

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of a line, in the order of this contract."""
        return in_order(self.order, self._rules.order)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {stage: place for place, stage in enumerate(self.stages)}

    @cached_property
    def counters(self) -> frozenset[str]:
        """The names of the counts of units or income that decide on a rate of this contract."""
        found = set()
        for index, term in enumerate(self.terms):
            if isinstance(term, RoyaltyClause) and term.escalation and term.escalation.counts:
                found.add(term.escalation.counter or self.term_id(index))
        return frozenset(found)

    @cached_property
    def asks_for_days(self) -> bool:
        """Whether a term tells days of one month apart: by a date of its own, or because the order of lines decides on a rate."""
        dates = [date for term in self.terms for date in (term.when.from_period, term.when.to_period)]
        rising = [term.escalation for term in self.terms if isinstance(term, RoyaltyClause) and term.escalation]
        dates += [step.start for escalation in rising for step in escalation.steps]
        return any(len(date or "") > len("YYYY-MM") for date in dates) or any(e.counts and e.mode == "marginal" for e in rising)

    def term_id(self, index: int) -> str:
        """Such as ``C-001/2``: the contract and the place of the term in it, from 1."""
        return f"{self.contract}/{index + 1}"

    def term(self, term_id: str) -> Clause | None:
        """The term with this id, if it is one of this contract's."""
        contract, _, place = term_id.rpartition("/")
        return self.terms[int(place) - 1] if contract == self.contract and place.isdigit() else None

    def applicable(self, usage: Usage) -> dict[tuple[str, str], int]:
        """For each clause and name the index of the one term that applies: the most specific. Order of writing is irrelevant."""
        chosen: dict[tuple[str, str], int] = {}
        for index, term in enumerate(self.terms):
            if term.when.fits(usage, self._rules.territory_basis):
                key = (term.clause, term.name)
                best = chosen.get(key)
                if best is None or self._rank(term) > self._rank(self.terms[best]):
                    chosen[key] = index
        return chosen

    def _rank(self, term: Clause) -> tuple[tuple[int, ...], str]:
        """Of usage of which only the month is known two terms may fit that part it: the one that begins later applies."""
        return (self.specificity(term), term.when.from_period or "")

    def specificity(self, term: Clause) -> tuple[int, ...]:
        """How specific a term is, by the dimensions in the order of the book."""
        return term.when.specificity(self._rules.dimensions)

    def account_terms(self, kind: type[Clause], usage: Usage) -> list[tuple[str, Any]]:
        """Id and term of every account clause of a kind that applies, one for each name."""
        chosen = sorted(self.applicable(usage).values())
        return [(self.term_id(i), self.terms[i]) for i in chosen if isinstance(self.terms[i], kind)]

    def split(
        self, usage: Usage, base: Decimal, counts: Mapping[Counter, Count] | None = None, steps: tuple[Step, ...] = ()
    ) -> tuple[Part, ...]:
        """Who gets what of `base`, through every stage. The parts add up to `base` exactly.

        `counts` says how far each escalation has counted, `steps` what the amount has come through before. Raises ValueError where a price
        that a term needs is missing, or an amount of a term is in another currency than the line.
        """
        queue = self._queue(usage)
        if not steps and (recipe := self._recipe(queue, usage)):
            return recipe.parts(base)
        parts = self._parts(Flow({"net": Stream(base, steps)}, usage=usage, received=base, counts=counts or {}), queue)
        return tuple(part for part in parts if part.stream.amount or not base)

    def recipe(self, usage: Usage) -> Recipe | None:
        """How any amount of such usage is split, where that depends on the terms alone: on no amount, price, count or date of the line.

        It depends on those dimensions of the usage alone that the terms ask for (`asked`, `dated`).
        """
        return self._recipe(self._queue(usage), usage)

    def _parts(self, flow: Flow, queue: Queue) -> Iterator[Part]:
        """Every part of the flow after all terms and down the tree, those of nothing too."""
        for one in self._through(flow, queue):
            for part in self._rest(one):
                yield from map(self._kept, self._down_the_tree(part))

    def _kept(self, part: Part) -> Part:
        """A part that a term or the tree gives to the label: it is retained like all that the label has, and on no statement."""
        if part.party != self.label or part.category not in ("payable", "reserved"):
            return part
        return replace(part, category="retained", role=part.role + (_HELD if part.category == "reserved" else ""))

    def _recipe(self, queue: Queue, usage: Usage) -> Recipe | None:
        """The recipe of a queue, where each of its terms takes a fixed share."""
        if queue not in self._recipes:
            fixed = all(self.terms[index].fixed_share for _, index in queue)
            follow = lambda stream: self._parts(Flow({"net": stream}, usage=usage), queue)  # noqa: E731
            self._recipes[queue] = work_out(follow) if fixed else None
        return self._recipes[queue]

    def counted(self, usage: Usage, base: Decimal) -> dict[Counter, Fraction]:
        """What a line adds to the count of each escalation that applies to it."""
        queue = self._queue(usage)
        found: dict[Counter, Fraction] = {}
        for place, (stage, index) in enumerate(queue):
            term = self.terms[index]
            if stage == "rate" and isinstance(term, RoyaltyClause) and term.escalation and term.escalation.counts:
                flow = Flow({"net": Stream(base)}, usage=usage, received=base)
                income = self._through(flow, queue[:place])[0].pools["net"].amount
                found[term.escalation.counter_of(self.term_id(index), usage)] = term.escalation.increment(usage, income)
        return found

    def _queue(self, usage: Usage) -> Queue:
        """Stage and index of each term that applies, in the order in which they do.

        It depends on those values alone that some term asks for: usage that differs in others has the same queue.
        """
        key = tuple(value if value in asked else None for value, asked in self._asked_of(usage))
        if self.dated:
            key = (*key, usage.sale_date or usage.usage_period)
        if key not in self._queues:
            if len(self._queues) >= _QUEUES:
                self._queues.clear()
            self._queues[key] = self._queue_of(usage)
        return self._queues[key]

    def _asked_of(self, usage: Usage) -> Iterator[tuple[str | None, frozenset[str]]]:
        for dimension, asked in self.asked.items():
            value = getattr(usage, dimension)
            yield value, asked
            if dimension == "territory" and self._rules.territory_basis == "tis":
                yield rolled_up(value), asked

    @cached_property
    def asked(self) -> dict[str, frozenset[str]]:
        """For each dimension that some term asks for, the values that fit any of them."""
        return asked_by(self.terms)

    @cached_property
    def dated(self) -> bool:
        return any(term.when.dated for term in self.terms)

    def _queue_of(self, usage: Usage) -> Queue:
        places = self._places
        queue: list[tuple[int, str, str, str, int]] = []
        for (clause, name), index in self.applicable(usage).items():
            term = self.terms[index]
            if isinstance(term, RoyaltyClause):
                queue.append((places["base"], clause, name, "base", index))
            if stage := term.stage():
                queue.append((places[stage], clause, name, stage, index))
        return tuple((stage, index) for _, _, _, stage, index in sorted(queue))

    def _through(self, flow: Flow, queue: Queue) -> list[Flow]:
        """The flow after every term; a reserve makes two of it, what is accounted for and what is held."""
        usage = flow.usage
        assert usage is not None
        for place, (stage, index) in enumerate(queue):
            term, term_id = self._favoured(self.terms[index], usage), self.term_id(index)
            if self.currency is not None and usage.currency not in (None, self.currency) and term.priced():
                raise ValueError(f"the amount in {term_id} is in {self.currency}, and the line in {usage.currency}")
            if isinstance(term, Reserve):
                flow, held = term.hold(flow, term_id)
                if held is not None:
                    rest = queue[place + 1 :]
                    return [*self._through(flow, rest), *self._through(held, rest)]
            elif stage == "base" and isinstance(term, RoyaltyClause):
                flow = term.rebase(flow, term_id, self.label)
            elif not (isinstance(term, RoyaltyClause) and "net" not in flow.pools):
                flow = term.apply(flow, term_id, self.label)
        return [flow]

    def _rest(self, flow: Flow) -> Iterator[Part]:
        """The parts of a flow, with what is left in its pools; what is held is reserved for whom it would be payable to."""
        parts = list(flow.parts)
        if "artist" in flow.pools:
            parts.append(Part(flow.artist, flow.role, "payable", flow.pools["artist"]))
        parts += [Part(self.label, "label", "retained", flow.pools[pool]) for pool in ("label", "net") if pool in flow.pools]
        for part in parts:
            if not flow.held:
                yield part
            elif part.category == "payable":
                yield replace(part, category="reserved")
            else:
                yield replace(part, role=part.role + _HELD)

    def _favoured(self, term: Clause, usage: Usage) -> Clause:
        """The term with the best figure of its class of most favoured nations, among the terms in force for such usage."""
        if not isinstance(term, (RoyaltyClause, FixedFee)) or not term.mfn:
            return term
        best: Clause = term
        for effective, peer in self._peers.get(term.mfn, ()):
            if effective.holds(usage.usage_period) and peer.when.fits(
                replace(
                    usage,
                    recording=(peer.when.recording or (usage.recording,))[0],
                    release=(peer.when.release or (usage.release,))[0],
                )
            ):
                best = _better(best, peer)
        return best

    def _down_the_tree(self, part: Part) -> tuple[Part, ...]:
        """A party's part divided among those who share it, to any depth; what is not given stays with the party."""
        shares = self.tree.get(part.party) if part.category in ("payable", "reserved") else None
        if not shares:
            return (part,)
        kept = Fraction(1) - sum(shares.values())
        streams = part.stream.divide("tree", f"{self.contract}/tree/{part.party}", {part.party: kept, **shares})
        # One party may be reached as artist and as producer on the same terms: the role tells the two parts apart.
        role = part.role.removesuffix(_PARTICIPANT) + _PARTICIPANT
        below = (Part(p, role, part.category, streams[p]) for p in shares)
        return (
            Part(part.party, part.role, part.category, streams[part.party]),
            *(leaf for child in below for leaf in self._down_the_tree(child)),
        )


def _better(term: Any, peer: Any) -> Clause:
    """`term` with the figure of `peer` where that is higher. Only like figures are compared, and none is ever lowered."""
    for figure in ("rate", "unit_rate", "amount"):
        mine, theirs = getattr(term, figure, None), getattr(peer, figure, None)
        if mine is not None and theirs is not None and theirs > mine:
            return term.model_copy(update={figure: theirs})
    return term


def asked_by(terms: Iterable[Clause]) -> dict[str, frozenset[str]]:
    """For each dimension that some of the terms ask for, the values that fit any of them."""
    found: dict[str, frozenset[str]] = {}
    for term in terms:
        for dimension, values in term.when.wanted.items():
            found[dimension] = found.get(dimension, frozenset()) | values
    return found


def parse_contract(document: Document, context: Mapping[str, Any] | None = None) -> Contract:
    """The contract in a document, read with the book's groups and presets. Raises pydantic.ValidationError."""
    return Contract.model_validate(document.data, context=dict(context or {}))
