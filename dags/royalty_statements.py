"""## A statement period, from what has landed to statements that are verified and exported

Each stage is a Spark job. The stages after `report` publish: with `close` on *ask*, a person looks at the report of the
period and what is missing from it, and approves or leaves the period open; *yes* publishes at once, *no* ends with the drafts.

A source that is broken holds nobody up: its reports are not in the statements, and `report` says so.

**Parameters**: `period` (YYYY-MM), `close`. **Variable**: `lakehouse_root`. **Connection**: `spark_default`.
How to: docs/how-to/airflow.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param, TriggerRule, task

from lakehouse.dags import DEFAULT_ARGS, PERIOD, LakeJob, period_param, wire
from lakehouse.runs import declared

with DAG(
    dag_id="royalty_statements",
    doc_md=__doc__,
    schedule="0 6 5 * *",
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(days=14),  # with the days that a person takes
    params={"period": period_param(), "close": Param("ask", enum=["ask", "yes", "no"], description="Whether to publish")},
    tags=["royalties"],
):
    stages = (*declared.STAGES[:3], declared.ROUTE, *declared.STAGES[3:])
    drafted = [LakeJob(job=job, told={"period": PERIOD}, doc_md=f"jobs/{job.name}.py") for job in stages]
    report = LakeJob(job=declared.REPORT, told={"period": PERIOD}, doc_md="How the period stands, and which reports are missing.")
    last = wire([*drafted, report])

    @task.branch
    def how_to_close(params: dict[str, str]) -> str:
        """The next step, as the parameter says."""
        return {"ask": "approve", "yes": "close", "no": "leave_open"}[params["close"]]

    approve = ApprovalOperator(
        task_id="approve",
        subject="Publish the statements?",
        body="```\n{{ ti.xcom_pull(task_ids='report') | tojson(indent=1) }}\n```",
        doc_md="A person decides. After *Approve* the period refuses change.",
        execution_timeout=None,
    )
    close = LakeJob(job=declared.CLOSE, told={"period": PERIOD}, trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    verify, export = (LakeJob(job=job, told={"period": PERIOD}) for job in (declared.VERIFY, declared.EXPORT))
    decided = how_to_close()
    last >> decided >> [approve, close, EmptyOperator(task_id="leave_open")]
    approve >> close >> verify >> export
