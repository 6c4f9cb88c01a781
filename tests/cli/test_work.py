"""The shapes of commands that need Spark: run, close, release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, look, work  # noqa: F401  (importing them registers their commands)
from tests.support.lakes import MAY, copy_of, published_root

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def call(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in (*arguments, "--json")])


def test_a_run_reports_lines_matching_and_money_and_asks_to_act_on_a_held_file(
    drafted_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    result = call("run", "--period", MAY, "--root", copy_of(drafted_lake, tmp_path))
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    assert report.keys() >= {"period", "changed", "lines", "matching", "money", "statements"}
    assert report["lines"].keys() >= {"read", "accepted", "ignored", "quarantined"}
    assert report["matching"] == {"keys": 3, "matched": 2, "ambiguous": 0, "unclaimed": 1, "drift_flagged": 0}
    places = {"revenue", "payable", "retained", "fees", "tax", "held", "quarantined", "adjusted", "difference"}
    assert all(row.keys() == {"currency"} | places for row in report["money"])
    assert all(isinstance(row[place], str) for row in report["money"] for place in places)
    assert (report["changed"], report["statements"]) == (False, 2)
    assert [file["name"] for file in report["held_files"]] == ["itunes_jp.txt"]
    assert f"[1/5] ingest {MAY}" in result.stderr


def test_a_close_answers_the_same_twice_and_the_period_then_refuses_a_run(
    drafted_lake: Path, closed_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    result, again = (call("close", "--period", MAY, "--root", lake) for _ in range(2))
    assert (result.exit_code, again.exit_code) == (0, 0), result.output
    closed = json.loads(result.stdout)
    assert closed == json.loads(again.stdout)
    assert closed.keys() == {"period", "root", "rows", "totals", "delta_versions"}
    assert closed["root"] == published_root(closed_lake, MAY)
    assert closed["totals"] == {"USD": "7.580000000000000000"}
    assert closed["delta_versions"].keys() >= {"gold.royalty_lines", "gold.statements", "gold.ledger"}
    refused = call("run", "--period", MAY, "--root", lake)
    assert refused.exit_code == 1
    assert "is closed and refuses change" in json.loads(refused.stdout)["error"]


def test_a_line_that_is_still_wrong_is_not_released_and_says_why(drafted_lake: Path, tmp_path: Path, spark: SparkSession) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    (waiting,) = json.loads(call("quarantine", "list", "--root", lake).stdout)
    result = call("quarantine", "release", waiting["record_id"], "--reason", "try", "--root", lake)
    assert result.exit_code == 1, result.output
    (row,) = json.loads(result.stdout)
    assert (row["record_id"], row["status"], row["period"]) == (waiting["record_id"], "refused", None)
    assert row["reasons"] == waiting["reasons"]
