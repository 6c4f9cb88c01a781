"""Several periods one after the other, as when a lake is filled with its past."""

from __future__ import annotations

from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.period import next_period
from lakehouse.runs.close import close_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.period import run_period


def backfill(env: Environment, first: str, last: str, close: str) -> dict[str, Any]:
    """Runs the periods from `first` to `last` in order and, with `close` yes, publishes each before the next: its balances are the
    next one's openings. Periods that are closed stay as they are. {periods: [{period, status, root}]}: drafted, closed or untouched.

    Stops at the first period that fails, which leaves those before it done.
    """
    if first > last:
        raise Misuse(f"{first} is after {last}: give the first period first.")
    if close not in ("yes", "no"):
        raise Misuse(f"close is {close!r}: say yes or no.")
    done, period = [], first
    while period <= last:
        if period in env.closed_periods():
            done.append({"period": period, "status": "untouched", "root": None})
        else:
            run_period(env, period)
            root = close_period(env, period)["root"] if close == "yes" else None
            done.append({"period": period, "status": "closed" if root else "drafted", "root": root})
        period = next_period(period)
    return {"periods": done}
