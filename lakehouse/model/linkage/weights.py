"""What agreement is worth: Fellegi-Sunter weights over the levels, re-estimated without labels by expectation-maximization.

The model is a document that a person can read: for each field the share of matches and of other pairs at each level. A
shipped model starts the estimate and holds it where the data are few: it counts as `strength` pairs beside the real ones.
Source: Fellegi and Sunter, A Theory for Record Linkage (1969); Winkler (1988) for the estimate.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakehouse.model.linkage.levels import COMMON, COMPARISONS, OF_WORDS, ONE_SIDE, PLACE, Comparison

Numbers = npt.NDArray[np.float64]
Share = Annotated[float, Field(gt=0, lt=1)]
_ROUNDS, _SETTLED = 200, 1e-6
_NEVER: Final = 1e-12
_EVEN: Final = 0.5
# However much agrees, another version is another recording: one in twenty is told for a person to see.
_ANOTHER: Final = -3.0
# What a scrambled match does not show.
_IN_PLACE = (*OF_WORDS, "counts")
# Odds beyond this say nothing more; it keeps sums finite.
_LIMIT = 40.0


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Agreement(_Frozen):
    """One field: the share of matches, and of other candidate pairs, at each level."""

    matches: tuple[Share, ...]
    others: tuple[Share, ...]


class Model(_Frozen):
    """`match_rate` is the share of candidate pairs that are matches."""

    version: int
    match_rate: Share
    scrambled: Share = Field(description="The share of matches whose texts came in other fields, or all in one")
    garbled: Share = Field(description="The share of matches in which one field says something else altogether")
    strength: float = Field(gt=0, description="How many pairs the shipped shares count for when data re-estimate them")
    fields: dict[str, Agreement]

    @model_validator(mode="after")
    def _complete(self) -> Model:
        for comparison in COMPARISONS:
            known = self.fields.get(comparison.name)
            if known is None or {len(known.matches), len(known.others)} != {len(comparison.levels)}:
                raise ValueError(
                    f"field `{comparison.name}` needs a share for each of its levels: {', '.join(comparison.levels)}"
                )
            for shares in (known.matches, known.others):
                if abs(sum(shares) - 1) > 1e-3:
                    raise ValueError(f"field `{comparison.name}`: shares must add up to 1, not {sum(shares)}")
        return self

    def untuned(self) -> Model:
        """The same for pairs that come one by one: nobody has counted who else has a text, so that those which are the same weigh alike, and the
        shares are not estimated again, so that they count garbled fields already."""

        def one(shares: tuple[float, ...]) -> tuple[float, ...]:
            same = shares[0] + shares[COMMON]
            return tuple(same if level in (0, COMMON) else share for level, share in enumerate(shares))

        known = {c.name: self.fields[c.name] for c in COMPARISONS if COMMON in c.aside}
        texts = {n: Agreement.model_construct(matches=one(f.matches), others=one(f.others)) for n, f in known.items()}
        return self.model_copy(update={"garbled": _NEVER, "fields": {**self.fields, **texts}})

    @property
    def sha256(self) -> str:
        """SHA-256 of the model's canonical JSON."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Counted:
    """Distinct patterns of levels, shape (patterns, comparisons), and how many pairs show each."""

    patterns: npt.NDArray[np.int8]
    pairs: Numbers


def log_odds(model: Model, patterns: npt.NDArray[np.int8]) -> Numbers:
    """The natural logarithm of the odds that each pattern is a match."""
    odds = np.clip(np.logaddexp(*_log_odds(model, patterns)), -_LIMIT, _LIMIT)
    return np.where(patterns[:, PLACE["version"]] >= ONE_SIDE, np.minimum(odds, _ANOTHER), odds)


def _log_odds(model: Model, patterns: npt.NDArray[np.int8]) -> tuple[Numbers, Numbers]:
    """The same of the two kinds of matches: those whose texts stand in their fields, and those whose texts came swapped or merged, which show in
    their words alone."""
    weights = {}
    for place, comparison in enumerate(COMPARISONS):
        field = model.fields[comparison.name]
        by_level = _weights(np.array(field.matches), np.array(field.others), comparison, model.garbled)
        weights[comparison.name] = np.where(patterns[:, place] < 0, 0.0, by_level[patterns[:, place]])
    texts = sum((weights.pop(name) for name in _IN_PLACE), np.zeros(len(patterns)))
    words = weights.pop("words")
    rest = sum(weights.values(), np.zeros(len(patterns))) + np.log(model.match_rate / (1 - model.match_rate))
    # Words that do not speak for a match do not excuse what the fields say against it.
    together = np.where(words > 0, words + np.log(model.scrambled), -np.inf)
    return texts + np.where(words > 0, np.log(1 - model.scrambled), 0.0) + rest, together + rest


