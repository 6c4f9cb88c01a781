"""`lakehouse sources`: without a lake, without a JVM, one JSON document, exit codes as promised."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from lakehouse.cli import app, sources  # noqa: F401  (importing it registers its commands)
from tests.support.reports import SAMPLES

Call = Callable[..., tuple[int, Any]]
TUNECORE = SAMPLES / "tunecore/sample.csv"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    for name in ("LAKEHOUSE_ROOT", "LAKEHOUSE_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, Any]:
        done = CliRunner().invoke(app, ["sources", *map(str, arguments), "--json"])
        return done.exit_code, json.loads(done.stdout)

    return run


def test_every_format_is_listed(call: Call) -> None:
    code, rows = call("list")
    assert code == 0
    assert {"dsr_ugc", "tunecore"} <= {row["id"] for row in rows}
    assert all({"id", "name", "version", "shape", "containers", "encodings", "columns", "variants"} == set(row) for row in rows)


def test_a_known_file_is_named_and_an_unknown_one_is_a_finding(call: Call, tmp_path: Path) -> None:
    assert call("sniff", TUNECORE)[0] == 0
    other = tmp_path / "other.csv"
    other.write_bytes(TUNECORE.read_bytes().replace(b"Total Earned", b"Earned", 1))
    code, found = call("sniff", other)
    assert (code, found["dialect"]) == (1, None)
    assert found["parts"][0]["nearest"][0]["dialect"] == "tunecore"
    assert "Total Earned" in found["reason"]


@pytest.mark.slow
def test_a_draft_is_written_once_linted_and_then_known(call: Call, tmp_path: Path) -> None:
    report, own = tmp_path / "harbour.csv", tmp_path / "own"
    report.write_text(
        "Month,Shop,Land,Title,Plays,Net revenue,Currency\n2026-05,Northstream,DE,Night Ferry,3,1.5,EUR\n", encoding="utf-8"
    )
    code, drafted = call("draft", report, "--out", own)
    path = own / "harbour.yaml"
    assert (code, drafted["id"], Path(drafted["path"]).resolve()) == (0, "harbour", path)
    assert call("draft", report, "--out", own)[0] == 2
    code, findings = call("lint", path)
    assert code == 1
    assert {finding["rule"] for finding in findings} == {"open"}
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["doc"] = "One row for each title and shop."
    document["map"] |= {"channel": "Shop", "territory": "Land", "configuration": {"constant": "stream"}}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert call("lint", path, "--sources", own) == (0, [])
    assert call("sniff", report)[0] == 1
    code, found = call("sniff", report, "--sources", own)
    assert (code, found["dialect"]) == (0, "harbour")
    assert "harbour" in {row["id"] for row in call("list", "--sources", own)[1]}


def test_what_cannot_be_drafted_is_misuse(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "picture.csv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    code, answer = call("draft", file)
    assert (code, "looks like no table" in answer["error"]) == (2, True)


def test_people_see_the_difference_column_by_column(call: Call, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(TUNECORE.read_bytes().replace(b"Total Earned", b"Total Earnings", 1))
    shown = CliRunner().invoke(app, ["sources", "sniff", str(other)])
    assert shown.exit_code == 1
    assert "Like tunecore (TuneCore sales), but:" in shown.stdout
    assert "renamed" in shown.stdout


def test_a_file_that_lacks_only_what_must_be_told_is_not_called_different() -> None:
    shown = CliRunner().invoke(app, ["sources", "sniff", str(SAMPLES / "shopify_sales" / "sample.csv")])
    assert "does not say its currency" in shown.stdout
    assert "It has the form of shopify_sales" in shown.stdout
    assert "but:" not in shown.stdout
