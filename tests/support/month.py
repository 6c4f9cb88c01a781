"""A whole month in one process and one Spark session: what a driver of its own does.    python -m tests.support.month ROOT LABEL PERIOD REPORT..."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lakehouse.runs.admin import init_lake, load_catalog, load_contracts
from lakehouse.runs.close import close_period
from lakehouse.runs.period import run_period
from lakehouse.store.lease import writer_lease
from tests.support.lakes import environment


def main(root: str, label: Path, period: str, *reports: str) -> None:
    """From nothing to a closed period; prints what was closed, and whether a second run wrote anything."""
    env = environment(root)
    with writer_lease(env.place, wait_seconds=60, new=True):
        init_lake(env)
        load_catalog(env, [label / "catalog.csv"])
        load_contracts(env, label / "contracts")
    for report in reports:
        env.landing.put(label / "reports" / report, env.dialects)
    with writer_lease(env.place, wait_seconds=60):
        run_period(env, period)
        again = run_period(env, period)["changed"]
        print(json.dumps({"closed": close_period(env, period), "again": again}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
