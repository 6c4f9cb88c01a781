"""Drift of the catalog since the books were closed, the published lines that it moves, and what reports say otherwise than the catalog. No JVM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakehouse.model.book import ContractBook
from lakehouse.model.vocabulary import OF_WORK, PAID
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, ops, silver
from lakehouse.tables.gold import UNMATCHED
from lakehouse.views.review import newest_decisions

# Lines of these recordings, and with works those that are paid on one.
_CONCERNED = f"(list_contains(?, recording_id) OR (? AND starts_with(recording_id, '{OF_WORK}')))"
# What the contract of a line, and what it pays, depend on beside the line itself.
_RELEASE = ("release", "release_type", "catalog_group")
_NOT_DISMISSED = {"dismissed_by": None, "dismissed_at": None, "because": None}


def drift(reader: LakeReader, period: str | None = None, *, dismissed: bool = False) -> list[dict[str, Any]]:
    """Every event that somebody may have to act on: {origin, event_id, kind, recording_id, field, old, new, catalog_version, period, source, usage_key}.

    Those of the `catalog` come first; then what a `report` said, as long as the catalog says `old` and nobody has dismissed it: in which period's
    run it was seen, and where. With `period`, of the catalog those that a run of that period acts on, and of the reports those seen up to it.
    With `dismissed` also those that people have dismissed, and of each event {dismissed_by, dismissed_at, because}, empty where it stands.
    """
    nowhere = {"period": None, "source": None, "usage_key": None}
    found = [{"origin": "catalog", **event, **nowhere} for event in catalog_drift(reader, period)]
    decided = dismissals(reader)
    for event in _reported(reader, period):
        stands = event.pop("stands")
        wanted = dismissed if event["event_id"] in decided else stands
        if wanted:
            found.append(event)
    return [{**event, **decided.get(event["event_id"], _NOT_DISMISSED)} for event in found] if dismissed else found


def dismissals(reader: LakeReader) -> dict[str, dict[str, Any]]:
    """event_id: who dismissed it, when, and why: {dismissed_by, dismissed_at, because}."""
    # A lake made by an earlier version has no such table.
    if not reader.exists(ops.drift_dismissals.name):
        return {}
    return {
        row["event_id"]: {"dismissed_by": row["dismissed_by"], "dismissed_at": row["dismissed_at"].isoformat(timespec="seconds"), "because": row["reason"]}
        for row in reader.sql(f"SELECT * FROM {reader.relation(ops.drift_dismissals.name)}")
    }  # fmt: skip


def _reported(reader: LakeReader, period: str | None) -> list[dict[str, Any]]:
    """The events of reports, each with whether it `stands`: whether the catalog still says `old`."""
    if not reader.exists(silver.reported_drift.name):
        return []
    columns = ("event_id", "kind", "recording_id", "field", "old", "new", "catalog_version", "period", "source", "usage_key")
    says = "CASE e.field WHEN 'title' THEN c.title WHEN 'artist' THEN c.artist ELSE c.label END"
    return reader.sql(
        f"""SELECT 'report' AS origin, {", ".join(columns)}, EXISTS (
                SELECT 1 FROM {reader.relation(silver.catalog.name)} c WHERE c.recording_id = e.recording_id AND {says} = e.old) AS stands
            FROM {reader.relation(silver.reported_drift.name)} e WHERE ? IS NULL OR period <= ?
            ORDER BY period, kind, recording_id, field, old, new""",
        [period, period],
    )


def catalog_drift(reader: LakeReader, period: str | None = None) -> list[dict[str, Any]]:
    """The events of the catalog that are not yet in closed books, the oldest first; with `period`, those that a run of that period acts on.

    They alone move published lines: what a report says is decided in the run of that report.
    """
    rows: list[dict[str, Any]] = reader.sql(
        f"""SELECT event_id, kind, recording_id, field, old, new, catalog_version FROM {reader.relation(silver.drift_events.name)}
            WHERE catalog_version > ? ORDER BY catalog_version, kind, recording_id, field, old, new""",
        [_closed_version(reader, period)],
    )
    return rows


def _closed_version(reader: LakeReader, period: str | None) -> int:
    """The catalog behind the newest books that were closed before `period`, by default behind the newest of all; 0 where none are."""
    rows = reader.sql(
        f"SELECT pins FROM {reader.relation(gold.periods.name)} WHERE ? IS NULL OR period < ? ORDER BY period DESC LIMIT 1",
        [period, period],
    )
    return int(dict(rows[0]["pins"])[silver.catalog.name]) if rows else 0


def _drifted(reader: LakeReader, period: str, pooled: bool) -> list[str]:
    """The recordings that have drifted, and with `pooled` what stands in place of one on the lines of fallback pools."""
    return sorted({event["recording_id"] for event in catalog_drift(reader, period)} | ({UNMATCHED} if pooled else set()))


def touched_keys(reader: LakeReader, period: str, pooled: bool = False, works: bool = False) -> list[str]:
    """The usage keys that closed books pay to a recording that has drifted since, to a pool, or on a work: they are decided again."""
    recordings = _drifted(reader, period, pooled)
    if not recordings and not works:
        return []
    rows = reader.sql(
        f"SELECT DISTINCT usage_key FROM {_standing(reader, period)} WHERE {_CONCERNED} ORDER BY 1",
        [recordings, works],
    )
    return [row["usage_key"] for row in rows]


def _standing(reader: LakeReader, period: str) -> str:
    """A query for the lines of closed books that nothing has reversed."""
    lines = reader.relation(gold.royalty_lines.name)
    closed = f"(SELECT period FROM {reader.relation(gold.periods.name)} WHERE period < '{period}')"
    return f"""(
        SELECT * FROM {lines} WHERE kind = 'royalty' AND period IN {closed} AND line_id NOT IN (
            SELECT reverses FROM {lines} WHERE kind = 'reversal' AND period IN {closed}))"""


def lines_to_correct(
    reader: LakeReader, period: str, ruleset: str, book: ContractBook, pooled: bool = False, works: bool = False
) -> list[str]:
    """line_id of every published line of a drifted recording that today's decision and contract give to somebody else.

    Another recording, no recording, another contract or version of it, or another release where terms tell releases apart. What comes to
    the same is left as it is. What a pool was paid, or on a work, stays there until the recording is known.
    """
    recordings = _drifted(reader, period, pooled)
    if not recordings and not works:
        return []
    catalog = reader.relation(silver.catalog.name)
    rows = reader.sql(
        f"""
        SELECT l.line_id, l.recording_id, l.contract_id, l.contract_version, l.usage_period, l.upc, l.release, l.release_type, l.catalog_group,
               d.reconciliation_status AS status, d.recording_id AS found, r.releases
        FROM {_standing(reader, period)} l LEFT JOIN {newest_decisions(reader, ruleset)} d USING (usage_key)
        LEFT JOIN (SELECT recording_id, list({{'upc': upc, 'artist': artist, 'label': label, 'release_type': release_type,
            'catalog_group': catalog_group}} ORDER BY upc, artist, label, release_type, catalog_group) AS releases FROM {catalog} GROUP BY 1) r
            ON r.recording_id = d.recording_id
        WHERE {_CONCERNED.replace("recording_id", "l.recording_id")} ORDER BY l.line_id
        """,
        [recordings, works],
    )
    return [row["line_id"] for row in rows if _moves(row, book)]


def _moves(line: Mapping[str, Any], book: ContractBook) -> bool:
    if line["recording_id"] == UNMATCHED or line["recording_id"].startswith(OF_WORK):
        return line["status"] in PAID
    if line["status"] not in PAID or line["found"] != line["recording_id"]:
        return True
    releases = line["releases"] or []
    if not releases:
        return True
    on = next((one for one in releases if one["upc"] == line["upc"]), None)
    if line["upc"] is None and len(releases) == 1:
        on = releases[0]
    told = {
        "release": line["upc"] or (on["upc"] or None if on else None),
        "release_type": on["release_type"] if on else None,
        "catalog_group": on["catalog_group"] if on else None,
    }
    contract = book.in_force(line["found"], releases[0]["artist"], releases[0]["label"], line["usage_period"], told["release"])
    owed = (contract.contract, contract.version) if contract else None
    return owed != (line["contract_id"], line["contract_version"]) or any(told[name] != line[name] for name in _RELEASE)
