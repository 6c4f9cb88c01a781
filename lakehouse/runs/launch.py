"""How a job file starts: its period and lake from the command line, its exit code for whoever launched it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runs.books import check_period
from lakehouse.runs.declared import Declared
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Job, run_jobs
from lakehouse.runs.outage import explained
from lakehouse.settings import load_settings
from lakehouse.store.lease import writer_lease

# What a job may be told: its option, how it is written, and what it is.
_OPTIONS = {
    "period": ("YYYY-MM", "statement period"),
    "first": ("YYYY-MM", "first statement period"),
    "last": ("YYYY-MM", "last statement period"),
    "close": ("yes|no", "whether to publish"),
    "source": ("ID", "dialect of the reports"),
    "tables": ("TABLE,TABLE", "tables by their names"),
}
_PERIODS = ("period", "first", "last")


def launch(stage: Job) -> None:
    """Runs one stage and ends the process: 0 done, 1 findings, 2 misuse, 3 the lake is busy or out of reach."""

    # Here, since jobs without Spark come through this file too.
    from lakehouse.runs.period import require_open

    def run_stage(env: Environment, period: str) -> dict[str, Any]:
        require_open(env, period)
        return {"changed": run_jobs([stage], env, period)}

    launch_step(stage.declared, run_stage, doc=stage.doc)


def launch_step(
    job: Declared, step: Callable[..., Any], options: Sequence[str] = ("period",), *, writes: bool = True, doc: str | None = None
) -> None:
    """Runs any step, `step(env, **options)`, under the writer's lease if it `writes`, and ends the process.

    Prints what the step returns as one JSON document, with the job, the options and the Delta version of every table that the job is
    declared to write; `--outcome FILE` keeps the same for whoever launched it. A step that returns ``ok: false`` ends with 1.
    """
    parser = argparse.ArgumentParser(description=doc or step.__doc__)
    for name in options:
        written, told = _OPTIONS[name]
        parser.add_argument(f"--{name}", required=True, metavar=written, help=told)
    parser.add_argument("--root", help="the lake; LAKEHOUSE_ROOT by default")
    parser.add_argument("--outcome", type=Path, metavar="FILE", help="also write the outcome here")
    given = vars(parser.parse_args())
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Ours alone: py4j tells of every connection, after the answer too.
    logging.getLogger("lakehouse").setLevel(logging.INFO)
    env = None
    try:
        env = Environment(load_settings(root=given["root"]))
        asked = {name: check_period(given[name]) if name in _PERIODS else given[name] for name in options}
        with writer_lease(env.place) if writes else nullcontext():
            outcome = {"job": job.name, **asked, **step(env, **asked)}
            reader = env.reader
            outcome["tables"] = {table.name: reader.version(table.name) for table in job.writes}
    except Exception as error:
        shown = explained(env, error)
        if not isinstance(shown, LakehouseError):
            raise
        print(f"lakehouse: {shown}", file=sys.stderr)  # noqa: T201
        sys.exit(shown.exit_code)
    document = json.dumps(outcome, default=str)
    if given["outcome"]:
        given["outcome"].write_text(document, encoding="utf-8")
    print(document)  # noqa: T201
    sys.exit(0 if outcome.get("ok", True) else 1)
