"""These tests run by `make test-airflow` alone, which makes Airflow's environment: where there is none, they fail and say so."""

from __future__ import annotations

import pytest

from tests.support.airflow import BIN


@pytest.fixture(scope="session", autouse=True)
def _there_is_an_airflow() -> None:
    if not (BIN / "airflow").exists():
        pytest.fail(f"There is no Airflow in {BIN}: run `make setup-airflow`, or set AIRFLOW_BIN.", pytrace=False)
