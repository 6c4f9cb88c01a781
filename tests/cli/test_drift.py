"""`lakehouse drift` and `drift dismiss`: what stands, what a person has dismissed, and what cannot be; no JVM."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, routing  # noqa: F401  (importing it registers its commands)
from lakehouse.store.light import create_tables, replace_rows
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ops, silver
from tests.support.lake import append
from tests.support.lakes import JUNE, MAY, commits

LAST_FERRY, HARBOUR_LIGHTS, CORRECTED = (hashlib.sha256(text.encode()).hexdigest() for text in ("ferry", "harbour", "corrected"))
SHOWN = {"origin", "event_id", "kind", "recording_id", "field", "old", "new", "catalog_version", "period", "source", "usage_key"}


def event(event_id: str, recording: str, old: str, new: str, **more: Any) -> dict[str, Any]:
    kind = {"kind": "TITLE_CORRECTION", "recording_id": recording, "field": "title", "old": old, "new": new}
    return {"event_id": event_id, **kind, "catalog_version": 1, **more}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two reports call Mara's songs otherwise than the catalog, which has just corrected a third."""
    root = tmp_path / "lake"
    titles = {"R-1": "Night Ferry", "R-2": "Low Tides", "R-3": "Harbour Lights"}
    append(
        root,
        silver.catalog,
        [{"recording_id": r, "title": title, "artist": "Mara Okafor", "upc": ""} for r, title in titles.items()],
    )
    said = {"source": "distrokid_13", "usage_key": hashlib.sha256(b"key").hexdigest()}
    append(root, silver.reported_drift, [event(LAST_FERRY, "R-1", "Night Ferry", "The Last Ferry", period=MAY, **said)])
    append(
        root, silver.reported_drift, [event(HARBOUR_LIGHTS, "R-3", "Harbour Lights", "Harbour Lights II", period=JUNE, **said)]
    )
    append(root, silver.drift_events, [event(CORRECTED, "R-2", "Low Tide", "Low Tides")])
    create_tables(str(root))
    return root


def call(lake: Path, *arguments: object) -> tuple[int, Any]:
    result = CliRunner().invoke(app, [str(argument) for argument in (*arguments, "--root", lake, "--json")])
    return result.exit_code, json.loads(result.stdout, parse_float=pytest.fail)


def listed(lake: Path, *more: object) -> list[str]:
    code, events = call(lake, "drift", *more)
    assert code == 0
    assert all(event.keys() >= SHOWN for event in events)
    return [event["event_id"] for event in events]


def dismiss(lake: Path, event_id: str, *more: object) -> tuple[int, Any]:
    return call(lake, "drift", "dismiss", event_id, "--reason", "  a reissue, not ours ", "--by", "Ada", *more)


def test_an_event_that_a_person_dismisses_is_listed_with_who_and_why_and_only_when_asked_for(lake: Path) -> None:
    """R-16, closed by a person: the catalog stays as it is."""
    assert listed(lake) == [CORRECTED, LAST_FERRY, HARBOUR_LIGHTS]
    code, done = dismiss(lake, LAST_FERRY[:8])
    assert (code, done["event_id"], done["new"]) == (0, LAST_FERRY, "The Last Ferry")
    assert listed(lake) == [CORRECTED, HARBOUR_LIGHTS]
    assert listed(lake, "--period", MAY) == [CORRECTED]
    assert listed(lake, "--all") == [CORRECTED, LAST_FERRY, HARBOUR_LIGHTS]
    _, (_, ferry, harbour) = call(lake, "drift", "--all")
    assert (ferry["dismissed_by"], ferry["because"]) == ("Ada", "a reissue, not ours")
    assert ferry["dismissed_at"]
    assert (harbour["dismissed_by"], harbour["dismissed_at"], harbour["because"]) == (None, None, None)


def test_what_was_dismissed_is_still_told_when_the_catalog_has_changed_since(lake: Path) -> None:
    dismiss(lake, LAST_FERRY)
    renamed = {"recording_id": "R-1", "title": "Night Ferries", "artist": "Mara Okafor", "upc": ""}
    replace_rows(str(lake), silver.catalog, [renamed], {"job": "test"}, LakeReader(str(lake)).version(silver.catalog.name))
    assert listed(lake) == [CORRECTED]
    assert listed(lake, "--all") == [CORRECTED, LAST_FERRY]


@pytest.mark.parametrize(
    ("event_id", "sentence"),
    [
        ("0" * 64, "No event of drift begins with 0000.*`lakehouse drift` lists those that stand"),
        ("ferry", "'ferry' is no event of drift, nor its first 8 digits or more"),
        (CORRECTED, "is a change of the catalog itself: the next run corrects what it moves"),
        (HARBOUR_LIGHTS, f"{HARBOUR_LIGHTS} was dismissed by Ada at .*: a reissue, not ours `lakehouse drift --all` lists it"),
    ],
)
def test_what_cannot_be_dismissed_is_refused_with_a_sentence_and_writes_nothing(lake: Path, event_id: str, sentence: str) -> None:
    import re

    dismiss(lake, HARBOUR_LIGHTS)
    log = commits(lake)
    code, said = dismiss(lake, event_id)
    assert code == 2
    assert re.search(sentence, said["error"]), said
    assert commits(lake) == log


def test_a_dismissal_says_why(lake: Path) -> None:
    code, said = call(lake, "drift", "dismiss", LAST_FERRY, "--reason", " ")
    assert (code, said["error"].split("?")[0]) == (2, "Why")
    assert len(listed(lake)) == 3


def test_a_lake_of_an_earlier_version_gets_its_table_with_the_first_dismissal(lake: Path) -> None:
    shutil.rmtree(lake / ops.drift_dismissals.path)
    assert len(listed(lake, "--all")) == 3
    assert dismiss(lake, LAST_FERRY)[0] == 0
    assert len(listed(lake)) == 2


def test_people_read_the_ids_that_they_need_to_dismiss(lake: Path) -> None:
    result = CliRunner().invoke(app, ["drift", "--root", str(lake)])
    assert HARBOUR_LIGHTS[:12] in result.stdout
    assert HARBOUR_LIGHTS not in result.stdout
    result = CliRunner().invoke(
        app, ["drift", "dismiss", HARBOUR_LIGHTS, "--reason", "a reissue", "--by", "Ada", "--root", str(lake)]
    )
    assert "Harbour Lights II" in result.stdout
