"""What a report says against the catalog (R-16): a difference in the matcher's normal forms is one event; a way of writing is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.model.linkage.rules import load_linkage
from lakehouse.model.linkage.titles import TitleReader
from lakehouse.model.reported_drift import reported_drift

_RULES = load_linkage(Path(__file__).parents[2] / "conf" / "linkage.yaml")
_TITLES = TitleReader(_RULES.versions, _RULES.noise, _RULES.featuring)
_CATALOG = {
    "R-1": [
        {"title": "Night Ferry", "artist": "Mara Okafor", "label": "Kitetail"},
        {"title": "Night Ferry (Live)", "artist": "Mara Okafor", "label": "Kitetail"},
    ]
}


def events(*said: dict[str, Any], catalog: dict[str, list[dict[str, Any]]] = _CATALOG) -> list[dict[str, Any]]:
    usual = {"recording_id": "R-1", "source": "fuga", "title": "Night Ferry", "artist": "Mara Okafor", "label": None}
    rows = [{"usage_key": f"key-{place}", **usual, **one} for place, one in enumerate(said)]
    return reported_drift(rows, catalog, _TITLES, lambda text: (text or "").casefold() in ("", "unknown artist"))


def told(found: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(event["kind"], event["field"], event["old"], event["new"]) for event in found]


def test_each_field_makes_an_event_of_its_kind_with_the_old_and_the_new_value() -> None:
    found = events({"title": "Night Fairy", "artist": "Ibo Lark", "label": "Harbour Music"})
    assert told(found) == [
        ("ALIAS_UPDATE", "artist", "Mara Okafor", "Ibo Lark"),
        ("RIGHTS_REASSIGNMENT", "label", "Kitetail", "Harbour Music"),
        ("TITLE_CORRECTION", "title", "Night Ferry", "Night Fairy"),
    ]
    assert {(event["recording_id"], event["source"], event["usage_key"]) for event in found} == {("R-1", "fuga", "key-0")}


@pytest.mark.parametrize(
    "said",
    [
        {"title": "NIGHT FERRY"},
        {"title": "Night-Ferry!"},
        {"title": "Níght Ferry"},
        {"title": "Night Ferry (feat. Ibo Lark)"},
        {"title": "Night Ferry (Live)"},  # as on its second release
        {"title": None, "artist": None},
        {"artist": "MÁRA OKAFOR"},
        {"artist": "Okafor, Mara"},
        {"artist": "Mara Okafor feat. Ibo Lark"},
        {"artist": "Unknown Artist"},
        {"label": "Kitetail Records"},
    ],
)
def test_a_way_of_writing_is_no_drift(said: dict[str, Any]) -> None:
    assert events(said) == []


def test_a_version_word_that_the_catalog_lacks_is_drift_and_one_left_out_is_not() -> None:
    assert told(events({"title": "Night Ferry (Karaoke)"})) == [
        ("TITLE_CORRECTION", "title", "Night Ferry", "Night Ferry (Karaoke)")
    ]
    live = {"R-1": [{"title": "Night Ferry (Live)", "artist": "Mara Okafor", "label": None}]}
    assert events({"label": "Anybody"}, catalog=live) == []


def test_one_difference_is_one_event_however_many_keys_and_spellings_say_it() -> None:
    found = events({"title": "Night Fairy"}, {"title": "NIGHT FAIRY", "source": "believe"}, {"title": "Night Fairy (feat. X)"})
    assert [(event["new"], event["source"], event["usage_key"]) for event in found] == [("Night Fairy", "believe", "key-0")]


def test_a_catalog_that_says_something_else_makes_it_another_event() -> None:
    other = {"R-1": [{"title": "Night Boat", "artist": "Mara Okafor", "label": None}]}
    before, after = events({"title": "Night Fairy"}), events({"title": "Night Fairy"}, catalog=other)
    assert before[0]["event_id"] != after[0]["event_id"]
    assert told(after) == [("TITLE_CORRECTION", "title", "Night Boat", "Night Fairy")]
