"""Routing in a job: events for the matcher's decisions, from all that a payload is made of, and what is written of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.runs.frame import Append, Work
from lakehouse.runs.rulesets import unseen_ruleset
from lakehouse.tables import ops, silver
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.route import latest_events, route
from lakehouse.views.record import source_records

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def routing_events(work: Work, proposed: DataFrame, linked: DataFrame | None = None) -> DataFrame:
    """An event for each of the matcher's decisions. In: the columns of silver.matches and of `reported`; [usage_key, works]."""
    unclaimed = F.col("reconciliation_status") == "UNCLAIMED"
    works = F.when(unclaimed, F.col("works")) if linked is not None else F.lit(None).cast("array<string>")
    proposed = (proposed.join(linked, "usage_key", "left") if linked is not None else proposed).withColumn("works", works)
    proposed = _with_deficiencies(work, proposed)
    records = source_records(work.env.reader, work.env.routing.score.periods, work.period)
    record = {row["source"]: (row["match_rate"], row["fidelity"]) for row in records}
    return work.cut(route(proposed, work.env.routing_text, work.period, record))


def routed(work: Work, events: DataFrame) -> list[Append]:
    """What is written of routing events: the document, where it is new to the lake, payloads and events, each once."""
    store, up_to = work.env.store, work.period
    new = unseen_ruleset(work.env.reader, work.env.routing_text)
    payloads = events.select("period", "payload_sha256", "payload")
    known = store.read(silver.routing_audit, up_to=up_to)
    kept = store.read(silver.routing_payloads, up_to=up_to).select("payload_sha256")
    fresh = events.join(known.select("event_id"), "event_id", "left_anti").join(latest_events(known), "usage_key", "left")
    return [
        *([Append(ops.rulesets, local_rows(work.env.spark, ops.rulesets.types, [new]))] if new else []),
        Append(silver.routing_payloads, payloads.join(kept, "payload_sha256", "left_anti").coalesce(1)),
        Append(
            silver.routing_audit,
            fresh.withColumns({"run_id": F.lit(work.run_id), "decided_at": F.current_timestamp()}).coalesce(1),
        ),
    ]


def _with_deficiencies(work: Work, proposed: DataFrame) -> DataFrame:
    """With what the DDEX message of each recording that was found gets wrong, as far as the routing document asks for it."""
    asked, catalog = list(work.env.routing.deficiencies), silver.catalog.name
    version, reader = work.pins[catalog], work.env.reader
    any_ = f"SELECT 1 FROM {reader.relation(catalog, version)} WHERE list_has_any(deficiencies, ?) LIMIT 1"
    if not (asked and reader.sql(any_, [asked])):
        return proposed.withColumn("deficiencies", F.lit(None).cast("array<string>"))
    wrong = work.read(silver.catalog).select(
        "recording_id", F.explode(F.array_intersect("deficiencies", F.array(*map(F.lit, asked))))
    )
    of_recordings = wrong.groupBy("recording_id").agg(F.array_sort(F.collect_set("col")).alias("deficiencies"))
    return proposed.join(of_recordings, "recording_id", "left")
