"""## What a source sent: from its folder in landing/incoming to landing

One DAG for each report format of `conf/sources`. Every file is stored once, under the SHA-256 of its content, with a receipt; a file
that is no report of the source is rejected with its reason, and this DAG fails while those of other sources go on.

**Variable**: `lakehouse_root`. How to: docs/how-to/airflow.md
"""

from __future__ import annotations

from datetime import timedelta

import yaml
from airflow.sdk import DAG

from lakehouse.dags import DEFAULT_ARGS, HOME, LakeJob, landing
from lakehouse.runs import declared

for document in sorted((HOME / "conf" / "sources").glob("*.yaml")):
    dialect = yaml.safe_load(document.read_text(encoding="utf-8"))
    with DAG(
        dag_id=f"ingest_{document.stem}",
        dag_display_name=f"Ingest {dialect['name']}",
        doc_md=f"{__doc__}\n### {dialect['name']}\n{dialect.get('doc', '')}",
        schedule="@hourly",
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=6),
        default_args=DEFAULT_ARGS,
        tags=["royalties", "ingest"],
    ) as dag:
        LakeJob(job=declared.LAND, told={"source": document.stem}, outlets=[landing(document.stem)], doc_md="jobs/land.py")
    globals()[dag.dag_id] = dag
