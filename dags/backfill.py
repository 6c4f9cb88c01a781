"""## Several periods in order, as when a lake is filled with its past

Runs every stage of each period from `first` to `last`, in one session; with `close`, each is published before the next, since its
balances are the next one's openings. Closed periods stay as they are. It stops at the first that fails; run it again to go on.

**Parameters**: `first`, `last` (YYYY-MM), `close`. **Variable**: `lakehouse_root`. How to: docs/how-to/airflow.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from lakehouse.dags import DEFAULT_ARGS, PERIOD_PATTERN, LakeJob
from lakehouse.runs import declared

with DAG(
    dag_id="backfill",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=3),
    default_args={**DEFAULT_ARGS, "execution_timeout": timedelta(days=2)},
    params={
        "first": Param(type="string", pattern=PERIOD_PATTERN, description="First statement period"),
        "last": Param(type="string", pattern=PERIOD_PATTERN, description="Last statement period"),
        "close": Param("no", enum=["yes", "no"], description="Whether to publish each"),
    },
    tags=["royalties"],
):
    LakeJob(
        job=declared.BACKFILL,
        told={name: f"{{{{ params.{name} }}}}" for name in ("first", "last", "close")},
        doc_md="jobs/backfill.py",
    )
