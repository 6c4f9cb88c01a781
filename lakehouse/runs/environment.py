"""What a process works with: the lake, its settings, its rules, and Spark when that is needed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Misuse
from lakehouse.model.book import ContractBook
from lakehouse.model.channels import Channels, load_channels
from lakehouse.model.lint import read_book
from lakehouse.model.routing import Ruleset, read_ruleset, ruleset_sha256
from lakehouse.place import Place
from lakehouse.settings import Settings, conf_dir, load_settings
from lakehouse.sources.recognise import Dialects, load_dialects
from lakehouse.store.landing import Landing
from lakehouse.store.reader import LakeReader
from lakehouse.views.common import closed_periods

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.model.matching import MatchingRules
    from lakehouse.store.delta import DeltaStore


@dataclass(frozen=True)
class Environment:
    """One lake as this process sees it. Everything heavy is made on first use."""

    settings: Settings
    # The routing document to work under in place of conf/routing.yaml.
    ruleset_text: str | None = None

    @cached_property
    def place(self) -> Place:
        return Place.of(self.settings)

    @property
    def root(self) -> str:
        return self.place.root

    @property
    def reader(self) -> LakeReader:
        """A reader of the lake as it is now. Each has its own view of the newest versions."""
        return LakeReader(self.place)

    @cached_property
    def landing(self) -> Landing:
        return Landing(self.place)

    @cached_property
    def dialects(self) -> Dialects:
        own = [self.settings.sources] if self.settings.sources else []
        return load_dialects([conf_dir() / "sources", *own])

    @cached_property
    def dialects_sha256(self) -> str:
        """SHA-256 over every dialect that is known."""
        known = sorted(f"{name} {dialect.sha256}" for name, dialect in self.dialects.by_id.items())
        return hashlib.sha256("\n".join(known).encode()).hexdigest()

    @cached_property
    def rules(self) -> MatchingRules:
        from lakehouse.model.linkage.rules import load_linkage
        from lakehouse.model.matching import load_rules

        thresholds, routing = self.routing.thresholds, ruleset_sha256(self.routing_text)
        rules = load_rules(conf_dir() / "matching.yaml", load_linkage(conf_dir() / "linkage.yaml"))
        return rules.model_copy(update={"thresholds": thresholds, "routing": routing})

    @property
    def rules_sha256(self) -> str:
        """What a publication says of the rules it was computed by: matching, routing, every dialect, and how services are compared."""
        return hashlib.sha256(f"{self.rules.ruleset} {self.dialects_sha256} {self.channels.sha256}".encode()).hexdigest()

    @cached_property
    def routing_text(self) -> str:
        """The routing document as it is written. Raises Misuse where there is none."""
        if self.ruleset_text is not None:
            return self.ruleset_text
        file = conf_dir() / "routing.yaml"
        try:
            return file.read_text(encoding="utf-8")
        except OSError as error:
            raise Misuse(f"{file}: cannot be read ({error.strerror}). Routing needs its rules; see conf/routing.yaml.") from None

    @cached_property
    def routing(self) -> Ruleset:
        return read_ruleset(self.routing_text)

    @cached_property
    def channels(self) -> Channels:
        return load_channels(conf_dir() / "channels.yaml")

    @cached_property
    def spark(self) -> SparkSession:
        from lakehouse.session import start_session

        return start_session(self.settings)

    @cached_property
    def store(self) -> DeltaStore:
        from lakehouse.store.delta import DeltaStore

        return DeltaStore(self.spark, self.place)

    def under(self, **settings: Any) -> Environment:
        """The same lake under other settings."""
        return Environment(
            load_settings(**{**self.settings.model_dump(by_alias=True, exclude_unset=True), **settings}), self.ruleset_text
        )

    def under_ruleset(self, given: str) -> Environment:
        """The same lake under another routing document: a version that it has used, or a file. Raises Misuse where there is none."""
        from lakehouse.views.routing import stored_ruleset

        if given.isdecimal():
            return replace(self, ruleset_text=stored_ruleset(self.reader, int(given))[1])
        try:
            text = Path(given).read_text(encoding="utf-8")
        except OSError as error:
            raise Misuse(
                f"{given}: cannot be read ({error.strerror}). Give a routing document, or a version that this lake has used."
            ) from None
        read_ruleset(text, given)
        return replace(self, ruleset_text=text)

    def closed_periods(self) -> list[str]:
        """The periods that are published, oldest first."""
        return closed_periods(self.reader)

    def book(self, version: int | None = None) -> ContractBook:
        """The contract book at a Delta version of silver.contracts, by default the newest. Raises Misuse where it is broken."""
        reader = self.reader
        rows = reader.sql(f"SELECT file, text FROM {reader.relation('silver.contracts', version)}")
        book, findings = read_book({row["file"]: row["text"] for row in rows})
        if errors := [str(finding) for finding in findings if finding.severity == "error"]:
            raise Misuse("The contract book cannot be used: " + "; ".join(errors))
        return book
