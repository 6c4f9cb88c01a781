"""What became of a period's usage, kept when it is closed: gold.fallback_outcomes. No JVM, and no part of the period's root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lakehouse.model.outcomes import with_trends
from lakehouse.runs.environment import Environment
from lakehouse.runs.period import publication_id
from lakehouse.store.light import append_rows, create_tables
from lakehouse.tables import gold
from lakehouse.views.outcomes import fallback_outcomes, recorded_outcomes


def outcomes_of(env: Environment, period: str, as_read: Mapping[str, int]) -> list[dict[str, Any]]:
    """The period's rows, from the Delta versions at which its drafts read their inputs, beside those of the periods closed before it."""
    reader = env.reader
    return with_trends(fallback_outcomes(reader, env.rules.ruleset, period, as_read), recorded_outcomes(reader, period))


def keep_outcomes(env: Environment, period: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Appends them, once. Call it when the publication of the period has begun: before that its drafts may still change."""
    # A lake made by an earlier version has no such table.
    create_tables(env.place, [gold.fallback_outcomes])
    once = publication_id(gold.fallback_outcomes, period)
    append_rows(env.place, gold.fallback_outcomes, rows, {"job": "close", "period": period}, once)
