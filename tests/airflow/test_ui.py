"""`make airflow`: a person logs in and sees the graph, looks at a drafted month, has a task done again, and approves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.store.verify import verify
from tests.support.airflow import BIN
from tests.support.airflow_server import RunningAirflow, running_airflow
from tests.support.lakes import MAY, land, new_lake, published_root, roots
from tests.support.processes import CHECKOUT

pytestmark = [pytest.mark.airflow, pytest.mark.spark, pytest.mark.timeout(3000)]
TASKS = ["ingest", "conform", "reconcile", "route", "resolve", "state", "report", "approve", "close", "verify", "export"]
DAG, RUN = "/dags/royalty_statements", "by-hand"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, label: Path) -> Iterator[RunningAirflow]:
    """Its lake has May's bank file, and nothing of it is read yet."""
    if not shutil.which("chromedriver"):
        pytest.fail(
            "There is no Chromium to look at Airflow with: install chromium and chromium-driver (Debian: packages of these names)."
        )
    folder = tmp_path_factory.mktemp("ui")
    land(new_lake(folder / "lake", label), label / "reports" / "bank_2026-05.tsv")
    with running_airflow(folder) as started:
        yield started


def test_a_person_logs_in_and_sees_the_graph(started: RunningAirflow, tmp_path: Path) -> None:
    """The picture is kept in AIRFLOW_SCREENSHOT, where that is set: so docs/images/airflow-graph.png was made."""
    picture = Path(os.environ.get("AIRFLOW_SCREENSHOT", tmp_path / "graph.png"))
    who = (started.address, started.user, started.password)
    script = str(CHECKOUT / "tests" / "support" / "browser.py")
    command = [str(BIN / "python"), script, *who, "royalty_statements", str(picture), *TASKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    assert set(TASKS) <= set(json.loads(done.stdout)["tasks"])
    assert picture.stat().st_size > 20_000


def test_a_task_that_is_cleared_gives_the_same_roots_and_what_a_person_approves_is_published(
    started: RunningAirflow, undisturbed: str
) -> None:
    """F-17."""
    started.ask("PATCH", DAG, {"is_paused": False})
    asked = {"dag_run_id": RUN, "logical_date": None, "conf": {"period": MAY, "close": "ask"}}
    started.ask("POST", f"{DAG}/dagRuns", asked)
    started.wait(lambda: _waits(started), 900)
    drafted = roots(started.lake, MAY)
    cleared = {"dry_run": False, "only_failed": False, "dag_run_id": RUN, "task_ids": ["state"], "include_downstream": True}
    again = started.ask("POST", f"{DAG}/clearTaskInstances", cleared)
    assert {"state", "report", "approve"} <= {task["task_id"] for task in again["task_instances"]}
    started.wait(lambda: _task(started, "approve")["try_number"] == 2 and _waits(started), 900)
    assert _task(started, "state")["try_number"] == 2
    assert roots(started.lake, MAY) == drafted

    said = started.ask("PATCH", f"{DAG}/dagRuns/{RUN}/taskInstances/approve/-1/hitlDetails", {"chosen_options": ["Approve"]})
    assert said["responded_by"]["name"] == started.user
    started.wait(lambda: started.ask("GET", f"{DAG}/dagRuns/{RUN}")["state"] in ("success", "failed"), 900)
    assert started.ask("GET", f"{DAG}/dagRuns/{RUN}")["state"] == "success"
    assert published_root(str(started.lake), MAY) == undisturbed
    assert verify(str(started.lake)).ok


def _task(started: RunningAirflow, task: str) -> dict[str, object]:
    return dict(started.ask("GET", f"{DAG}/dagRuns/{RUN}/taskInstances/{task}"))


def _waits(started: RunningAirflow) -> bool:
    """Whether all is drafted and told, and a person is asked who has not answered."""
    assert started.ask("GET", f"{DAG}/dagRuns/{RUN}")["state"] in ("queued", "running"), started.ask(
        "GET", f"{DAG}/dagRuns/{RUN}/taskInstances"
    )
    return bool(_task(started, "approve")["state"] == "awaiting_input")
