"""Jobs as Airflow tasks: edges, assets and pools come from what each job declares. Nothing here imports Spark.

For Airflow's own environment, which has Airflow and not the libraries of the lake; `spark-submit.sh` starts the lake's Python.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Asset, Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from lakehouse.runs import declared
from lakehouse.runs.declared import Declared
from lakehouse.tables import Table

HOME = Path(os.environ.get("LAKEHOUSE_HOME", Path(__file__).parents[1]))
ROOT = "{{ var.value.lakehouse_root }}"
# The period that is asked for, or the month before the run.
PERIOD = "{{ params.period or (dag_run.run_after.replace(day=1) - macros.timedelta(days=1)).strftime('%Y-%m') }}"
PERIOD_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])$"
# Another writer, a store that is away, or a process that was killed is worth another try; findings and misuse are not: LakeJob tells
# them apart. The first pause is Airflow's own setting, [core] default_task_retry_delay.
DEFAULT_ARGS = {
    "owner": "royalties",
    "retries": 3,
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=6),
}
_EXIT_CODE = re.compile(r"Error code is: (\d+)")


def period_param(default: str | None = None, description: str = "Statement period; the month before the run without it") -> Param:
    return Param(default, type=["null", "string"], pattern=PERIOD_PATTERN, description=description)


def asset(table: Table) -> Asset:
    """A table as an asset; its events carry the Delta version in `extra`."""
    return Asset(name=table.name, uri=f"lakehouse://{table.path}")


def landing(source: str) -> Asset:
    """What has landed of a source."""
    return Asset(name=f"landing.{source}", uri=f"lakehouse://landing/{source}")


# Jobs that write the same table share a pool of one slot. A backfill does the work of them all: the lease of the lake keeps it apart.
_WRITERS = (
    declared.INGEST, declared.CONFORM, declared.RECONCILE, declared.ROUTE, declared.RESOLVE, declared.STATE, declared.REPLAY, declared.CLOSE,
)  # fmt: skip


def pools() -> dict[str, tuple[str, ...]]:
    """Pool: the tables that are written in it. Named after the first of them; each table is in one pool."""
    groups: list[dict[str, None]] = []
    for job in _WRITERS:
        tables = dict.fromkeys(table.name for table in job.writes)
        shared = [group for group in groups if group.keys() & tables.keys()]
        groups = [group for group in groups if group not in shared]
        groups.append(dict.fromkeys(name for group in (*shared, tables) for name in group))
    return {f"lakehouse.{next(iter(group))}": tuple(group) for group in groups}


def pool_of(job: Declared) -> str:
    """The pool in which a job writes; Airflow's own for one that writes no table."""
    written = {table.name for table in job.writes}
    return next((pool for pool, tables in pools().items() if written & set(tables)), "default_pool")


class LakeJob(SparkSubmitOperator):
    """A job of the lake, through spark-submit.sh. Its result is the job's outcome; its assets carry the Delta versions written.

    `told` are the job's options. A job that ends with 1 (findings) or 2 (misuse) is not tried again; 3 (busy, out of reach) is.
    """

    application_args: list[str]

    def __init__(self, *, job: Declared, told: Mapping[str, str], outlets: Sequence[Asset] = (), **more: Any) -> None:
        options = [part for name, value in told.items() for part in (f"--{name}", value)]
        super().__init__(
            conn_id="spark_default",
            name=f"lakehouse.{job.name}",
            spark_binary=str(HOME / "spark-submit.sh"),
            application=str(HOME / "jobs" / f"{job.name}.py"),
            application_args=[*options, "--root", ROOT],
            inlets=[asset(table) for table in job.reads],
            outlets=[*(asset(table) for table in job.writes), *outlets],
            **{"task_id": job.name, "pool": pool_of(job), **more},
        )
        self.job = job

    def execute(self, context: Any) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            outcome = Path(folder) / "outcome.json"
            self.application_args = [*self.application_args, "--outcome", str(outcome)]
            try:
                super().execute(context)
            except AirflowException as error:
                code = _EXIT_CODE.search(str(error))
                if code is None or int(code.group(1)) not in (1, 2):
                    raise
                found = outcome.read_text(encoding="utf-8") if outcome.is_file() else "its log says what is wrong"
                raise AirflowFailException(f"{self.job.name} ended with {code.group(1)}: {found}") from None
            done: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
        for outlet in self.outlets:
            version = {"delta_version": done["tables"][outlet.name]} if outlet.name in done["tables"] else {}
            context["outlet_events"][outlet].extra = {
                **version,
                **{k: v for k, v in done.items() if k in ("job", "period", "source")},
            }
        return done


def wire(tasks: Sequence[LakeJob]) -> list[LakeJob]:
    """Draws an edge wherever a task reads what one before it writes, leaving out those that follow from others. Returns the last tasks."""
    behind: dict[str, set[str]] = {}
    for place, task in enumerate(tasks):
        reads = {table.name for table in task.job.reads}
        behind[task.task_id] = set()
        for earlier in reversed(tasks[:place]):
            if reads & {table.name for table in earlier.job.writes} and earlier.task_id not in behind[task.task_id]:
                earlier >> task
                behind[task.task_id] |= {earlier.task_id, *behind[earlier.task_id]}
    return [task for task in tasks if not task.downstream_list]


if __name__ == "__main__":
    # For `airflow pools import`.
    json.dump(
        {
            name: {"slots": 1, "description": f"writes {', '.join(tables)}", "include_deferred": False}
            for name, tables in pools().items()
        },
        sys.stdout,
    )
