"""Which reports count, what makes a group, and which holds are open."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.tables import bronze, gold, ops, silver
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def _file(name: str, key: str, version: int, minute: int, ok: bool = True, source: str = "believe") -> dict[str, Any]:
    control = {"name": "rows", "declared": "1", "found": "1" if ok else "2", "ok": ok}
    return {
        "file_id": name, "source": source, "report_key": key, "report_version": version, "controls": [control],
        "received_at": datetime(2026, 6, 1, 12, minute, tzinfo=timezone.utc),
    }  # fmt: skip


def test_the_latest_version_of_a_report_alone_counts(spark: SparkSession) -> None:
    from lakehouse.transforms.groups import superseded
    from lakehouse.transforms.held import held_files

    files = [
        _file("first", "A", 0, 1), _file("v2", "A", 2, 2), _file("v1-late", "A", 1, 3),  # the version decides, not the arrival
        _file("early", "B", 0, 1), _file("late", "B", 0, 2),  # of equal versions the later to arrive
        _file("alone", "C", 0, 1), _file("other-source", "C", 0, 2, source="fuga"),
        _file("good", "D", 0, 1), _file("broken", "D", 1, 2, ok=False),  # a restatement that contradicts itself replaces nothing
        _file("old", "E", 0, 1), _file("accepted", "E", 1, 2, ok=False),  # unless a person let it go on
        _file("whole", "F", 0, 1), _file("overfull", "F", 1, 2),  # nor does one of which too much is refused
        _file("past", "G", 0, 1), _file("mended", "G", 1, 2),  # unless that is no longer so
        _file("was", "H", 0, 1), _file("wanted", "H", 1, 2), _file("both", "H", 2, 3, ok=False),  # released for one cause of two
    ]  # fmt: skip
    holds = [
        {"file_id": file, "entry": entry}
        for file, entry in (("overfull", "hold"), ("mended", "hold"), ("mended", "clear"), ("wanted", "hold"), ("both", "hold"))
    ]
    causes = (("accepted", "controls"), ("wanted", "quarantine"), ("both", "controls"))
    releases = [{"file_id": file, "cause": cause} for file, cause in causes]
    reports, rows = (
        frame(spark, bronze.files, files),
        (frame(spark, ops.held_files, holds), frame(spark, ops.file_releases, releases)),
    )
    held = held_files(reports, *rows)
    assert {row["file_id"] for row in dicts(held)} == {"broken", "overfull", "both"}
    dead = {row["file_id"] for row in dicts(superseded(reports, held))}
    assert dead == {"first", "v1-late", "early", "old", "past", "was"}


def test_lines_that_agree_in_every_dimension_are_one_group(spark: SparkSession) -> None:
    from lakehouse.transforms.groups import group_usage

    def line(no: int, amount: str, **changes: Any) -> dict[str, Any]:
        return {**DIMENSIONS, "line_no": no, "units": "10", "amount": amount, **changes}

    lines = [
        line(1, "0.1"), line(2, "0.000000000000000001"),
        line(3, "5", territory="FR"), line(4, "7", price_category="premium"), line(5, "9", file_id=digest("DEAD")),
    ]  # fmt: skip
    found = dicts(group_usage(frame(spark, silver.usage, lines), frame(spark, "file_id string", [{"file_id": digest("DEAD")}])))
    assert {(g["territory"], g["price_category"], g["usage_lines"], g["units"], g["amount"]) for g in found} == {
        ("DE", None, 2, Decimal(20), Decimal("0.100000000000000001")),
        ("FR", None, 1, Decimal(10), Decimal(5)),
        ("DE", "premium", 1, Decimal(10), Decimal(7)),
    }


def test_a_hold_is_open_until_something_takes_it_away(spark: SparkSession) -> None:
    from lakehouse.transforms.groups import open_holds

    entries = [
        {"entry_id": "h1", "entry": "hold"}, {"entry_id": "h2", "entry": "hold"}, {"entry_id": "h3", "entry": "hold"},
        {"entry_id": "x1", "entry": "release", "releases": "h1"}, {"entry_id": "x2", "entry": "reversal", "releases": "h2"},
    ]  # fmt: skip
    assert [row["entry_id"] for row in dicts(open_holds(frame(spark, gold.holding, entries)))] == ["h3"]


def test_a_decision_holds_until_a_newer_catalog_under_the_same_rules(spark: SparkSession) -> None:
    from lakehouse.transforms.groups import join_recordings, latest_decisions

    def decision(key: str, catalog: int, status: str, recording: str | None = None, ruleset: str = "now") -> dict[str, Any]:
        return {
            "usage_key": digest(key), "catalog_version": catalog, "reconciliation_status": status, "recording_id": recording,
            "ruleset": ruleset,
        }  # fmt: skip

    matches = [
        decision("K1", 1, "UNCLAIMED"), decision("K1", 2, "MATCHED", "R-1"), decision("K1", 9, "MATCHED", "R-9"),
        decision("K2", 1, "MATCHED", "R-2", ruleset="before"),
    ]  # fmt: skip
    catalog = [
        {"recording_id": "R-1", "upc": "2", "artist": "Wrong", "label": "Wrong"},
        {"recording_id": "R-1", "upc": "1", "artist": "Mira Okoye", "label": "Kitetail"},
    ]
    groups = [{**DIMENSIONS, "usage_key": digest(key)} for key in ("K1", "K2")]
    decisions = latest_decisions(frame(spark, silver.matches, matches), "now", catalog_version=2)
    columns = ", ".join(f"{field.name} {field.type}" for field in gold.GROUP_FIELDS)
    found = dicts(join_recordings(frame(spark, columns, groups), decisions, frame(spark, silver.catalog, catalog)))
    assert {(g["usage_key"], g["reconciliation_status"], g["recording_id"], g["catalog_artist"]) for g in found} == {
        # the recording's first release in order of UPC stands for it
        (digest("K1"), "MATCHED", "R-1", "Mira Okoye"),
        (digest("K2"), "UNCLAIMED", None, None),
    }
