"""A real Airflow for tests: its own environment, its own SQLite in a folder of the test."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.processes import CHECKOUT, clean_environment

BIN = Path(os.environ.get("AIRFLOW_BIN", CHECKOUT / ".venv-airflow" / "bin"))


def airflow_environment(home: Path, lake: Path | str) -> dict[str, str]:
    """What Airflow is told by its environment; Spark runs on this machine's two cores."""
    return clean_environment(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(CHECKOUT / "dags"),
        AIRFLOW__CORE__LOAD_EXAMPLES="false",
        AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY="1",
        LAKEHOUSE_INCOMING_SETTLED="0",
        AIRFLOW_VAR_LAKEHOUSE_ROOT=str(lake),
        AIRFLOW_CONN_SPARK_DEFAULT=json.dumps({"conn_type": "spark", "host": "local[2]"}),
        LAKEHOUSE_PYTHON=str(CHECKOUT / ".venv" / "bin" / "python"),
        LAKEHOUSE_ENVIRONMENT="test",
        PYTHONPATH=str(CHECKOUT),
        PATH=f"{BIN}:{os.environ['PATH']}",
    )


def airflow(*arguments: str, env: dict[str, str], timeout: float = 1500) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "airflow"), *arguments], capture_output=True, text=True, env=env, cwd=env["AIRFLOW_HOME"], timeout=timeout
    )


def in_airflow(code: str, env: dict[str, str]) -> Any:
    """The JSON that some code prints last, in Airflow's Python."""
    done = subprocess.run(
        [str(BIN / "python"), "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env=env,
        cwd=env["AIRFLOW_HOME"],
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def result_of(task: str, env: dict[str, str]) -> Any:
    """The newest result of a task: what its job told."""
    code = f"""
import json
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
with create_session() as session:
    row = session.query(XComModel).filter_by(task_id={task!r}, key="return_value").order_by(XComModel.timestamp.desc()).first()
    print(json.dumps(row and XComModel.deserialize_value(row)))
"""
    return in_airflow(code, env)


def versions_told(env: dict[str, str]) -> dict[str, int]:
    """Asset: the Delta version that its newest event carries."""
    code = """
import json
from airflow.models.asset import AssetEvent, AssetModel
from airflow.utils.session import create_session
with create_session() as session:
    rows = session.query(AssetModel.name, AssetEvent.extra).join(AssetEvent, AssetEvent.asset_id == AssetModel.id).order_by(AssetEvent.id)
    print(json.dumps({name: extra.get("delta_version") for name, extra in rows}))
"""
    return dict(in_airflow(code, env))


def tries_of(dag: str, env: dict[str, str]) -> dict[str, int]:
    """Task: how often it was tried in the runs of a DAG."""
    code = f"""
import json
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
with create_session() as session:
    rows = session.query(TaskInstance.task_id, TaskInstance.try_number).filter_by(dag_id={dag!r})
    print(json.dumps(dict(map(tuple, rows))))
"""
    return dict(in_airflow(code, env))


def rendered(env: dict[str, str]) -> str:
    """Every rendered template that Airflow kept, as text."""
    code = """
import json
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.utils.session import create_session
with create_session() as session:
    print(json.dumps(json.dumps([row.rendered_fields for row in session.query(RenderedTaskInstanceFields)])))
"""
    return str(in_airflow(code, env))
