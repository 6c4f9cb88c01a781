"""The matching rules as a document: conf/matching.yaml, checked, frozen and hashed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lakehouse.errors import Misuse
from lakehouse.model.documents import told
from lakehouse.model.normalize import NORMALIZER_VERSION, normalize

Share = Annotated[float, Field(ge=0, le=1)]
Words = tuple[str, ...]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Levels(_Frozen):
    """Similarities from which two values are close, or near."""

    close: Share
    near: Share


class Weights(_Frozen):
    """What title and artist add to the confidence of a fuzzy match; together 1."""

    title: Share
    artist: Share


class Blocking(_Frozen):
    """Bounds of the search for candidates."""

    document_frequency: int = Field(gt=0)
    keys: int = Field(gt=0)
    postings: int = Field(gt=0)
    candidates: int = Field(gt=0)


class MatchingRules(_Frozen):
    """Thresholds and word lists of the matcher. `ruleset` identifies them together with the normaliser."""

    version: int
    matched: Share
    ambiguous: Share
    margin: Share
    drift: Share
    levels: Levels
    contradiction: Share
    weights: Weights
    without_artist: Share
    blocking: Blocking
    version_words: Words
    noise: Words
    featuring: Words
    # From the routing document: the confidence from which each tier pays, and which document says so.
    thresholds: dict[str, Share] = {}
    routing: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> MatchingRules:
        if not self.ambiguous < self.matched:
            raise ValueError(f"`ambiguous` ({self.ambiguous}) must be below `matched` ({self.matched})")
        if not self.contradiction <= self.levels.near < self.levels.close:
            raise ValueError("`contradiction`, `levels.near` and `levels.close` must rise in this order")
        if abs(self.weights.title + self.weights.artist - 1) > 1e-9:
            raise ValueError("`weights` must add up to 1")
        odd = [word for word in (*self.version_words, *self.noise, *self.featuring) if normalize(word) != word]
        if odd:
            raise ValueError(f"words must be written in their normal form: {', '.join(odd)}")
        return self

    @property
    def canonical(self) -> str:
        """The normaliser version and the rules as one text: what identifies them."""
        rules = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"{NORMALIZER_VERSION}|{rules}"

    @property
    def ruleset(self) -> str:
        """First 16 hex digits of SHA-256 over the canonical text."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:16]


def load_rules(path: Path) -> MatchingRules:
    """The rules in a YAML file. Raises Misuse, naming file and key."""
    try:
        return MatchingRules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise Misuse(f"{path}: cannot be read ({error.strerror}). Matching needs its rules; see conf/matching.yaml.") from None
    except yaml.YAMLError as error:
        raise Misuse(f"{path}: not valid YAML: {error}") from None
    except ValidationError as error:
        raise Misuse(f"{path}: {told(error, 'document')}") from None
