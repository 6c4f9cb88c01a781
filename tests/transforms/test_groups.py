"""Which reports count, what makes a group, and which holds are open."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.tables import gold, silver
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


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


def test_days_are_told_apart_only_where_the_book_asks_and_gross_is_what_was_paid_where_a_line_has_none(
    spark: SparkSession,
) -> None:
    from lakehouse.transforms.groups import group_usage

    def line(no: int, day: int, gross: str | None, **changes: Any) -> dict[str, Any]:
        return {
            **DIMENSIONS,
            "line_no": no,
            "units": "10",
            "amount": "1",
            "sale_date": date(2026, 3, day),
            "gross": gross,
            **changes,
        }

    lines = [line(1, 1, "3"), line(2, 1, None), line(3, 2, "5"), line(4, 1, None, territory="FR")]
    usage, none = frame(spark, silver.usage, lines), frame(spark, "file_id string", [])
    told = {(g["territory"], g["sale_date"], g["usage_lines"], g["gross"]) for g in dicts(group_usage(usage, none))}
    assert told == {("DE", None, 3, Decimal(9)), ("FR", None, 1, None)}  # 3 + 1 + 5
    told = {(g["territory"], g["sale_date"], g["usage_lines"], g["gross"]) for g in dicts(group_usage(usage, none, by_day=True))}
    assert told == {
        ("DE", date(2026, 3, 1), 2, Decimal(4)), ("DE", date(2026, 3, 2), 1, Decimal(5)), ("FR", date(2026, 3, 1), 1, None)
    }  # fmt: skip


def test_the_release_is_the_one_reported_else_the_only_one_of_the_recording(spark: SparkSession) -> None:
    from lakehouse.transforms.groups import join_recordings

    one, two = "00036000291452", "00036000291453"
    catalog = [
        {"recording_id": "R-1", "upc": two, "artist": "A", "release_type": "EP"},
        {"recording_id": "R-1", "upc": one, "artist": "A", "release_type": "Album", "catalog_group": "classics"},
        {"recording_id": "R-2", "upc": one, "artist": "B", "release_type": "Album"},
        {"recording_id": "R-3", "upc": "", "artist": "C", "release_type": "Single"},
    ]
    asked = {
        "reported": ("R-1", one), "one-of-two": ("R-1", None), "the-only-one": ("R-2", None), "not-in-the-catalog": ("R-2", two),
        "no-release": ("R-3", None),
    }  # fmt: skip
    groups = [{**DIMENSIONS, "usage_key": digest(name), "upc": upc} for name, (_, upc) in asked.items()]
    matches = [
        {"usage_key": digest(name), "reconciliation_status": "MATCHED", "recording_id": recording}
        for name, (recording, _) in asked.items()
    ]
    columns = ", ".join(f"{field.name} {field.type}" for field in gold.GROUP_FIELDS)
    found = join_recordings(
        frame(spark, columns, groups), frame(spark, silver.matches, matches), frame(spark, silver.catalog, catalog)
    )
    told = {row["usage_key"]: (row["release"], row["release_type"], row["catalog_group"]) for row in dicts(found)}
    assert {name: told[digest(name)] for name in asked} == {
        "reported": (one, "Album", "classics"),
        "one-of-two": (None, None, None),  # nothing is guessed
        "the-only-one": (one, "Album", None),
        "not-in-the-catalog": (two, None, None),
        "no-release": (None, "Single", None),
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
