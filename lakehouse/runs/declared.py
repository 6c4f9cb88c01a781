"""What every job reads and writes: declared once, without Spark, so that a scheduler can draw its edges from here.

The functions themselves are in `stages.py` and beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lakehouse.tables import Table, bronze, gold, ops, silver

DRAFT = {table.name.split(".")[1]: table for table in gold.DRAFTS}


@dataclass(frozen=True)
class Declared:
    """A job by its name, which is also that of its file in jobs/, with the tables it reads and those it writes."""

    name: str
    reads: tuple[Table, ...]
    writes: tuple[Table, ...]


INGEST = Declared("ingest", reads=(gold.periods,), writes=(bronze.lines, bronze.files))

CONFORM = Declared(
    "conform",
    reads=(bronze.files, bronze.lines, ops.releases, ops.file_releases),
    writes=(silver.isrc_iswc, ops.held_files, ops.quarantine, ops.ignored, silver.usage),
)

RECONCILE = Declared(
    "reconcile",
    reads=(
        silver.usage,
        silver.catalog,
        silver.drift_events,
        silver.isrc_iswc,
        ops.reviews,
        ops.quarantine,
        gold.holding,
        gold.royalty_lines,
        gold.periods,
    ),
    writes=(
        silver.catalog_index,
        ops.rulesets,
        silver.routing_payloads,
        silver.routing_audit,
        silver.matches,
        silver.reported_drift,
    ),
)

# What reconcile leaves to do: the decisions of a lake from before there was routing, or of a routing document that was not there.
ROUTE = Declared(
    "route",
    reads=(silver.usage, silver.catalog, silver.isrc_iswc, silver.matches, ops.quarantine, gold.holding, gold.periods),
    writes=(ops.rulesets, silver.routing_payloads, silver.routing_audit),
)

RESOLVE = Declared(
    "resolve",
    reads=(
        bronze.files, silver.usage, silver.matches, silver.routing_audit, silver.catalog, silver.drift_events, silver.contracts, ops.held_files, ops.file_releases,
        ops.unclaimed_releases, ops.holding_adjustments, gold.holding, gold.royalty_lines, gold.balances, gold.periods,
    ),
    writes=(silver.duplicates, DRAFT["royalty_lines"], DRAFT["holding"]),
)  # fmt: skip

STATE = Declared(
    "state",
    reads=(
        DRAFT["royalty_lines"], DRAFT["holding"], bronze.files, silver.usage, silver.contracts, silver.account_events, ops.quarantine,
        ops.releases, ops.held_files, ops.file_releases, gold.balances, gold.conservation, gold.periods,
    ),
    writes=(DRAFT["statements"], DRAFT["ledger"], DRAFT["balances"], DRAFT["conservation"], DRAFT["partitions"]),
)  # fmt: skip


def together(name: str, jobs: Sequence[Declared]) -> Declared:
    """One job that does the work of several, in their order: what it reads is what none of them has written before."""
    written: dict[str, Table] = {}
    read: dict[str, Table] = {}
    for job in jobs:
        read |= {table.name: table for table in job.reads if table.name not in written}
        written |= {table.name: table for table in job.writes}
    return Declared(name, tuple(read.values()), tuple(written.values()))


STAGES = (INGEST, CONFORM, RECONCILE, RESOLVE, STATE)
REPORT = Declared(
    "report",
    reads=(
        bronze.files, bronze.lines, silver.usage, silver.matches, silver.duplicates, ops.ignored, ops.quarantine, ops.releases,
        ops.held_files, ops.file_releases, DRAFT["conservation"], DRAFT["statements"],
    ),
    writes=(),
)  # fmt: skip
CLOSE = Declared(
    "close",
    reads=(
        *gold.DRAFTS, silver.contracts, bronze.files, silver.usage, silver.matches, silver.routing_audit, ops.held_files, ops.file_releases,
    ),
    writes=(*gold.PUBLISHED, gold.fallback_outcomes, gold.periods),
)  # fmt: skip
VERIFY = Declared("verify", reads=(*gold.PUBLISHED, gold.periods), writes=())
EXPORT = Declared("export", reads=(*gold.PUBLISHED, gold.periods, silver.catalog), writes=())
REPLAY = together("replay", (RECONCILE, RESOLVE, STATE))
BACKFILL = together("backfill", (*STAGES, CLOSE))
# Files and logs of what is not published: no row changes.
UPKEEP = Declared("upkeep", reads=(), writes=())
LAND = Declared("land", reads=(), writes=())
