"""Conservation: each file's money, measured from both ends."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.tables import gold, ops, silver
from tests.support.frames import dicts, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
PLACES = ("revenue", "payable", "retained", "fees", "tax", "held", "quarantined", "difference")


def _row(file: str, amount: str | None, currency: str | None = "EUR", **more: Any) -> dict[str, Any]:
    return {"file_id": file, "source": "believe", "currency": currency, "amount": amount, **more}


def _conserved(spark: SparkSession, **given: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Decimal]]:
    from lakehouse.transforms.conserve import conserve

    tables = {
        "usage": silver.usage, "refused": ops.quarantine, "returned": ops.quarantine, "lines": gold.royalty_lines,
        "holding": gold.holding, "undone": gold.conservation,
    }  # fmt: skip
    frames = {name: frame(spark, table, given.get(name, [])) for name, table in tables.items()}
    found = dicts(conserve(**frames, period="2026-06"))
    return {(row["file_id"], row["currency"]): {place: row[place] for place in PLACES if row[place]} for row in found}


def test_money_is_found_in_every_place_it_can_be(spark: SparkSession) -> None:
    found = _conserved(
        spark,
        usage=[_row("F1", "90"), _row("F1", "7", "JPY"), _row("F2", "5")],
        refused=[_row("F1", "10"), _row("F1", None), _row("F1", "99", None)],  # money that cannot be read counts as nothing
        returned=[_row("F2", "5")],  # counted as revenue when it was refused
        lines=[
            _row("F1", "40", category="payable"), _row("F1", "25", category="retained"), _row("F1", "4", category="fee"),
            _row("F1", "1", category="tax"), _row("F1", "7", "JPY", category="payable"), _row("F2", "5", category="payable"),
            _row("F3", "-8", category="payable"),
        ],
        holding=[_row("F1", "30"), _row("F1", "-10"), _row("F3", "-2")],
        undone=[{"file_id": "F3", "source": "believe", "currency": "EUR", "revenue": "13", "quarantined": "3"}],
    )  # fmt: skip
    assert found == {
        # 90 + 10 = 40 + 25 + 4 + 1 + 20 + 10
        ("F1", "EUR"): {"revenue": 100, "payable": 40, "retained": 25, "fees": 4, "tax": 1, "held": 20, "quarantined": 10},
        ("F1", "JPY"): {"revenue": 7, "payable": 7},
        # 5 - 5 = 5 - 5
        ("F2", "EUR"): {"payable": 5, "quarantined": -5},
        # a replaced report: -13 = -8 - 2 - 3
        ("F3", "EUR"): {"revenue": -13, "payable": -8, "held": -2, "quarantined": -3},
    }


def test_money_that_is_lost_or_made_up_is_named_with_its_file(spark: SparkSession) -> None:
    from lakehouse.checks.totals import require_no_difference
    from lakehouse.errors import Findings
    from lakehouse.transforms.conserve import conserve

    def given(table: Any, rows: list[dict[str, Any]]) -> Any:
        return frame(spark, table, rows)

    conserved = conserve(
        usage=given(silver.usage, [_row("F1", "10")]), refused=given(ops.quarantine, []), returned=given(ops.quarantine, []),
        lines=given(gold.royalty_lines, [_row("F1", "9.999999999999999999", category="payable")]),
        holding=given(gold.holding, []), undone=given(gold.conservation, []), period="2026-06",
    )  # fmt: skip
    with pytest.raises(Findings, match=r"file F1 \(believe\), EUR: 0\.000000000000000001 of 10\.0+ unaccounted for"):
        require_no_difference(conserved)
