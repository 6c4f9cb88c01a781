"""What the period's reports say of recordings otherwise than the catalog: an event for each difference, once. It moves nothing."""

from __future__ import annotations

from lakehouse.model.reported_drift import reported_drift
from lakehouse.runs.frame import Append, Work
from lakehouse.store.light import create_tables
from lakehouse.tables import silver
from lakehouse.transforms.local import local_rows
from lakehouse.views.reported import differing_keys, releases_of


def drift_of_reports(work: Work) -> list[Append]:
    """The events that are new, from the decisions of the period as they are written: so a run that was killed leaves none out."""
    env, version = work.env, work.pins[silver.catalog.name]
    reader, linkage = env.reader, env.rules.linkage
    identified = [tier.tier for tier in env.routing.tiers if tier.level == 1]
    said = differing_keys(reader, work.period, env.rules.ruleset, version, identified)
    if not said:
        return []
    known = releases_of(reader, (row["recording_id"] for row in said), version)
    titles = linkage.titles()
    events = reported_drift(said, known, titles, env.routing.is_unknown)
    # A lake made by an earlier version has no such table.
    create_tables(env.place, [silver.reported_drift])
    told = {row["event_id"] for row in reader.sql(f"SELECT event_id FROM {reader.relation(silver.reported_drift.name)}")}
    rows = [{**event, "period": work.period, "catalog_version": version} for event in events if event["event_id"] not in told]
    frame = local_rows(
        env.spark, silver.reported_drift.types, [tuple(row[name] for name in silver.reported_drift.columns) for row in rows]
    )
    return [Append(silver.reported_drift, frame.coalesce(1))] if rows else []
