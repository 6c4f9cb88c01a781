"""Which reports count, what makes a group, and which holds are open."""

from __future__ import annotations

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