def fit(shipped: Model, counted: Counted) -> Model:
    """The model that explains the patterns best, starting from the shipped one. The same counts give the same model."""
    model = shipped
    # Another version of a song agrees in all but that: such pairs are decided, and would pass for what strangers agree in.
    decided = counted.patterns[:, PLACE["version"]] >= ONE_SIDE
    counted = Counted(counted.patterns[~decided], counted.pairs[~decided])
    if not len(counted.patterns):
        return model
    kinds = _kinds(model, counted.patterns)
    for _ in range(_ROUNDS):
        model = _estimate(shipped, counted, *kinds)
        again = _kinds(model, counted.patterns)
        moved, kinds = max(float(np.abs(now - then).max()) for now, then in zip(again, kinds, strict=True)), again
        if moved < _SETTLED:
            break
    return model


def _kinds(model: Model, patterns: npt.NDArray[np.int8]) -> tuple[Numbers, Numbers]:
    """How probable it is that each pattern is a match in place, and a scrambled one."""
    plain, scrambled = (np.clip(odds, -_LIMIT, _LIMIT) for odds in _log_odds(model, patterns))
    both = 1 + np.exp(plain) + np.exp(scrambled)
    return np.exp(plain) / both, np.exp(scrambled) / both


def _estimate(shipped: Model, counted: Counted, plain: Numbers, scrambled: Numbers) -> Model:
    fields, matched, pairs = {}, plain + scrambled, counted.pairs
    shows = dict.fromkeys(_IN_PLACE, plain)
    for place, comparison in enumerate(COMPARISONS):
        prior, level = shipped.fields[comparison.name], counted.patterns[:, place]
        if comparison.name == "words":
            fields[comparison.name] = _words_of_others(prior, level, pairs * np.where(matched < _EVEN, 1 - matched, 0), shipped)
        elif comparison.learned:
            fields[comparison.name] = Agreement.model_construct(
                matches=_shares(prior.matches, level, pairs * shows.get(comparison.name, matched), shipped.strength),
                others=_shares(prior.others, level, pairs * (1 - matched), shipped.strength),
            )
        else:
            fields[comparison.name] = prior
    hits = float((pairs * matched).sum()) + shipped.strength * shipped.match_rate
    rate = hits / (float(pairs.sum()) + shipped.strength)
    moved = float((pairs * scrambled).sum()) + shipped.strength * shipped.match_rate * shipped.scrambled
    return shipped.model_copy(update={"match_rate": rate, "scrambled": moved / hits, "fields": fields})


def _words_of_others(prior: Agreement, level: npt.NDArray[np.int8], pairs: Numbers, shipped: Model) -> Agreement:
    """What words are worth that may stand anywhere. How they agree in scrambled matches is shipped: there are few of them in most tables, and what
    is little is soon lost. Strangers teach how often words agree by chance, but for pairs that are more likely matches, and never that it is rarer."""
    seen = np.array(_shares(prior.others, level, pairs, shipped.strength))
    speak_for = np.array(prior.matches) > np.array(prior.others)
    others = np.where(speak_for, np.maximum(seen, prior.others), seen)
    return Agreement.model_construct(matches=prior.matches, others=tuple((others / others.sum()).tolist()))


def _shares(prior: Sequence[float], level: npt.NDArray[np.int8], pairs: Numbers, strength: float) -> tuple[float, ...]:
    known = level >= 0
    counts = strength * np.array(prior) + np.bincount(level[known], pairs[known], len(prior))
    return tuple((counts / counts.sum()).tolist())


def _weights(matches: Numbers, others: Numbers, comparison: Comparison, garbled: float) -> Numbers:
    weights = np.log(matches / others)
    if comparison.learned:
        weights = np.logaddexp(weights + np.log(1 - garbled), np.log(garbled))
    if not comparison.falls:
        return weights
    chain = np.array([level for level in range(len(weights)) if level not in comparison.aside])
    weights[chain] = np.minimum.accumulate(weights[chain])
    return np.minimum(weights, weights[0])


def load_model(document: Mapping[str, Any]) -> Model:
    """The model in a document. Raises pydantic.ValidationError."""
    return Model.model_validate(document)
