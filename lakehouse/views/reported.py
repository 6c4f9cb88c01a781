"""Keys that an identifier or an alias has matched, and whose reports call the recording otherwise than the catalog. No JVM.

The evidence of a decision says which these are, but for the label, of which it has none, and for an alias, whose evidence is a person's word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from lakehouse.model.reported_drift import REPORTED
from lakehouse.model.vocabulary import PAID
from lakehouse.store.reader import LakeReader
from lakehouse.tables import silver

_SAID = ", ".join(f"min({name}) AS {name}" for name in ("source", *REPORTED))


def differing_keys(
    reader: LakeReader, period: str, ruleset: str, catalog_version: int, identified: Iterable[str]
) -> list[dict[str, Any]]:
    """[usage_key, recording_id, source, title, artist, label] of the period's decisions in the tiers `identified` that may differ from the catalog."""
    matches = reader.relation(silver.matches.name, where={"period": period})
    decided = f"""
        SELECT usage_key, recording_id, tier = 'alias' OR len(list_filter(evidence, lambda one:
                (one.field IN ('title', 'artist') AND one.level NOT IN ('exact', 'null'))
                OR (one.field = 'version' AND one.usage IS NOT NULL AND one.usage IS DISTINCT FROM one.catalog))) > 0 AS differs
        FROM {matches} WHERE ruleset = ? AND catalog_version = ? AND list_contains(?, tier) AND list_contains(?, reconciliation_status)
        QUALIFY row_number() OVER (PARTITION BY usage_key ORDER BY review_no DESC) = 1"""
    rows = reader.sql(
        f"""
        WITH decided AS ({decided}),
        said AS (
            SELECT usage_key, {_SAID} FROM {reader.relation(silver.usage.name, where={"period": period})}
            WHERE usage_key IN (SELECT usage_key FROM decided) GROUP BY 1),
        labels AS (
            SELECT recording_id, list(DISTINCT lower(label)) AS labels FROM {reader.relation(silver.catalog.name, catalog_version)}
            WHERE label <> '' GROUP BY 1)
        SELECT usage_key, d.recording_id, s.* EXCLUDE (usage_key) FROM decided d LEFT JOIN said s USING (usage_key) LEFT JOIN labels l USING (recording_id)
        WHERE differs OR (s.label <> '' AND NOT list_contains(l.labels, lower(s.label))) ORDER BY usage_key
        """,
        [ruleset, catalog_version, sorted(identified), list(PAID)],
    )
    return [*(row for row in rows if row["source"]), *_said_before(reader, period, [row for row in rows if not row["source"]])]


def _said_before(reader: LakeReader, period: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same of keys that were held, of whose usage the period itself has none."""
    if not rows:
        return []
    recordings = {row["usage_key"]: row["recording_id"] for row in rows}
    said = reader.sql(
        f"""SELECT usage_key, {_SAID} FROM {reader.relation(silver.usage.name)}
            WHERE period < ? AND list_contains(?, usage_key) GROUP BY 1 ORDER BY 1""",
        [period, sorted(recordings)],
    )
    return [{**row, "recording_id": recordings[row["usage_key"]]} for row in said]


def releases_of(reader: LakeReader, recordings: Iterable[str], catalog_version: int) -> dict[str, list[dict[str, Any]]]:
    """Recording: what the catalog says of it, by its releases in order of UPC."""
    rows = reader.sql(
        f"""SELECT recording_id, {", ".join(REPORTED)} FROM {reader.relation(silver.catalog.name, catalog_version)}
            WHERE list_contains(?, recording_id) ORDER BY recording_id, upc""",
        [sorted(set(recordings))],
    )
    found = defaultdict(list)
    for row in rows:
        found[row.pop("recording_id")].append(row)
    return found
