"""Routing events of the lake in doubt, made as a run makes them, from Arrow batches: no JVM."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from lakehouse.model.routing import Payload
from lakehouse.runs.environment import Environment
from lakehouse.runs.rulesets import unseen_ruleset
from lakehouse.store.light import append_rows
from lakehouse.tables import ops, silver
from lakehouse.transforms.route import _router
from tests.support.doubt import MAY
from tests.support.golden import rows_of
from tests.support.lake import append
from tests.support.published import WHEN


def events_of(env: Environment) -> list[dict[str, Any]]:
    """An event with its payload for every decision in the lake."""
    titles = {row["usage_key"]: row["title"] for row in rows_of(env.reader, "silver.usage")}
    asked = [name for name in Payload.model_fields if name not in ("at_stake", "match_rate", "fidelity")]
    decisions = [
        {**dict.fromkeys(asked), **{name: row[name] for name in asked if name in row},
         "title": titles[row["usage_key"]], "artist": "Kiri Stone", "sources": ["believe"]}
        for row in rows_of(env.reader, "silver.matches")
    ]  # fmt: skip
    money = pa.array([[("EUR", Decimal("12.5"))]] * len(decisions), pa.map_(pa.string(), pa.decimal128(38, 18)))
    rows = pa.RecordBatch.from_pylist(decisions).append_column("money", money)
    (batch,) = _router(env.routing_text, MAY, {"believe": ("0.9", None)})([rows])
    return [{**event, "run_id": "run-1", "decided_at": WHEN} for event in batch.to_pylist()]


def keep_events(env: Environment, events: list[dict[str, Any]]) -> None:
    root = Path(env.root)
    new = unseen_ruleset(env.reader, env.routing_text)
    assert new
    append_rows(env.place, ops.rulesets, [dict(zip(ops.rulesets.columns, new, strict=True))], {"job": "test"})
    append(root, silver.routing_audit, events)
    append(root, silver.routing_payloads, events)
