"""`make airflow`: a person logs in and sees the graph."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.airflow import BIN, airflow_environment
from tests.support.ports import free_port
from tests.support.processes import CHECKOUT

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1200)]
TASKS = ["ingest", "conform", "reconcile", "route", "resolve", "state", "report", "approve", "close", "verify", "export"]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """scripts/airflow.sh as `make airflow` starts it: its address, a user and the password it printed."""
    if not shutil.which("chromedriver"):
        pytest.fail(
            "There is no Chromium to look at Airflow with: install chromium and chromium-driver (Debian: packages of these names)."
        )
    folder = tmp_path_factory.mktemp("ui")
    (home := folder / "home").mkdir()
    env = airflow_environment(home, folder / "lake") | {
        "LAKEHOUSE_ROOT": str(folder / "lake"), "AIRFLOW_PORT": str(free_port()), "AIRFLOW_BIN": str(BIN),
    }  # fmt: skip
    told = folder / "told.log"
    with told.open("w") as log:
        process = subprocess.Popen(
            [str(CHECKOUT / "scripts" / "airflow.sh")], env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{env['AIRFLOW_PORT']}"
        _wait(lambda: f"== Airflow: {address}" in told.read_text(), process, told)
        said = told.read_text().partition("user and password: ")[2].splitlines()[0]
        ((user, password),) = json.loads(said).items()
        _wait(lambda: _dag_is_known(address, user, password), process, told)
        yield address, user, password
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def _wait(done: Callable[[], bool], process: subprocess.Popen[bytes], told: Path, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, told.read_text()[-3000:]
        try:
            if done():
                return
        except OSError:
            pass
        time.sleep(2)
    raise AssertionError(told.read_text()[-3000:])


def _ask(address: str, path: str, token: str | None = None, body: dict[str, str] | None = None) -> dict[str, object]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{address}{path}", data=json.dumps(body).encode() if body else None, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def _dag_is_known(address: str, user: str, password: str) -> bool:
    token = str(_ask(address, "/auth/token", body={"username": user, "password": password})["access_token"])
    return _ask(address, "/api/v2/dags/royalty_statements", token)["dag_id"] == "royalty_statements"


def test_a_person_logs_in_and_sees_the_graph(started: tuple[str, str, str], tmp_path: Path) -> None:
    """The picture is kept in AIRFLOW_SCREENSHOT, where that is set: so docs/images/airflow-graph.png was made."""
    picture = Path(os.environ.get("AIRFLOW_SCREENSHOT", tmp_path / "graph.png"))
    command = [
        str(BIN / "python"),
        str(CHECKOUT / "tests" / "support" / "browser.py"),
        *started,
        "royalty_statements",
        str(picture),
        *TASKS,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    assert set(TASKS) <= set(json.loads(done.stdout)["tasks"])
    assert picture.stat().st_size > 20_000
