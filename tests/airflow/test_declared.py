"""The DAGs as Airflow sees them: what they say of themselves, and that it is what the jobs declare. No Spark runs here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse.runs import declared
from lakehouse.runs.declared import Declared
from tests.support.airflow import airflow, airflow_environment, in_airflow
from tests.support.processes import CHECKOUT

pytestmark = pytest.mark.airflow

JOBS: dict[str, Declared] = {job.name: job for job in vars(declared).values() if isinstance(job, Declared)}
DESCRIBE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag()
def task(t):
    job = getattr(t, "job", None)
    return {
        "job": job and job.name, "type": type(t).__name__, "pool": t.pool, "retries": t.retries, "timeout": t.execution_timeout is not None,
        "inlets": [a.name for a in t.inlets], "outlets": [a.name for a in t.outlets], "after": sorted(t.upstream_task_ids), "doc": t.doc_md or "",
        "binary": getattr(t, "_spark_binary", None), "arguments": getattr(t, "application_args", None),
    }
print(json.dumps({
    "errors": {str(k): str(v) for k, v in bag.import_errors.items()},
    "spark": sorted(m for m in sys.modules if m.split(".")[0] in ("pyspark", "deltalake", "duckdb", "pandas")),
    "dags": {d.dag_id: {
        "doc": d.doc_md or "", "runs": d.max_active_runs, "catchup": d.catchup, "deadline": d.dagrun_timeout is not None,
        "params": {k: v.schema for k, v in d.params.items()} if hasattr(d.params, "items") else {}, "tasks": {t.task_id: task(t) for t in d.tasks},
    } for d in bag.dags.values()},
}, default=str))
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("airflow")
    told = airflow_environment(home, home / "lake")
    assert airflow("db", "migrate", env=told).returncode == 0
    return told


@pytest.fixture(scope="module")
def seen(env: dict[str, str]) -> dict[str, Any]:
    return dict(in_airflow(DESCRIBE, env))


def job_tasks(seen: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(dag, name, task) for dag, found in seen["dags"].items() for name, task in found["tasks"].items() if task["job"]]


def test_every_dag_is_imported_and_none_imports_spark(seen: dict[str, Any]) -> None:
    assert seen["errors"] == {}
    assert seen["spark"] == []
    sources = {path.stem for path in (CHECKOUT / "conf" / "sources").glob("*.yaml")}
    others = {"royalty_statements", "replay_unmatched", "backfill", "upkeep"}
    assert set(seen["dags"]) == {f"ingest_{source}" for source in sources} | others


def test_every_dag_tells_what_it_is_and_runs_once_at_a_time(seen: dict[str, Any]) -> None:
    for name, dag in seen["dags"].items():
        assert len(dag["doc"]) > 100, name
        assert (dag["runs"], dag["catchup"]) == (1, False), name
        assert dag["deadline"], name
        assert all(
            task["doc"] for task in dag["tasks"].values() if task["job"] in ("ingest", "land", "upkeep", "replay", "backfill")
        ), name


def test_what_a_task_reads_and_writes_is_what_its_job_declares(seen: dict[str, Any]) -> None:
    assert {task["job"] for _, _, task in job_tasks(seen)} == set(JOBS)
    for dag, name, task in job_tasks(seen):
        job = JOBS[task["job"]]
        assert task["inlets"] == [table.name for table in job.reads], (dag, name)
        assert [outlet for outlet in task["outlets"] if not outlet.startswith("landing.")] == [t.name for t in job.writes], (
            dag,
            name,
        )
        assert (CHECKOUT / "jobs" / f"{task['job']}.py").is_file()
        assert task["binary"] == str(CHECKOUT / "spark-submit.sh")
        assert task["retries"] > 0
        assert task["timeout"]


def test_a_task_comes_after_every_task_that_writes_what_it_reads(seen: dict[str, Any]) -> None:
    tasks = seen["dags"]["royalty_statements"]["tasks"]

    def behind(name: str) -> set[str]:
        return {each for before in tasks[name]["after"] for each in (before, *behind(before))}

    order = ["ingest", "conform", "reconcile", "route", "resolve", "state", "report", "close", "verify", "export"]
    for place, name in enumerate(order):
        for earlier in order[:place]:
            if set(tasks[earlier]["outlets"]) & set(tasks[name]["inlets"]):
                assert earlier in behind(name), f"{name} reads what {earlier} writes"
    assert {"ingest", "conform", "reconcile", "route", "resolve", "state", "report", "approve"} <= behind("close")
    assert behind("export") > behind("verify") > behind("close")


def test_two_tasks_that_write_the_same_table_share_a_pool_of_one_slot(seen: dict[str, Any]) -> None:
    pool_of: dict[str, str] = {}
    for dag, name, task in job_tasks(seen):
        if task["job"] in ("backfill", "upkeep"):
            continue
        for table in JOBS[task["job"]].writes:
            assert pool_of.setdefault(table.name, task["pool"]) == task["pool"], (dag, name)
    kept = [(task["pool"], task["arguments"][1].split(",")) for task in seen["dags"]["upkeep"]["tasks"].values()]
    assert {table: pool for pool, tables in kept for table in tables} == pool_of
    assert "default_pool" not in pool_of.values()


def test_the_pools_are_made_with_one_slot_each(env: dict[str, str], seen: dict[str, Any]) -> None:
    file = Path(env["AIRFLOW_HOME"]) / "pools.json"
    file.write_text(
        json.dumps(in_airflow("import runpy; runpy.run_module('lakehouse.dags', run_name='__main__')", env)), encoding="utf-8"
    )
    assert airflow("pools", "import", str(file), env=env).returncode == 0
    listed = json.loads(airflow("pools", "list", "-o", "json", env=env).stdout)
    ours = {pool["pool"]: int(pool["slots"]) for pool in listed if pool["pool"].startswith("lakehouse.")}
    assert ours == {task["pool"]: 1 for _, _, task in job_tasks(seen) if task["pool"] != "default_pool"}


def test_a_dag_file_holds_no_logic() -> None:
    for file in (CHECKOUT / "dags").glob("*.py"):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 75, file.name
        assert not [line for line in lines if line.lstrip().startswith(("if ", "while ", "try:", "class "))], file.name
