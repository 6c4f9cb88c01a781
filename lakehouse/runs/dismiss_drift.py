"""What a report calls otherwise than the catalog is dismissed by a person: the catalog is right. Nothing else changes. No JVM."""

from __future__ import annotations

import getpass
from datetime import datetime, timezone
from typing import Any

import lakehouse
from lakehouse.errors import Misuse
from lakehouse.runs.environment import Environment
from lakehouse.runs.given import the_one
from lakehouse.store.light import append_rows, create_tables
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ops, silver
from lakehouse.views.drift import dismissals

_HINT = "`lakehouse drift` lists those that stand."


def dismiss_drift(env: Environment, event: str, reason: str, by: str | None = None) -> dict[str, Any]:
    """Keeps that an event of a report is none: {event_id, kind, recording_id, field, old, new, dismissed_by, because}.

    `event` may be shortened to its first 8 digits. Raises Misuse for an event that there is not, that the catalog has made, or that is
    dismissed already.
    """
    reader, who, why = env.reader, by or getpass.getuser(), reason.strip()
    if not why:
        raise Misuse("Why? An event that is dismissed needs a --reason: it is kept for auditors.")
    found = _event(reader, event)
    event_id = found["event_id"]
    if found.pop("origin") == "catalog":
        raise Misuse(
            f"{event_id} is a change of the catalog itself: the next run corrects what it moves. Where the change was wrong, load the catalog as it was."
        )
    if (known := dismissals(reader).get(event_id)) is not None:
        raise Misuse(
            f"{event_id} was dismissed by {known['dismissed_by']} at {known['dismissed_at']}: {known['because']} `lakehouse drift --all` lists it."
        )
    create_tables(env.place, [ops.drift_dismissals])
    row = {"event_id": event_id, "reason": why, "dismissed_by": who, "dismissed_at": datetime.now(timezone.utc)}
    append_rows(env.place, ops.drift_dismissals, [row], {"job": "drift dismiss", "code_version": lakehouse.__version__})
    return {**found, "dismissed_by": who, "because": why}


def _event(reader: LakeReader, given: str) -> dict[str, Any]:
    """The one event of a report or of the catalog with this id, with its `origin`."""
    origins = {"report": silver.reported_drift, "catalog": silver.drift_events}
    of_both = " UNION ALL ".join(
        f"SELECT event_id, kind, recording_id, field, old, new, '{origin}' AS origin FROM {reader.relation(table.name)}"
        for origin, table in origins.items()
    )
    query = f"SELECT * FROM ({of_both}) WHERE starts_with(event_id, ?)"
    return the_one(reader, query, given, ("event of drift", "events of drift"), _HINT)
