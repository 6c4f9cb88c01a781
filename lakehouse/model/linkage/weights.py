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
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakehouse.model.linkage.levels import COMPARISONS, OF_WORDS

Numbers = npt.NDArray[np.float64]
Share = Annotated[float, Field(gt=0, lt=1)]
_ROUNDS, _SETTLED = 200, 1e-6
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
    weights = {}
    for place, comparison in enumerate(COMPARISONS):
        field = model.fields[comparison.name]
        by_level = _weights(np.array(field.matches), np.array(field.others), comparison.falls)
        weights[comparison.name] = np.where(patterns[:, place] < 0, 0.0, by_level[patterns[:, place]])
    texts = sum(weights.pop(name) for name in OF_WORDS)
    together = weights.pop("words")
    # A match whose texts came swapped or merged shows in its words alone. Either it is one of those, or its texts count.
    scrambled = np.logaddexp(texts + np.log(1 - model.scrambled), together + np.log(model.scrambled))
    odds = np.where(together > 0, scrambled, texts)
    odds = odds + sum(weights.values()) + np.log(model.match_rate / (1 - model.match_rate))
    return np.clip(odds, -_LIMIT, _LIMIT)


def probability(odds: Numbers) -> Numbers:
    """The probability that logarithmic odds stand for."""
    return 1 / (1 + np.exp(-odds))


def fit(shipped: Model, counted: Counted) -> Model:
    """The model that explains the patterns best, starting from the shipped one. The same counts give the same model."""
    model = shipped
    if not len(counted.patterns):
        return model
    matched = probability(log_odds(model, counted.patterns))
    for _ in range(_ROUNDS):
        model = _estimate(shipped, counted, matched)
        again = probability(log_odds(model, counted.patterns))
        moved, matched = float(np.abs(again - matched).max()), again
        if moved < _SETTLED:
            break
    return model


def _estimate(shipped: Model, counted: Counted, matched: Numbers) -> Model:
    fields = {}
    for place, comparison in enumerate(COMPARISONS):
        prior, level = shipped.fields[comparison.name], counted.patterns[:, place]
        fields[comparison.name] = Agreement.model_construct(
            matches=_shares(prior.matches, level, counted.pairs * matched, shipped.strength),
            others=_shares(prior.others, level, counted.pairs * (1 - matched), shipped.strength),
        )
    hits = float((counted.pairs * matched).sum()) + shipped.strength * shipped.match_rate
    rate = hits / (float(counted.pairs.sum()) + shipped.strength)
    return shipped.model_copy(update={"match_rate": rate, "fields": fields})


def _shares(prior: Sequence[float], level: npt.NDArray[np.int8], pairs: Numbers, strength: float) -> tuple[float, ...]:
    known = level >= 0
    counts = strength * np.array(prior) + np.bincount(level[known], pairs[known], len(prior))
    return tuple((counts / counts.sum()).tolist())


def _weights(matches: Numbers, others: Numbers, falls: bool) -> Numbers:
    weights = np.log(matches / others)
    return np.minimum.accumulate(weights) if falls else weights


def load_model(document: Mapping[str, Any]) -> Model:
    """The model in a document. Raises pydantic.ValidationError."""
    return Model.model_validate(document)
