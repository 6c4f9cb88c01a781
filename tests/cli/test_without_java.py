"""What a look needs: no JVM, no pyspark."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.doubt import HARBOUR, INTRO, lake_in_doubt
from tests.support.lakes import MAY, copy_of
from tests.support.processes import CHECKOUT, clean_environment
from tests.support.published import may
from tests.support.reported import REFUSED, lake_with_reports

# Runs commands one after the other in a process in which pyspark cannot be imported; prints the exit code of each.
RUNNER = """
import json, os, sys
sys.modules["pyspark"] = sys.modules["py4j"] = None
from lakehouse.cli import app, look, review, routing, work
codes, stdout = {}, os.dup(1)
os.dup2(2, 1)
for command in json.load(sys.stdin):
    try:
        app(command)
    except SystemExit as end:
        codes[" ".join(command[:2])] = end.code
sys.stdout.flush()
os.write(stdout, json.dumps(codes).encode())
"""


@pytest.fixture
def no_java(tmp_path: Path) -> dict[str, str]:
    """An environment whose only `java` leaves a mark when it is started."""
    (tools := tmp_path / "bin").mkdir()
    (java := tools / "java").write_text(f"#!/bin/sh\necho started >>{tmp_path}/java-was-started\nexit 1\n")
    java.chmod(0o755)
    return {name: value for name, value in clean_environment(PATH=f"{tools}").items() if name != "JAVA_HOME"}


@pytest.mark.slow
def test_commands_that_need_no_jvm_neither_start_java_nor_import_pyspark(
    no_java: dict[str, str], landed_lake: Path, label: Path, tmp_path: Path
) -> None:
    lake, fresh = lake_with_reports(tmp_path / "reported"), copy_of(landed_lake, tmp_path)
    line = may()["gold.royalty_lines"][0]["line_id"]
    looks = [
        ["files"], ["statements"], ["show", "2026-05-EUR-A-LUNA"], ["why", line], ["verify"], ["quarantine", "list"],
        ["quarantine", "show", REFUSED], ["history", "gold.ledger"], ["status"],
        ["export", "--period", MAY, "--to", "statements-csv", "--out", str(tmp_path / "out")],
    ]  # fmt: skip
    works = [
        ["init"], ["drift"], ["catalog", "load", str(label / "catalog.csv")], ["contracts", "lint", str(label / "contracts")],
        ["contracts", "load", str(label / "contracts")], ["land", str(label / "reports" / "bank_2026-06.tsv")],
    ]  # fmt: skip
    lake_in_doubt(doubt := tmp_path / "doubt")
    doubts = [
        ["review", "list"], ["review", "accept", INTRO, "R-3", "--reason", "x"], ["review", "reject", HARBOUR, "--reason", "x"],
        ["review", "export", "--out", str(tmp_path / "out")], ["holding"], ["holding", "list"], ["statutory"], ["matching"], ["routing", "show"],
    ]  # fmt: skip
    commands = (
        [[*each, "--root", str(doubt)] for each in doubts]
        + [[*look, "--root", str(lake)] for look in looks]
        + [[*work, "--root", str(fresh)] for work in works]
    )
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps(commands), capture_output=True, text=True, cwd=CHECKOUT, env=no_java
    )
    assert done.returncode == 0, done.stderr
    codes = json.loads(done.stdout)
    assert len(codes) == len(commands)
    findings = {"files --root", "quarantine list", "review list"}
    assert {command: code for command, code in codes.items() if code} == dict.fromkeys(findings, 1), done.stderr
    assert not (tmp_path / "java-was-started").exists()


def test_where_there_is_no_java_a_run_says_so(landed_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lakehouse.errors import Misuse
    from lakehouse.session import start_session
    from tests.support.lakes import environment

    monkeypatch.setattr("lakehouse.session.find_java", lambda: None)
    with pytest.raises(Misuse, match=r"No Java 17 or newer was found\. Install one .* or set JAVA_HOME"):
        start_session(environment(landed_lake).settings)
