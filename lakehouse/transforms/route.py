"""Routing of the matcher's decisions: one event for each, by the rules of `lakehouse.model.routing`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.model.routing import Payload, Ruleset, event_id, read_ruleset, ruleset_sha256
from lakehouse.tables import silver
from lakehouse.tables.arrow import arrow_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# What an event says, but for the run and the event before it; and the text of its payload.
_EVENT = (
    *(field for field in silver.routing_audit.fields if field.name not in ("run_id", "decided_at", "supersedes")),
    silver.routing_payloads.field("payload"),
)


def route(decisions: DataFrame, text: str, period: str) -> DataFrame:
    """An event, with its payload, for each decision, under the routing document `text`.

    In: the columns of silver.matches, and the identity as reported. Out: silver.routing_audit without run_id, decided_at and supersedes.
    """
    schema = ", ".join(f"{field.name} {field.type}" for field in _EVENT)
    columns = [*(name for name in Payload.model_fields if name != "match_confidence"), "match_confidence"]
    return decisions.select(*columns).mapInArrow(_router(text, period), schema)


def _router(text: str, period: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = pa.schema([(field.name, arrow_type(field.type)) for field in _EVENT])

    def batches(decisions: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        ruleset, digest = read_ruleset(text), ruleset_sha256(text)
        for batch in decisions:
            yield pa.RecordBatch.from_pylist([_event(row, ruleset, digest, period) for row in batch.to_pylist()], schema=schema)

    return batches


def _event(row: dict[str, Any], ruleset: Ruleset, digest: str, period: str) -> dict[str, Any]:
    payload = Payload(**{**row, "match_confidence": repr(row["match_confidence"])})
    decision, sha256 = ruleset.decide(payload), payload.sha256
    return {
        "period": period, "event_id": event_id(sha256, digest), "usage_key": payload.usage_key, "payload_sha256": sha256,
        "rule_id": decision.rule_id, "path": list(decision.path), "gap": decision.gap, "destination": f"{decision.to}/period={period}",
        "routing_version": ruleset.version, "routing_sha256": digest, "payload": payload.canonical(),
    }  # fmt: skip


def latest_events(events: DataFrame) -> DataFrame:
    """[usage_key, supersedes]: the newest event of each key, which the next one takes the place of."""
    newest = Window.partitionBy("usage_key").orderBy(F.desc("decided_at"), F.desc("event_id"))
    numbered = events.withColumn("age", F.row_number().over(newest)).where("age = 1")
    return numbered.select("usage_key", F.col("event_id").alias("supersedes"))
