"""Every table of the lake, declared once."""

from lakehouse.tables import bronze, gold, ops, silver
from lakehouse.tables.declare import Field, Table

ALL: tuple[Table, ...] = (
    bronze.files, bronze.lines,
    silver.usage, silver.catalog, silver.catalog_index, silver.drift_events, silver.reported_drift, silver.isrc_iswc, silver.releases, silver.parties, silver.contributors, silver.deals, silver.contracts,
    silver.account_events, silver.matches, silver.routing_payloads, silver.routing_audit, silver.duplicates,
    ops.quarantine, ops.ignored, ops.releases, ops.unclaimed_releases, ops.holding_adjustments, ops.reviews, ops.drift_dismissals, ops.rulesets, ops.held_files, ops.file_releases, ops.quality_results,
    ops.runs,
    *gold.DRAFTS, *gold.PUBLISHED, gold.fallback_outcomes, gold.periods,
)  # fmt: skip


def table(name: str) -> Table:
    """The table of that name, such as ``gold.statements``."""
    for candidate in ALL:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no table named {name!r}; tables are {', '.join(t.name for t in ALL)}")


__all__ = ["ALL", "Field", "Table", "bronze", "gold", "ops", "silver", "table"]
