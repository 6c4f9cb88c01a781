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
from lakehouse.model.linkage.levels import COMPARISONS, PLACE
from lakehouse.model.linkage.rules import LinkageRules
from lakehouse.model.normalize import NORMALIZER_VERSION
from lakehouse.model.plain_yaml import read_yaml

Share = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Budget(_Frozen):
    """How much a usage key may look up: block keys, and recordings that they bring in together."""

    keys: int = Field(gt=0)
    postings: int = Field(gt=0)


class Blocking(_Frozen):
    """Bounds of the search for candidates."""

    document_frequency: int = Field(gt=0)
    first: Budget
    good: int = Field(ge=0, le=2000)
    again: Budget
    alike: int = Field(ge=0, le=2000)
    behind: int = Field(ge=0, le=2000)
    candidates: int = Field(gt=0)
    alone: int = Field(gt=0)

    @model_validator(mode="after")
    def _widening(self) -> Blocking:
        if self.again.keys < self.first.keys or self.again.postings < self.first.postings:
            raise ValueError("`again` must allow at least what `first` does: it takes the place of the first search")
        return self


class MatchingRules(_Frozen):
    """What only the lake has, on top of the rules of linking. `ruleset` identifies both together with the normaliser."""

    version: int
    review: Share
    rivals: Share
    drift: Share
    contradicted: str
    agrees: str
    without_artist: Share
    blocking: Blocking
    linkage: LinkageRules
    # From the routing document: the confidence from which each tier pays, and which document says so.
    thresholds: dict[str, Share] = {}
    routing: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> MatchingRules:
        known = COMPARISONS[PLACE["title"]].levels
        for name in ("contradicted", "agrees"):
            if getattr(self, name) not in known:
                raise ValueError(f"`{name}` must be a level of a text: {', '.join(known)}")
        return self

    @property
    def doubted(self) -> int:
        """The best level at which a title contradicts its identifier."""
        return COMPARISONS[PLACE["title"]].levels.index(self.contradicted)

    @property
    def confirmed(self) -> int:
        """The worst level at which an artist confirms an identifier."""
        return COMPARISONS[PLACE["artist"]].levels.index(self.agrees)

    @property
    def canonical(self) -> str:
        """The normaliser version and the rules as one text: what identifies them."""
        rules = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"{NORMALIZER_VERSION}|{rules}"

    @property
    def ruleset(self) -> str:
        """First 16 hex digits of SHA-256 over the canonical text."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:16]


def load_rules(path: Path, linkage: LinkageRules) -> MatchingRules:
    """The rules in a YAML file, on top of those of linking. Raises Misuse, naming file and key."""
    try:
        return MatchingRules.model_validate({**read_yaml(path.read_text(encoding="utf-8")), "linkage": linkage})
    except OSError as error:
        raise Misuse(f"{path}: cannot be read ({error.strerror}). Matching needs its rules; see conf/matching.yaml.") from None
    except yaml.YAMLError as error:
        raise Misuse(f"{path}: not valid YAML: {error}") from None
    except ValidationError as error:
        raise Misuse(f"{path}: {told(error, 'document')}") from None
