"""## Upkeep: small files put together, checkpoints of long logs, VACUUM by each table's own retention

One task for each pool of tables, so that nothing is kept up while it is written. Published gold is left as its manifests name it. While a
period is in draft, files stay as they are.

**Variable**: `lakehouse_root`. How to: docs/how-to/airflow.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from lakehouse.dags import DEFAULT_ARGS, LakeJob, pools
from lakehouse.runs import declared

with DAG(
    dag_id="upkeep",
    doc_md=__doc__,
    schedule="0 3 * * 0",
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(hours=12),
    tags=["royalties"],
):
    for pool, tables in pools().items():
        LakeJob(
            job=declared.UPKEEP, task_id=f"upkeep_{tables[0].replace('.', '_')}", pool=pool, told={"tables": ",".join(tables)},
            doc_md=f"jobs/upkeep.py: {', '.join(tables)}",
        )  # fmt: skip
