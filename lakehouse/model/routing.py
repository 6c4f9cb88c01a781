"""Routing as a document and a state machine: what becomes of a usage key after matching, decided the same way today and in a replay.

A `Payload` is all that a decision depends on; `Ruleset.decide` is a pure function of it. Events name the payload by hash, so that
ruleset and payloads together rebuild every decision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lakehouse.errors import Findings, Misuse
from lakehouse.model.documents import told
from lakehouse.model.plain_yaml import read_yaml
from lakehouse.model.routing_entry import BARRED, Deficiency, Entry, EntryTier, Stand
from lakehouse.model.routing_score import RoutingScore
from lakehouse.model.vocabulary import ALIAS, PAID

Share = Annotated[float, Field(ge=0, le=1)]


class RoutingState(Enum):
    """Where a usage key stands. TIER4 is the end of the tiers: nothing has found it an owner."""

    RECEIVED = "RECEIVED"
    TIER1 = "TIER1"
    TIER2 = "TIER2"
    TIER3 = "TIER3"
    TIER4 = "TIER4"
    REVIEW = "REVIEW"
    ROUTED = "ROUTED"
    HELD = "HELD"
    FINALIZED = "FINALIZED"
    FROZEN = "FROZEN"


_S = RoutingState
# FINALIZED is terminal: what changes later is a new decision. A freeze of the books can be lifted only into what stood before it.
TRANSITIONS: dict[RoutingState, frozenset[RoutingState]] = {
    _S.RECEIVED: frozenset({_S.TIER1, _S.TIER2, _S.TIER3, _S.FROZEN}),
    _S.TIER1: frozenset({_S.ROUTED, _S.REVIEW, _S.TIER2}),
    _S.TIER2: frozenset({_S.ROUTED, _S.REVIEW, _S.TIER3}),
    _S.TIER3: frozenset({_S.ROUTED, _S.REVIEW, _S.TIER4}),
    _S.TIER4: frozenset({_S.HELD}),
    _S.REVIEW: frozenset({_S.ROUTED, _S.HELD, _S.FROZEN}),
    _S.HELD: frozenset({_S.RECEIVED, _S.FROZEN}),
    _S.ROUTED: frozenset({_S.FINALIZED, _S.FROZEN}),
    _S.FROZEN: frozenset({_S.RECEIVED, _S.REVIEW, _S.HELD, _S.ROUTED}),
    _S.FINALIZED: frozenset(),
}
_TIERS = (_S.TIER1, _S.TIER2, _S.TIER3, _S.TIER4)


def advance(state: RoutingState, to: RoutingState) -> RoutingState:
    """The next state. Raises ValueError for a transition that is not allowed."""
    if to not in TRANSITIONS[state]:
        raise ValueError(f"{state.value} cannot become {to.value}")
    return to


class Gap(Enum):
    """Why money has no owner, whatever the vendor's spelling."""

    INCOMPLETE = "INCOMPLETE"
    CONFLICTING = "CONFLICTING"
    DELAYED = "DELAYED"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# What a payload has only where a document asks for it.
_ASKED_FOR = ("works", "deficiencies")


class Payload(_Strict):
    """What the matcher proposes, as routing receives it: the key, what the reports call it and how much they bring, what was found; of a
    key that nobody claims the `works` that its ISRC is linked to, and of one that has a recording the `deficiencies` of its DDEX message,
    where the document asks for them.

    `match_confidence` is its shortest text; `at_stake` the money in the smallest unit of the currency that brings most; `match_rate` and
    `fidelity` are the record of the worst of its sources (`lakehouse.views.record`), empty where it has none.
    """

    usage_key: str = Field(pattern="^[0-9a-f]{64}$")
    isrc: str | None
    upc: str | None
    title: str | None
    artist: str | None
    album: str | None
    proprietary_id: str | None
    sources: tuple[str, ...]
    at_stake: int
    match_rate: str | None
    fidelity: str | None
    ruleset: str
    catalog_version: int = Field(ge=0)
    review_no: int = Field(ge=0)
    reconciliation_status: str
    match_confidence: str = Field(pattern=r"^[0-9.e-]+$")
    tier: str
    recording_id: str | None
    works: tuple[str, ...] = ()
    deficiencies: tuple[str, ...] = ()

    def canonical(self) -> str:
        """JSON with its keys in order and nothing between: the same payload is the same text. Without what documents ask for since, it is as
        it was before they could."""
        told = {name: value for name, value in self.model_dump(mode="json").items() if name not in _ASKED_FOR or value}
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical().encode()).hexdigest()


class Tier(BaseModel):
    """A tier of the matcher, its level in the state machine, and the confidence from which it pays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: str
    level: Literal[1, 2]
    threshold: Share


class Works(BaseModel):
    """Publishing is paid on works, before any pool: a link of an ISRC to an ISWC is believed from this confidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: Decimal = Field(ge=0, le=1)


