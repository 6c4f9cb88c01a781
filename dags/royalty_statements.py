"""A statement period, stage by stage, each a Spark job.

**Parameters**: `period` (YYYY-MM). The lake is the Airflow variable `lakehouse_root`.
Close is left to a person: run `jobs/close.py` when the drafts have been looked at.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import DAG, Param

HOME = Path(__file__).parents[1]
STAGES = ("ingest", "conform", "reconcile", "resolve", "state")

with DAG(
    dag_id="royalty_statements",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    params={"period": Param(type="string", pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="Statement period")},
    tags=["royalties"],
):
    previous = None
    for stage in STAGES:
        task = SparkSubmitOperator(
            task_id=stage,
            conn_id="spark_default",
            spark_binary=str(HOME / "spark-submit.sh"),
            application=str(HOME / "jobs" / f"{stage}.py"),
            application_args=["--period", "{{ params.period }}", "--root", "{{ var.value.lakehouse_root }}"],
        )
        if previous:
            previous >> task
        previous = task
