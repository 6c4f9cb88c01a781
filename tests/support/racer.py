"""One of many that do the same month at once: ingests, runs and closes, whoever comes first.    python -m tests.support.racer ROOT PERIOD"""

from __future__ import annotations

import json
import sys

from lakehouse.errors import LakehouseError
from lakehouse.runs.close import close_period
from lakehouse.runs.land import take_incoming
from lakehouse.runs.period import publication_has_begun, run_period
from lakehouse.store.lease import lease_of, writer_lease
from tests.support.lakes import environment


def main(root: str, period: str) -> None:
    """Prints the published root, and under which lease it was seen."""
    env = environment(root)
    take_incoming(env)
    with writer_lease(env.place):
        lease = lease_of(env.place)
        print(json.dumps({"fence": lease.fence if lease else None}), flush=True)
        if period not in env.closed_periods() and not publication_has_begun(env, period):
            run_period(env, period)
        print(json.dumps(close_period(env, period)), flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except LakehouseError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
