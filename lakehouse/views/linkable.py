"""The usage keys of a lake and its catalog as two tables that can be linked. No JVM."""

from __future__ import annotations

from typing import Final

from lakehouse.store.reader import LakeReader
from lakehouse.tables import silver

Row = dict[str, str | None]

_USAGE: Final = ("isrc", "upc", "title", "artist", "album", "label")
_CATALOG: Final = (*_USAGE, "duration", "year", "track_number")


def usage_and_catalog(reader: LakeReader) -> list[list[Row]]:
    """Every distinct usage key, by the least of what its lines say, and every recording on each of its releases: `id`, and the fields that either may say, as text."""
    least = ", ".join(f"min({name}) AS {name}" for name in _USAGE)
    told = ", ".join(f"nullif(CAST({name} AS VARCHAR), '') AS {name}" for name in _CATALOG)
    usage = reader.sql(
        f"SELECT usage_key AS id, {least} FROM {reader.relation(silver.usage.name)} GROUP BY usage_key ORDER BY id"
    )
    catalog = reader.sql(f"SELECT recording_id AS id, {told} FROM {reader.relation(silver.catalog.name)} ORDER BY ALL")
    return [[dict(row) for row in rows] for rows in (usage, catalog)]
