"""A report that names recordings by their ISRC and calls them otherwise than the catalog (R-16): events, once, that move no money by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.runs.admin import init_lake, load_catalog, load_contracts
from lakehouse.runs.close import close_period
from lakehouse.runs.dismiss_drift import dismiss_drift
from lakehouse.runs.period import run_period
from lakehouse.runs.review import Verdict, review
from lakehouse.views.drift import drift, lines_to_correct, touched_keys
from tests.support.golden import rows_of
from tests.support.lakes import JUNE, MAY, bank_report, commits, copy_of, environment, land

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JULY, MARA, IBO = "2026-07", "Mara Okafor", "Ibo Lark"
# A mixed ledger: two artists, one track sold twice in ways of writing that say the same.
LEDGER = (
    ((MARA, "Night Ferry", "QZMO12600001"), "6"),
    ((MARA.upper(), "Night Ferry (feat. Ibo Lark)", "QZMO12600001"), "1"),
    ((IBO, "Low Tide", "QZMO12600002"), "5"),
    ((MARA, "Harbour Lights", "QZMO12600003"), "4"),
    ((MARA, "Paper Kites", "QZMO12600004"), "3"),
    ((IBO, "Salt and Iron", "QZMO12600005"), "2"),
)
CHANGED = {
    "QZMO12600001": (MARA, "The Last Ferry"),
    "QZMO12600002": (IBO, "Low Tides"),
    "QZMO12600003": (MARA, "Harbour Lights II"),
    "QZMO12600005": ("Ibrahim Larkin", "Salt and Iron"),
}
EVENTS = [
    ("ALIAS_UPDATE", "R-5", "artist", IBO, "Ibrahim Larkin"),
    ("TITLE_CORRECTION", "R-1", "title", "Night Ferry", "The Last Ferry"),
    ("TITLE_CORRECTION", "R-2", "title", "Low Tide", "Low Tides"),
    ("TITLE_CORRECTION", "R-3", "title", "Harbour Lights", "Harbour Lights II"),
]


def told(events: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(event[name] for name in ("kind", "recording_id", "field", "old", "new")) for event in events]


def _report(folder: Path, period: str, changed: dict[str, tuple[str, str]]) -> Path:
    sales = [((*changed.get(isrc, (artist, title)), isrc), amount) for (artist, title, isrc), amount in LEDGER]
    file = folder / f"bank_{period}.tsv"
    file.write_text(bank_report(period, sales), encoding="utf-8")
    return file


def _catalog(folder: Path, name: str, rows: dict[str, tuple[str, str]]) -> Path:
    lines = [f"R-{isrc[-1]},{isrc},{title},{artist},Kitetail" for isrc, (artist, title) in rows.items()]
    file = folder / name
    file.write_text("recording_id,isrc,title,artist,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.mark.spark
def test_three_titles_and_one_artist_changed_in_a_copy_of_a_ledger_are_four_events_and_never_more(
    label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """R-16: May's ledger agrees with the catalog; June's copy of it has three titles and one artist changed; July's says the same again."""
    env = environment(tmp_path / "lake")
    init_lake(env)
    catalog = _catalog(tmp_path, "catalog.csv", {isrc: (artist, title) for (artist, title, isrc), _ in reversed(LEDGER)})
    load_catalog(env, [catalog])
    load_contracts(env, label / "contracts")
    land(env, _report(tmp_path, MAY, {}))
    run_period(env, MAY)
    assert drift(env.reader) == []
    close_period(env, MAY)
    land(env, _report(tmp_path, JUNE, CHANGED))
    run_period(env, JUNE)
    assert told(drift(env.reader)) == EVENTS
    assert {(e["origin"], e["source"], e["period"]) for e in drift(env.reader)} == {("report", "distrokid_13", JUNE)}
    before = commits(tmp_path / "lake")
    assert run_period(env, JUNE)["changed"] is False
    assert commits(tmp_path / "lake") == before
    # Everything is paid as decided in its own run: nothing is left for a backfill to do.
    close_period(env, JUNE)
    assert (touched_keys(env.reader, JULY), lines_to_correct(env.reader, JULY, env.rules.ruleset, env.book())) == ([], [])
    # Of another a person says that it is none, and is not told again when July's report says the same.
    dismiss_drift(env, drift(env.reader)[0]["event_id"], "Ibo's full name, as his label writes it", "Ada")
    land(env, _report(tmp_path, JULY, CHANGED))
    run_period(env, JULY)
    assert told(rows_of(env.reader, "silver.reported_drift", JULY)) == []
    assert told(drift(env.reader)) == EVENTS[1:]
    assert told(drift(env.reader, dismissed=True)) == EVENTS
    # A person takes one of them for a correction: the catalog says so now, and its own event takes the place of the report's.
    load_catalog(env, [_catalog(tmp_path, "correction.csv", {"QZMO12600002": (IBO, "Low Tides")})])
    found = [(event["origin"], *row) for event, row in zip(drift(env.reader), told(drift(env.reader)), strict=True)]
    assert found == [("catalog", *EVENTS[2]), *(("report", *EVENTS[place]) for place in (1, 3))]
    assert drift(env.reader, MAY) == [found_ for found_ in drift(env.reader, MAY) if found_["origin"] == "catalog"]


@pytest.mark.spark
@pytest.mark.drill
def test_a_key_that_a_person_has_said_what_it_is_makes_events_too(closed_lake: Path, tmp_path: Path, spark: SparkSession) -> None:
    """R-16 by an alias: the money of a title that nobody knows is Mara's, says Ada. The report's words stay a difference to the catalog."""
    env = environment(copy_of(closed_lake, tmp_path))
    file = tmp_path / "bank_2026-06.tsv"
    file.write_text(bank_report(JUNE, [((MARA, "Zanzibar Clockwork", "QZMO12600009"), "3")]), encoding="utf-8")
    land(env, file)
    run_period(env, JUNE)
    (key,) = {row["usage_key"] for row in rows_of(env.reader, "silver.matches", JUNE)}
    review(env, [Verdict(key, "R-1", "the label says so")], "Ada")
    run_period(env, JUNE)
    assert told(drift(env.reader)) == [("TITLE_CORRECTION", "R-1", "title", "Night Ferry", "Zanzibar Clockwork")]
