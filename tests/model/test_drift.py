"""Drift of the catalog: each change a typed event with the old and the new value, once for all releases of a recording."""

from __future__ import annotations

from typing import Any

from lakehouse.model.drift import drift_events


def recording(recording_id: str, upc: str = "", **said: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("title", "artist", "isrc", "proprietary_ids", "label", "catalog_group", "iswc"))
    return {"recording_id": recording_id, "upc": upc, **empty, **said}


def told(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(event[name] for name in ("kind", "recording_id", "field", "old", "new")) for event in events]


def test_titles_artists_and_rights_make_events_of_their_kind() -> None:
    before = [
        recording("R1", "1", title="Kite", artist="Ana", label="North"),
        recording("R1", "2", title="Kite", artist="Ana", label="North"),
        recording("R2", title="Harbour", artist="Luna", proprietary_ids=["sp:1"]),
    ]
    after = [
        recording("R1", "1", title="Kites", artist="Ana", label="South"),
        recording("R1", "2", title="Kites", artist="Ana", label="South"),
        recording("R2", title="Harbour", artist="Luna Vale", proprietary_ids=["sp:2", "sp:1"]),
        recording("R3", title="New", artist="Nobody"),
    ]
    events = drift_events(before, after, 4)
    assert told(events) == [
        ("ALIAS_UPDATE", "R2", "artist", "Luna", "Luna Vale"),
        ("ALIAS_UPDATE", "R2", "proprietary_ids", "sp:1", "sp:1 sp:2"),
        ("RIGHTS_REASSIGNMENT", "R1", "label", "North", "South"),
        ("TITLE_CORRECTION", "R1", "title", "Kite", "Kites"),
    ]
    assert drift_events(before, after, 4) == events
    assert {e["event_id"] for e in events}.isdisjoint(e["event_id"] for e in drift_events(before, after, 5))


def test_the_same_catalog_drifts_nowhere_and_empty_is_as_good_as_missing() -> None:
    rows = [recording("R1", title="Kite", label=None, proprietary_ids=[])]
    assert drift_events(rows, [recording("R1", title="Kite", label="", proprietary_ids=None)], 2) == []
