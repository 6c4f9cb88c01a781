"""An Airflow that runs as `make airflow` starts it, and what a person can ask of it over its API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.airflow import BIN, airflow_environment
from tests.support.ports import free_port
from tests.support.processes import CHECKOUT


class RunningAirflow:
    """One process of scripts/airflow.sh on the lake at `lake`. Methods raise AssertionError with its log where it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], told: Path, address: str, lake: Path) -> None:
        self._process, self._told, self.address, self.lake = process, told, address, lake
        self.wait(lambda: f"== Airflow: {address}" in told.read_text())
        said = told.read_text().partition("user and password: ")[2].splitlines()[0]
        ((self.user, self.password),) = json.loads(said).items()
        self.wait(lambda: self.ask("GET", "/dags/royalty_statements")["dag_id"] == "royalty_statements")

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of the API. Raises OSError where there is none, or it is a refusal."""
        login = {"username": self.user, "password": self.password}
        token = self._request("POST", "/auth/token", login, {})["access_token"]
        return self._request(method, f"/api/v2{path}", body, {"Authorization": f"Bearer {token}"})

    def _request(self, method: str, path: str, body: dict[str, Any] | None, more: dict[str, str]) -> Any:
        request = urllib.request.Request(
            f"{self.address}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **more},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def wait(self, done: Callable[[], bool], seconds: float = 600) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self._process.poll() is None, self._told.read_text()[-3000:]
            try:
                if done():
                    return
            except OSError:
                pass
            time.sleep(2)
        raise AssertionError(self._told.read_text()[-3000:])


@contextmanager
def running_airflow(folder: Path) -> Iterator[RunningAirflow]:
    """Its lake is folder/lake, its state folder/home."""
    (home := folder / "home").mkdir()
    lake, told = folder / "lake", folder / "told.log"
    env = airflow_environment(home, lake) | {
        "LAKEHOUSE_ROOT": str(lake), "AIRFLOW_PORT": str(free_port()), "AIRFLOW_BIN": str(BIN), "SPARK_MASTER": "local[2]",
    }  # fmt: skip
    with told.open("w") as log:
        process = subprocess.Popen(
            [str(CHECKOUT / "scripts" / "airflow.sh")], env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield RunningAirflow(process, told, f"http://127.0.0.1:{env['AIRFLOW_PORT']}", lake)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
