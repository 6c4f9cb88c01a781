"""Adjustments: spread to the last digit over the usage they concern, landed as a report, known by their id."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, work  # noqa: F401  (importing it registers its commands)
from lakehouse.model.money import add
from tests.support.reported import lake_with_reports

MAY = "2026-05"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Usage of May: 4, 6 and 0.50 USD or so, of one report."""
    return lake_with_reports(tmp_path / "lake")


def _call(lake: Path, *arguments: str) -> tuple[int, Any]:
    given = [
        "adjust",
        "--period",
        MAY,
        "--currency",
        "EUR",
        "--reason",
        "tax at source",
        *arguments,
        "--root",
        str(lake),
        "--json",
    ]
    result = CliRunner().invoke(app, given)
    return result.exit_code, json.loads(result.stdout, parse_float=pytest.fail)


def _landed(lake: Path, file_id: str) -> list[dict[str, str]]:
    receipt = json.loads((lake / "landing" / "receipts" / MAY / f"{file_id}.json").read_text())
    assert (receipt["source"], receipt["report_period"]) == ("adjustment", MAY)
    payload = (lake / "landing" / "files" / file_id).read_text(encoding="utf-8")
    return list(csv.DictReader(payload.splitlines()))


def test_an_adjustment_is_spread_over_the_lines_by_their_amounts(lake: Path) -> None:
    code, done = _call(lake, "--id", "TAX-1", "--amount", "-1.000000000000000001")
    assert (code, done["status"], done["base"]) == (0, "landed", "10.500000000000000000")
    rows = _landed(lake, done["file_id"])
    assert len(rows) == done["lines"]
    assert add(*(Decimal(row["amount"]) for row in rows)) == Decimal("-1.000000000000000001")
    # 0.5 of 10.5
    (french,) = [row for row in rows if row["territory"] == "FR"]
    assert abs(Decimal(french["amount"]) + Decimal(1) / 21) < Decimal("1e-17")
    assert {(row["kind"], row["id"], row["reason"]) for row in rows} == {("adjustment", "TAX-1", "tax at source")}


def test_the_same_adjustment_again_is_a_duplicate_and_another_is_not(lake: Path) -> None:
    first, again, other = (
        _call(lake, "--id", name, "--amount", amount)[1] for name, amount in (("A", "1"), ("A", "1.0"), ("A", "2"))
    )
    assert (again["status"], again["file_id"]) == ("duplicate", first["file_id"])
    assert (other["status"], other["file_id"] != first["file_id"]) == ("landed", True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--id", "A", "--amount", "1", "--currency", "JPY"], "The lake has no JPY usage of 2026-05 to spread 1 over"),
        (["--id", "A", "--amount", "1", "--report", "0123"], "no EUR usage of 2026-05 in the report 0123"),
        (["--id", "A B", "--amount", "1"], "'A B' is no id of an adjustment"),
        (["--id", "A", "--amount", "1,5"], "'1,5' is not an amount"),
    ],
)
def test_what_cannot_be_spread_is_misuse(lake: Path, arguments: list[str], message: str) -> None:
    code, said = _call(lake, *arguments)
    assert code == 2
    assert message in said["error"]
