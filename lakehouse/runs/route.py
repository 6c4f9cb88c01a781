"""Routing by itself: an event for each of the period's decisions that has none under today's routing document."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import functions as F

from lakehouse.model.routing import ruleset_sha256
from lakehouse.runs import declared
from lakehouse.runs.frame import Append, Replace, Work, job
from lakehouse.runs.linked import linked_works
from lakehouse.runs.routing import routed, routing_events
from lakehouse.runs.rulesets import matching_rules
from lakehouse.runs.stages import IDENTITY
from lakehouse.tables import silver
from lakehouse.transforms.route import reported


@job(declared.ROUTE, rules=matching_rules)
def route(work: Work) -> Sequence[Append | Replace]:
    """Routes what is decided and not routed. After a run of `reconcile`, which routes what it decides, there is nothing to do."""
    now = (F.col("ruleset") == work.env.rules.ruleset) & (F.col("catalog_version") == work.pins[silver.catalog.name])
    known = work.env.store.read(silver.routing_audit, up_to=work.period)
    known = known.where(F.col("routing_sha256") == ruleset_sha256(work.env.routing_text)).select("usage_key")
    waiting = work.cut(work.read_period(silver.matches).where(now).join(known, "usage_key", "left_anti"))
    keys = reported(work.read(silver.usage), IDENTITY)
    linked = linked_works(work, keys.join(waiting.select("usage_key"), "usage_key", "left_semi"))
    return routed(work, routing_events(work, waiting.join(keys, "usage_key"), linked))
