"""Who took part in a recording, as what: by the role of the message, and by the classes in which a catalog speaks of them. No JVM."""

from __future__ import annotations

from typing import Any

from lakehouse.errors import Misuse
from lakehouse.sources.ern_roles import classes_of
from lakehouse.store.reader import LakeReader
from lakehouse.tables import silver


def contributors(reader: LakeReader, recording_id: str | None = None) -> list[dict[str, Any]]:
    """{recording_id, party, name, kind, role, classes} of everyone whom DDEX ERN messages name on a recording, by default on all of them.

    `classes` are those of `lakehouse.sources.ern_roles.CLASSES`. Raises Misuse for a recording that no message speaks of.
    """
    rows = reader.sql(
        f"""SELECT c.recording_id, c.party, coalesce(p.name, c.party) AS name, c.kind, c.role
            FROM {reader.relation(silver.contributors.name)} c LEFT JOIN {reader.relation(silver.parties.name)} p USING (party)
            WHERE $recording IS NULL OR c.recording_id = $recording ORDER BY ALL""",
        {"recording": recording_id},
    )
    if recording_id is not None and not rows:
        raise Misuse(
            f"No message names anyone on {recording_id!r}. `lakehouse catalog contributors` lists everyone on every recording."
        )
    return [{**row, "classes": list(classes_of(row["role"]))} for row in rows]
