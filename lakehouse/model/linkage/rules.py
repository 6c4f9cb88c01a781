"""The rules of linking as a document: conf/linkage.yaml, checked and frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lakehouse.errors import Misuse
from lakehouse.model.documents import told
from lakehouse.model.linkage.titles import TitleReader
from lakehouse.model.linkage.weights import Model
from lakehouse.model.normalize import normalize
from lakehouse.model.plain_yaml import read_yaml

Share = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Blocking(_Frozen):
    """Bounds of the search: block keys that bring more pairs than `frequency` records make are not used; each record keeps its best
    candidates."""

    frequency: int = Field(gt=1)
    candidates: int = Field(gt=0)

    @property
    def pairs(self) -> int:
        """How many pairs a block key may bring."""
        return self.frequency * (self.frequency - 1) // 2


class Bands(_Frozen):
    """Confidence from which a pair is linked by itself, from which a person should look, and below which it is not told."""

    auto: Share
    review: Share
    told: Share

    @model_validator(mode="after")
    def _rise(self) -> Bands:
        if not self.told <= self.review <= self.auto:
            raise ValueError("`told`, `review` and `auto` must rise in this order")
        return self

    def of(self, confidence: float) -> str:
        return "auto" if confidence >= self.auto else "review" if confidence >= self.review else "reject"


class LinkageRules(_Frozen):
    """`exclusive`: where fewer of the linked records than this have two good partners in one source, a source holds each
    recording once, and partners compete. `columns`: under which other names tables have the standard ones."""

    version: int
    blocking: Blocking
    bands: Bands
    exclusive: Share
    columns: dict[str, tuple[str, ...]]
    versions: tuple[str, ...]
    noise: tuple[str, ...]
    featuring: tuple[str, ...]
    model: Model

    def titles(self) -> TitleReader:
        """A reader of titles and names by these words."""
        return TitleReader(self.versions, self.noise, self.featuring)

    @property
    def tags(self) -> frozenset[str]:
        """The words of what is noise, and those that a guest's name follows."""
        return frozenset(word for phrase in (*self.noise, *self.featuring) for word in phrase.split())

    @model_validator(mode="after")
    def _normal(self) -> LinkageRules:
        if odd := [word for word in (*self.versions, *self.noise, *self.featuring) if normalize(word) != word]:
            raise ValueError(f"words must be written in their normal form: {', '.join(odd)}")
        return self


def load_linkage(path: Path) -> LinkageRules:
    """The rules in a YAML file. Raises Misuse, naming file and key."""
    try:
        return LinkageRules.model_validate(read_yaml(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise Misuse(f"{path}: cannot be read: {error}") from None
    except ValidationError as error:
        raise Misuse(f"{path}: {told(error, 'document')}") from None
