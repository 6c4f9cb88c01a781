"""What has changed in what the catalog says of a recording: typed events with the old and the new value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

# Which field of the catalog makes which kind of event.
KINDS: Final = {
    "title": "TITLE_CORRECTION",
    "artist": "ALIAS_UPDATE",
    "isrc": "ALIAS_UPDATE",
    "proprietary_ids": "ALIAS_UPDATE",
    "label": "RIGHTS_REASSIGNMENT",
    "catalog_group": "RIGHTS_REASSIGNMENT",
    "iswc": "RIGHTS_REASSIGNMENT",
}
DRIFT_KINDS: Final = tuple(dict.fromkeys(KINDS.values()))


def drift_events(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], catalog_version: int
) -> list[dict[str, Any]]:
    """The events between two states of silver.catalog: {event_id, kind, recording_id, field, old, new, catalog_version}, in that order.

    A recording on several releases that change alike makes one event. A recording, or a release of one, that is new or gone makes none:
    nothing was matched by what was not said. Values are text; several ids are joined by blanks.
    """
    known = {(row["recording_id"], row["upc"]): row for row in before}
    found = {
        (kind, row["recording_id"], field, old, new)
        for row in after
        if (was := known.get((row["recording_id"], row["upc"]))) is not None
        for field, kind in KINDS.items()
        if (old := _text(was[field])) != (new := _text(row[field]))
    }
    return [
        {
            "event_id": hashlib.sha256("\x1f".join([*(part or "\x00" for part in event), str(catalog_version)]).encode()).hexdigest(),
            **dict(zip(("kind", "recording_id", "field", "old", "new"), event, strict=True)),
            "catalog_version": catalog_version,
        }
        for event in sorted(found, key=lambda event: tuple(part or "" for part in event))
    ]  # fmt: skip


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return " ".join(sorted(value)) or None
    return value or None
