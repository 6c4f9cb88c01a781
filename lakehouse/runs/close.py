"""Closing a period: its drafts become gold, with roots, manifest and pins. The row in gold.periods comes last."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import lakehouse
from lakehouse.errors import Findings
from lakehouse.model.content_root import Root
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import latest_runs
from lakehouse.runs.outcomes import keep_outcomes, outcomes_of
from lakehouse.runs.period import publication_has_begun, publication_id, require_open
from lakehouse.runs.stages import STAGES
from lakehouse.store import duck
from lakehouse.store.manifest import build_manifest, publication, write_manifest
from lakehouse.tables import Table, gold
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.roots import table_roots


def close_period(env: Environment, period: str) -> dict[str, Any]:
    """Publishes the drafts; a second close says the same and changes nothing.

    {period, root, rows, totals, delta_versions}. Raises Findings where the drafts are not those of today's inputs.
    """
    if period in env.closed_periods():
        return _published(env, period)
    if not publication_has_begun(env, period):
        require_open(env, period)
        _require_fresh(env, period)
    runs = latest_runs(env, period)
    with ThreadPoolExecutor(5) as pool:
        drafted = pool.submit(_draft_roots, env, period)
        outcomes = pool.submit(outcomes_of, env, period, {n: int(v) for n, v in runs["resolve"]["reads"].items()})
        appended = pool.map(lambda draft, table: _append(env, draft, table, period), gold.DRAFTS, gold.PUBLISHED)
        versions = {table.name: version for table, version in zip(gold.PUBLISHED, appended, strict=True)}
    roots = _written_roots(env, period, versions, drafted.result())
    keep_outcomes(env, period, outcomes.result())
    manifest = build_manifest(
        env.reader, period, roots, versions,
        pins=_pins(runs),
        book_sha256=env.book(int(runs["resolve"]["reads"]["silver.contracts"])).sha256,
        rules_sha256=env.rules_sha256,
        code_version=lakehouse.__version__,
    )  # fmt: skip
    row = {**publication(manifest, write_manifest(env.reader, manifest)), "closed_at": datetime.now(timezone.utc)}
    frame = local_rows(env.spark, gold.periods.types, [tuple(row[column] for column in gold.periods.columns)])
    env.store.append(
        gold.periods, frame.coalesce(1), {"job": "close", "period": period, "root": row["root"]}, once=f"close:{period}"
    )
    return _published(env, period)


def _pins(runs: dict[str, dict[str, Any]]) -> dict[str, int]:
    """The version at which each input table was read; where stages read it one after the other, the last."""
    reads = [(name, int(version)) for run in runs.values() for name, version in run["reads"].items()]
    return {
        name: max(v for n, v in reads if n == name) for name in sorted({n for n, _ in reads}) if not name.startswith("draft.")
    }


def _draft_roots(env: Environment, period: str) -> dict[str, Root]:
    """The roots of the drafts, by DuckDB: what Spark publishes is held against another engine's word."""
    reader = env.reader
    return {
        table.name: duck.table_root(reader.connection, reader.relation(draft.name, where={"period": period}), table)
        for draft, table in zip(gold.DRAFTS, gold.PUBLISHED, strict=True)
    }


def _append(env: Environment, draft: Table, table: Table, period: str) -> int:
    """Appends the drafts, once, and returns the version of the table after."""
    rows = env.store.read(draft, period=period)
    return env.store.append(table, rows, {"job": "close", "period": period}, once=publication_id(table, period))


def _written_roots(env: Environment, period: str, versions: Mapping[str, int], drafted: Mapping[str, Root]) -> dict[str, Root]:
    """The roots of what is in gold, held against the drafts'. Raises Findings where the two differ."""
    tables = {table.name: table for table in gold.PUBLISHED}
    written = table_roots(tables, {name: env.store.read(table, versions[name], period=period) for name, table in tables.items()})
    for name, root in written.items():
        if drafted[name] != root:
            raise Findings(
                f"{name} holds other rows of {period} than the draft (root {root.root[:16]}, not {drafted[name].root[:16]}): "
                "an earlier close published something else. Nothing more was written; compare the two with `lakehouse history`."
            )
    return written


def _require_fresh(env: Environment, period: str) -> None:
    runs = latest_runs(env, period)
    stale = [stage.name for stage in STAGES if runs.get(stage.name, {}).get("fingerprint") != stage.fingerprint(env, period)]
    if stale:
        raise Findings(
            f"The drafts of {period} are not those of today's inputs ({', '.join(stale)}). Run `lakehouse run --period {period}` first."
        )


def _published(env: Environment, period: str) -> dict[str, Any]:
    reader = env.reader
    row = reader.sql(f"SELECT * FROM {reader.relation(gold.periods.name)} WHERE period = ?", [period])[0]
    return {
        "period": period, "root": row["root"], "rows": row["rows"], "totals": dict(row["totals"]),
        "delta_versions": {name: int(version) for name, version in row["delta_versions"].items()},
    }  # fmt: skip
