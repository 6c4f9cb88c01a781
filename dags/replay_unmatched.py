"""## Held money, tried again

After reviews, a new catalog, new rules or new contracts: the holds that have found an owner move to them in the open period, and no others.
What moved is the result of the task.

**Parameter**: `period` (YYYY-MM, open). **Variable**: `lakehouse_root`. How to: docs/how-to/airflow.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from lakehouse.dags import DEFAULT_ARGS, PERIOD, LakeJob, period_param
from lakehouse.runs import declared

with DAG(
    dag_id="replay_unmatched",
    doc_md=__doc__,
    schedule="0 4 * * 1",
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(hours=12),
    params={"period": period_param()},
    tags=["royalties"],
):
    LakeJob(job=declared.REPLAY, told={"period": PERIOD}, doc_md="jobs/replay.py")
