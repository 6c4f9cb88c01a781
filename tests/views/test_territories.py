"""Countries as a lake knows them (G4.md D-247): facts, law, and the services that have reported from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, look  # noqa: F401  (importing it registers its commands)
from tests.support.doubt import lake_in_doubt


def _call(lake: Path, *arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, ["territories", *arguments, "--root", str(lake), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_country_has_its_facts_its_law_and_its_platforms(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake_in_doubt(lake)
    code, (found,) = _call(lake, "DE")
    assert (code, found["name"], found["currency"], found["languages"][0]) == (0, "Germany", "EUR", "de")
    assert found["regulation"] == [
        {"policy": "eu-2014-26", "rights": ["performance", "mechanical"], "authority": "Directive 2014/26/EU, Article 13(4)"}
    ]
    assert found["platforms"]
    assert all(set(one) == {"channel", "since", "until"} for one in found["platforms"])
    code, everywhere = _call(lake)
    assert len(everywhere) == 250
    assert [row["code"] for row in everywhere if not row["currency"]] == ["AQ"]
    assert _call(lake, "EUR")[0] == 2


@pytest.mark.parametrize("group", ["EU", "EUROPEAN UNION", "2123"])
def test_a_group_is_its_countries(tmp_path: Path, group: str) -> None:
    lake = tmp_path / "lake"
    lake_in_doubt(lake)
    _, found = _call(lake, group)
    assert {"DE", "FR", "HR"} <= {row["code"] for row in found}
    assert {row["currency"] for row in found} >= {"EUR", "SEK", "PLN"}