class When(BaseModel):
    """Conditions of a rule; one that is not given holds for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: tuple[Literal["MATCHED", "DRIFT_FLAGGED", "AMBIGUOUS", "UNCLAIMED"], ...] = ()
    level: tuple[int, ...] = ()
    gap: tuple[Gap, ...] = ()
    at_stake_from: int | None = Field(None, description="this much money or more, in the smallest unit of its currency (cents)")
    score_below: Decimal | None = Field(None, ge=0, le=1, description="a routing score under this")


class Rule(BaseModel):
    """One branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    tier: Literal[3] | None = Field(
        None, description="3: what fits goes to the fallback pool of its territory, where the contract book has one"
    )
    when: When
    state: Literal["ROUTED", "REVIEW", "HELD"]
    to: Literal["gold.royalty_lines", "gold.holding"]


class Decision(_Strict):
    """What became of a payload: by which rule, over which states, to which table, and why it waits where it does."""

    rule_id: str
    path: tuple[str, ...]
    to: str
    gap: str | None
    score: Decimal

    @property
    def state(self) -> str:
        return self.path[-1]

    def status(self, proposed: str) -> str:
        """What becomes of the matcher's status: a match that is not routed to its owner waits for a person."""
        return "AMBIGUOUS" if proposed in PAID and self.state != "ROUTED" else proposed


class Ruleset(BaseModel):
    """The routing document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    tiers: tuple[Tier, ...] = Field(min_length=1)
    unknown: tuple[str, ...]
    score: RoutingScore = RoutingScore()
    works: Works | None = Field(
        None, description="whether publishing is paid on works whose recordings nobody knows; not, without it"
    )
    entry: dict[Deficiency, EntryTier] = Field(
        {}, description="the tier that each deficiency enters at: all of them, or none, and then every key enters at the first"
    )
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Ruleset:
        for what, names in (("tier", [t.tier for t in self.tiers]), ("rule", [r.id for r in self.rules])):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} {', '.join(twice)} is declared twice")
        if [t.level for t in self.tiers] != sorted(t.level for t in self.tiers):
            raise ValueError("the levels of `tiers` must not fall from one to the next")
        if self.entry and (untold := [one.value for one in Deficiency if one not in self.entry]):
            raise ValueError(f"`entry` names no tier for {', '.join(untold)}")
        if odd := [rule.id for rule in self.rules if (rule.state == "ROUTED") != (rule.to == "gold.royalty_lines")]:
            raise ValueError(f"ROUTED goes to gold.royalty_lines and everything else to gold.holding: {', '.join(odd)}")
        unpaid = [rule.id for rule in self.rules if rule.state == "ROUTED" and not rule.tier and not _matched(rule.when)]
        if unpaid:
            raise ValueError(
                f"only what is MATCHED or DRIFT_FLAGGED has an owner to be ROUTED to, or a tier: 3 rule's pool: {', '.join(unpaid)}"
            )
        if odd := [
            rule.id for rule in self.rules if rule.tier and (rule.state != "ROUTED" or rule.when.status != ("UNCLAIMED",))
        ]:
            raise ValueError(f"a pool takes what is UNCLAIMED, and what it takes is ROUTED: {', '.join(odd)}")
        return self

    @property
    def pool_rules(self) -> tuple[str, ...]:
        """The rules whose money goes to fallback pools."""
        return tuple(rule.id for rule in self.rules if rule.tier)

    @property
    def thresholds(self) -> dict[str, float]:
        return {tier.tier: tier.threshold for tier in self.tiers}

    def is_unknown(self, value: str | None) -> bool:
        """Whether a value says nothing, in any of the spellings."""
        text = (value or "").strip().casefold()
        return text in self.unknown or (text != "" and not text.strip("0"))

    def gap(self, payload: Payload) -> Gap | None:
        """Why the money waits; None where it does not. Without an identifier, a key needs title and artist to be complete."""
        if payload.reconciliation_status in PAID:
            return None
        identified = not all(map(self.is_unknown, (payload.isrc, payload.proprietary_id)))
        if not identified and (self.is_unknown(payload.title) or self.is_unknown(payload.artist)):
            return Gap.INCOMPLETE
        return Gap.CONFLICTING if payload.reconciliation_status == "AMBIGUOUS" else Gap.DELAYED

    @property
    def deficiencies(self) -> tuple[str, ...]:
        """What payloads must tell of a recording's DDEX message."""
        return Entry(self.entry).asked

    def stand(self, payload: Payload) -> Stand:
        """The tier that a payload enters at, and the one that decides it. What a person has accepted enters at the first, whatever is deficient."""
        level = {t.tier: t.level for t in self.tiers}.get(payload.tier)
        if payload.tier == ALIAS:
            return Stand(1, level)
        lacks = None
        if all(map(self.is_unknown, (payload.isrc, payload.upc, payload.proprietary_id))):
            lacks = Deficiency.NO_NAME if self.is_unknown(payload.title) else Deficiency.NO_IDENTIFIER
        named = payload.reconciliation_status == "MATCHED" and not self.is_unknown(payload.title)
        return Entry(self.entry).stand(level, lacks, payload.deficiencies, named)

    def score_of(self, payload: Payload) -> Decimal:
        """How far the reports of this key can be relied on, from 0 to 1 with four decimals: beside the match confidence, no part of it."""
        told = (payload.isrc, payload.upc, payload.title, payload.artist, payload.album)
        return self.score.of(sum(not self.is_unknown(value) for value in told), len(told), payload.match_rate, payload.fidelity)

    def decide(self, payload: Payload) -> Decision:
        """The first rule that fits. Raises Findings where none does: an unknown failure stops the run."""
        entry, level = self.stand(payload)
        gap, score = self.gap(payload), self.score_of(payload)
        if gap is None and level == BARRED:
            gap = Gap.CONFLICTING
        for rule in self.rules:
            when = rule.when
            fits = not when.status or payload.reconciliation_status in when.status
            fits = fits and (when.at_stake_from is None or payload.at_stake >= when.at_stake_from)
            fits = fits and (when.score_below is None or score < when.score_below)
            if fits and (not when.level or level in when.level) and (not when.gap or gap in when.gap):
                path = tuple(state.value for state in _path(entry, rule.tier or level, RoutingState[rule.state]))
                return Decision(rule_id=rule.id, path=path, to=rule.to, gap=gap.value if gap else None, score=score)
        raise Findings(
            f"No rule of routing version {self.version} says what becomes of {payload.reconciliation_status} by tier {payload.tier}"
            f" with gap {gap.value if gap else 'none'} (usage key {payload.usage_key}). Add one to conf/routing.yaml under a new version."
        )


