"""What a contract names and the catalog does not have. Warnings only: a contract may come before its recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from lakehouse.model.contracts import Contract
from lakehouse.model.documents import Document, Finding

# The singular of what `covers` names, as conditions call it. A contract for works is for recordings that the catalog does not have.
_ONE_OF = {"recordings": "recording", "releases": "release", "artists": "artist", "labels": "label"}
_ASKED = ("recording", "release", "release_type", "catalog_group")


@dataclass(frozen=True)
class KnownNames:
    """Every value that the catalog has of what contracts name. `recording` holds ids and ISRCs."""

    recording: frozenset[str]
    release: frozenset[str]
    artist: frozenset[str]
    label: frozenset[str]
    release_type: frozenset[str]
    catalog_group: frozenset[str]

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> KnownNames:
        """The names in rows of silver.catalog."""
        columns = {"recording": ("recording_id", "isrc"), "release": ("upc",)}
        found: dict[str, set[str]] = {field.name: set() for field in fields(cls)}
        for row in rows:
            for name, values in found.items():
                values.update(value for column in columns.get(name, (name,)) if (value := row.get(column)))
        return cls(**{name: frozenset(values) for name, values in found.items()})


def not_in_the_catalog(document: Document, contract: Contract, known: KnownNames) -> Iterator[Finding]:
    """Of every name that the contract covers or asks for: whether the catalog has it."""
    named = [(("covers", kind), _ONE_OF[kind], value) for kind in _ONE_OF for value in getattr(contract.covers, kind)]
    for index, term in enumerate(contract.terms):
        named += [(("terms", index, "when"), kind, value) for kind in _ASKED for value in getattr(term.when, kind) or ()]  # type: ignore[misc]
    for path, kind, value in named:
        if value not in getattr(known, kind):
            yield document.finding(
                path, f"unknown-{kind.replace('_', '-')}", f"{value} is no {kind.replace('_', ' ')} of the catalog", "warn"
            )
