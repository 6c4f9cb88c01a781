"""The commands for reviewing and holding: shapes, exit codes, one document; no JVM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, review  # noqa: F401  (importing it registers its commands)
from tests.support.doubt import HARBOUR, INTRO, lake_in_doubt


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    lake_in_doubt(tmp_path / "lake")
    return tmp_path / "lake"


def call(lake: Path, *arguments: object) -> tuple[int, Any]:
    result = CliRunner().invoke(app, [str(argument) for argument in (*arguments, "--root", lake, "--json")])
    return result.exit_code, json.loads(result.stdout, parse_float=pytest.fail)


def test_a_queue_is_worked_through_by_hand_and_by_workbook(lake: Path, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    code, queue = call(lake, "review", "list")
    assert (code, [entry["usage_key"] for entry in queue]) == (1, [INTRO, HARBOUR])
    shown = {"usage_key", "title", "artist", "money", "held_since", "sources", "tier", "confidence", "candidates"}
    assert all(shown <= entry.keys() for entry in queue)
    code, (kept,) = call(lake, "review", "reject", INTRO, "--reason", "a cover", "--by", "Ada")
    assert (code, kept["decision"], kept["reviewer"]) == (0, "reject", "Ada")
    code, _ = call(lake, "review", "export", "--out", tmp_path)
    book = load_workbook(tmp_path / "review.xlsx")
    book.worksheets[0]["A2"], book.worksheets[0]["B2"] = "accept", "the same song"
    book.save(tmp_path / "review.xlsx")
    code, (kept,) = call(lake, "review", "import", tmp_path / "review.xlsx", "--by", "Bo")
    assert (code, kept["usage_key"], kept["decision"], kept["recording_id"]) == (0, HARBOUR, "accept", "R-1")
    assert call(lake, "review", "list") == (0, [])


def test_a_wrong_review_is_misuse_in_one_document(lake: Path) -> None:
    code, said = call(lake, "review", "accept", INTRO, "R-99", "--reason", "why")
    assert code == 2
    assert "Not in the catalog: R-99" in said["error"]


def test_people_read_the_queue_and_the_balance_as_tables(lake: Path) -> None:
    for arguments, amount in ((["review", "list"], "12.50 EUR"), (["holding"], "16.75")):
        result = CliRunner().invoke(app, [*arguments, "--root", str(lake)])
        assert amount in result.stdout, result.output


def test_the_balance_held_is_told_by_currency_reason_age_and_source(lake: Path) -> None:
    code, found = call(lake, "holding", "--period", "2026-07")
    assert code == 0
    assert found["balances"] == [{"currency": "EUR", "amount": "16.75"}, {"currency": "JPY", "amount": "900"}]
    assert [(row["reason"], row["currency"], row["amount"], row["age"]) for row in found["held"]] == [
        ("AMBIGUOUS", "EUR", "15.50", 2), ("UNCLAIMED", "EUR", "1.25", 2), ("AMBIGUOUS", "JPY", "900", 2),
    ]  # fmt: skip
    assert all({"source", "held_since", "holds", "keys", "usage_lines"} <= row.keys() for row in found["held"])


def test_a_hold_is_listed_and_adjusted_by_the_first_digits_of_its_id(lake: Path) -> None:
    """F-33: by a person, with why; a negative amount takes away."""
    code, holds = call(lake, "holding", "list")
    assert (code, {hold["title"] for hold in holds}) == (0, {"Intro", "Harbour", "Zanzibar"})
    (hold,) = [hold for hold in holds if hold["title"] == "Zanzibar"]
    code, done = call(
        lake, "holding", "adjust", hold["entry_id"][:8], "--amount", "-0.25", "--reason", "the sender says so", "--by", "Ada"
    )
    assert (code, done["held"], done["currency"], done["period"], done["by"], done["changed"]) == (
        0,
        "1.00",
        "EUR",
        "2026-06",
        "Ada",
        True,
    )
    code, found = call(lake, "holding")
    assert [(row["amount"], row["reason"], row["booked"]) for row in found["adjustments"]] == [
        ("-0.25", "the sender says so", False)
    ]
    code, said = call(lake, "holding", "adjust", hold["entry_id"], "--amount", "a lot", "--reason", "why")
    assert (code, "is not an amount" in said["error"]) == (2, True)
