"""The statutory report of a lake: every item once, under the policy of its territory and right, held until its time and due from then on."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, review  # noqa: F401  (importing it registers its commands)
from tests.support.doubt import lake_in_doubt

POLICIES = """\
policies:
  - {policy: everything, title: Held, authority: the house}
  - {policy: six-months, title: Half a year, authority: an act, territories: [EU], rights: [recording], clock: receipt, hold_months: 6}
"""


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    lake_in_doubt(tmp_path / "lake")
    (tmp_path / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    return tmp_path / "lake"


def _call(lake: Path, *arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, ["statutory", *arguments, "--root", str(lake), "--json"])
    return result.exit_code, json.loads(result.stdout, parse_float=pytest.fail)


def test_all_that_is_held_is_in_the_report_once(lake: Path) -> None:
    code, report = _call(lake)
    assert code == 0
    sums: dict[str, Decimal] = {}
    for item in report["items"]:
        sums[item["currency"]] = sums.get(item["currency"], Decimal(0)) + Decimal(item["amount"])
        assert (item["status"], item["policy"], item["due"]) == ("held", "hold-and-show", None)
        assert {"isrc", "title", "artist", "territory", "right", "accrued", "received", "authority"} <= item.keys()
    assert sums == {"EUR": Decimal("16.75"), "JPY": 900}
    assert sum(Decimal(total["amount"]) for total in report["totals"] if total["currency"] == "EUR") == sums["EUR"]


@pytest.mark.parametrize(("period", "status", "code"), [("2026-10", "held", 0), ("2026-11", "due", 1)])
def test_an_item_is_due_when_its_hold_has_run_out(lake: Path, period: str, status: str, code: int) -> None:
    """First held in May 2026, for six months."""
    own = ("--policies", str(lake.parent / "policies.yaml"), "--territory", "EU")
    found, report = _call(lake, "--period", period, *own)
    assert (found, {item["status"] for item in report["items"]}) == (code, {status})
    assert {(item["policy"], item["due"]) for item in report["items"]} == {("six-months", "2026-11")}
    assert report["items"]


def test_what_is_no_territory_and_no_policy_is_misuse(lake: Path) -> None:
    code, said = _call(lake, "--territory", "EUR")
    assert (code, "'EUR' is neither an ISO 3166-1" in said["error"]) == (2, True)
    (lake.parent / "wrong.yaml").write_text("policies: [{policy: x}]\n", encoding="utf-8")
    code, said = _call(lake, "--policies", str(lake.parent / "wrong.yaml"))
    assert (code, "no document of holding policies" in said["error"]) == (2, True)
