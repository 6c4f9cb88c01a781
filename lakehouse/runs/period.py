"""A whole period in one session: every stage up to draft statements, and the reconciliation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lakehouse.errors import Findings, Misuse
from lakehouse.runs.books import check_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import run_jobs
from lakehouse.runs.stages import STAGES
from lakehouse.tables import Table, gold
from lakehouse.views.report import report_period


def run_period(env: Environment, period: str, progress: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Runs the stages and returns the report of the period. A stage whose inputs are as they were does nothing.

    Raises Findings for a closed period, and for one whose publication has begun.
    """
    require_open(env, period)
    total = len(STAGES)
    names = [stage.name for stage in STAGES]
    changed = run_jobs(STAGES, env, period, lambda name: progress(f"[{names.index(name) + 1}/{total}] {name} {period}"))
    return {"period": period, "changed": changed, **report_period(env.reader, period, env.rules.ruleset)}


def require_open(env: Environment, period: str) -> None:
    """Raises Findings where the period is closed or closing, Misuse where it is no period or there is no lake."""
    check_period(period)
    reader = env.reader
    if not reader.exists("gold.periods"):
        raise Misuse(f"{env.root} is not a lake. Run `lakehouse init` first.")
    closed = env.closed_periods()
    if period in closed:
        raise Findings(f"{period} is closed and refuses change. What came late is booked by running the next period.")
    if later := [p for p in closed if p > period]:
        raise Findings(
            f"{later[0]} is closed already, so {period} can no longer be. Its reports are booked by running an open period."
        )
    if publication_has_begun(env, period):
        raise Findings(
            f"The publication of {period} has begun and was interrupted. Run `lakehouse close --period {period}` to finish it."
        )


def publication_has_begun(env: Environment, period: str) -> bool:
    """Whether a close has appended the period to any gold table: rows, or the id of its append where there were no rows."""
    reader = env.reader
    for table in gold.PUBLISHED:
        delta = reader.delta(table.name)
        if delta.transaction_version(publication_id(table, period)) is not None:
            return True
        if delta.file_uris(file_pruning_predicate=[("period", "=", period)]):
            return True
    return False


def publication_id(table: Table, period: str) -> str:
    """The Delta transaction id under which a close appends a period to a gold table."""
    return f"close:{period}:{table.name}"
