"""These tests run by `make test-airflow` alone, which makes Airflow's environment: where there is none, they fail and say so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.airflow import BIN
from tests.support.lakes import MAY
from tests.support.processes import CHECKOUT, clean_environment


@pytest.fixture(scope="session", autouse=True)
def _there_is_an_airflow() -> None:
    if not (BIN / "airflow").exists():
        pytest.fail(f"There is no Airflow in {BIN}: run `make setup-airflow`, or set AIRFLOW_BIN.", pytrace=False)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, label: Path) -> str:
    """The root of May as a folder without Airflow publishes it, of the bank file alone."""
    lake = tmp_path_factory.mktemp("undisturbed") / "lake"
    command = [sys.executable, "-m", "tests.support.month", str(lake), str(label), MAY, "bank_2026-05.tsv"]
    env = clean_environment(LAKEHOUSE_ENVIRONMENT="test")
    alone = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, env=env, timeout=900)
    assert alone.returncode == 0, alone.stderr[-3000:]
    return str(json.loads(alone.stdout)["closed"]["root"])
