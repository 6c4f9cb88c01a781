"""What a person needs to know of a period before closing it: the reconciliation, and what is missing."""

from __future__ import annotations

from typing import Any

from lakehouse.runs.environment import Environment
from lakehouse.views.missing import missing_reports
from lakehouse.views.report import report_period


def report(env: Environment, period: str) -> dict[str, Any]:
    """The shape of `lakehouse run --json`, without `changed`, and `missing`: the reports that the statements do without."""
    reader = env.reader
    return {**report_period(reader, period, env.rules.ruleset), "missing": missing_reports(reader, period)}
