"""How a job file starts: its period and lake from the command line, its exit code for whoever launched it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runs.books import check_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Job, run_jobs
from lakehouse.runs.period import require_open
from lakehouse.settings import load_settings
from lakehouse.store.lease import writer_lease

Step = Callable[[Environment, str], Any]


def launch(stage: Job) -> None:
    """Runs one stage and ends the process: 0 done, 1 findings, 2 misuse, 3 the lake is busy or out of reach."""

    def run_stage(env: Environment, period: str) -> dict[str, Any]:
        require_open(env, period)
        return {"job": stage.name, "period": period, "changed": run_jobs([stage], env, period)}

    launch_step(run_stage, stage.doc)


def launch_step(step: Step, doc: str | None = None) -> None:
    """Runs any step of a period under the writer's lease, prints what it returns as JSON, and ends the process."""
    parser = argparse.ArgumentParser(description=doc or step.__doc__)
    parser.add_argument("--period", required=True, metavar="YYYY-MM")
    parser.add_argument("--root", help="the lake; LAKEHOUSE_ROOT by default")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Ours alone: py4j tells of every connection, after the answer too.
    logging.getLogger("lakehouse").setLevel(logging.INFO)
    try:
        env = Environment(load_settings(root=given.root))
        check_period(given.period)
        with writer_lease(env.root):
            print(json.dumps(step(env, given.period), default=str))  # noqa: T201
    except LakehouseError as error:
        print(f"lakehouse: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