def _matched(when: When) -> bool:
    return bool(when.status) and set(when.status) <= set(PAID)


def _path(entry: int, level: int | None, end: RoutingState) -> Iterator[RoutingState]:
    """The states from RECEIVED through the tiers, from where it enters up to the one that decided or through all of them, to the end."""
    state = RoutingState.RECEIVED
    yield state
    for tier in _TIERS[entry - 1 : level or len(_TIERS)]:
        yield (state := advance(state, tier))
    yield advance(state, end)


def event_id(payload_sha256: str, ruleset_sha256: str) -> str:
    """The idempotency key of a routing decision: the same payload under the same rules is one decision, however often it is tried."""
    return hashlib.sha256(f"{payload_sha256}|{ruleset_sha256}".encode()).hexdigest()


def read_ruleset(text: str, name: str = "conf/routing.yaml") -> Ruleset:
    """The ruleset in a document. Raises Misuse, naming document and key."""
    try:
        return Ruleset.model_validate(read_yaml(text))
    except yaml.YAMLError as error:
        raise Misuse(f"{name}: not valid YAML: {error}") from None
    except ValidationError as error:
        raise Misuse(f"{name}: {told(error, 'document')}") from None


def ruleset_sha256(text: str) -> str:
    """SHA-256 of the document as it is written."""
    return hashlib.sha256(text.encode()).hexdigest()


def draw(ruleset: Ruleset) -> str:
    """The tiers and the tree, in the order of the document."""
    lines = [f"routing version {ruleset.version}", "├── tiers, the first that decides stops the search"]
    for tier in ruleset.tiers:
        lines.append(f"│   {_branch(tier is ruleset.tiers[-1])} {tier.tier} (tier {tier.level}), paid from {tier.threshold:g}")
    lines.append("└── rules, the first that fits decides; none stops the run")
    if ruleset.works:
        lines.insert(-1, f"├── publishing of works before pools, by links of confidence {ruleset.works.confidence} or more")
    if ruleset.entry:
        lines[-1:-1] = ["├── entry, where what is deficient begins", *_entries(ruleset.entry)]
    for rule in ruleset.rules:
        lines.append(
            f"    {_branch(rule is ruleset.rules[-1])} {rule.id}: {_words(rule.when)} → {rule.state}, {rule.to}{', by the pool of its territory' if rule.tier else ''}"
        )
    return "\n".join(lines)


def _entries(entry: Mapping[Deficiency, int]) -> list[str]:
    tiers = sorted(set(entry.values()))
    named = {tier: ", ".join(one.value for one, its in entry.items() if its == tier) for tier in tiers}
    return [f"│   {_branch(tier == tiers[-1])} at tier {tier}: {named[tier]}" for tier in tiers]


def _branch(last: bool) -> str:
    return "└──" if last else "├──"


def _words(when: When) -> str:
    parts = [("", when.status), ("tier ", when.level), ("gap ", tuple(gap.value for gap in when.gap))]
    told = [f"{word}{' or '.join(map(str, values))}" for word, values in parts if values]
    told += [f"at stake from {when.at_stake_from} cents"] if when.at_stake_from is not None else []
    told += [f"routing score below {when.score_below}"] if when.score_below is not None else []
    return ", ".join(told) or "anything"
