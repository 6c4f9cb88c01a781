"""Which sources report each other's sales, and whose report is paid. The lists are in conf/channels.yaml."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from lakehouse.errors import Misuse
from lakehouse.model.documents import told
from lakehouse.model.plain_yaml import read_yaml


class Channels(BaseModel):
    """Dialect ids of services that report their own sales, and of aggregators that report those of several services."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    services: tuple[str, ...] = ()
    aggregators: tuple[str, ...] = ()
    paid: Literal["services", "aggregators"]

    @model_validator(mode="after")
    def _named_once(self) -> Channels:
        named = self.order
        if twice := sorted({source for source in named if named.count(source) > 1}):
            raise ValueError(f"{', '.join(twice)}: named twice")
        return self

    @property
    def order(self) -> tuple[str, ...]:
        """Every source that is named, those that are paid first."""
        return self.services + self.aggregators if self.paid == "services" else self.aggregators + self.services

    @property
    def canonical(self) -> str:
        """The document as one text: what identifies it."""
        return self.model_dump_json()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical.encode()).hexdigest()


def load_channels(path: Path) -> Channels:
    """The lists in a YAML file. Raises Misuse, naming file and key."""
    try:
        return Channels.model_validate(read_yaml(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise Misuse(f"{path}: cannot be read ({error.strerror}). It says which sources report the same sales.") from None
    except yaml.YAMLError as error:
        raise Misuse(f"{path}: not valid YAML: {error}") from None
    except ValidationError as error:
        raise Misuse(f"{path}: {told(error, 'document')}") from None
