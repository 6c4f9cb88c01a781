"""The index of a large catalog, kept beside it: made once, and added to when the catalog changes. A small one is made again by every run that asks."""

from __future__ import annotations

from collections.abc import Generator
from math import ceil
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from lakehouse.model.blocks import BLOCKS_VERSION
from lakehouse.model.normalize import NORMALIZER_VERSION
from lakehouse.runs.frame import Append, Work
from lakehouse.store.light import create_tables
from lakehouse.tables import Table, silver
from lakehouse.transforms.reconcile import missing_entries, with_form

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MADE_BY = f"{NORMALIZER_VERSION} {BLOCKS_VERSION}"
# Rows of a catalog from which keeping its index costs less than making it.
_KEPT_FROM = 20_000
# Usage keys that are sent at once to the catalog, wherever its parts are.
_SENT = 300_000


def index_of_catalog(work: Work, catalog: DataFrame) -> Generator[Append, None, DataFrame | None]:
    """The kept index of the catalog at its pin; first, where anything is missing from it, the write that adds that. None for a small catalog."""
    if _count(work, silver.catalog) < _KEPT_FROM:
        return None
    create_tables(work.env.place, [silver.catalog_index])
    version = work.pins[silver.catalog.name]
    kept = _kept(work)
    before = work.env.store.version(silver.catalog_index)
    if not _entries(work, version):
        added = missing_entries(catalog, kept).withColumns(
            {"made_by": F.lit(MADE_BY), "catalog_version": F.lit(version).cast("bigint")}
        )
        yield Append(silver.catalog_index, added)
        # A rehearsal writes nothing: it makes what is missing for itself.
        written = work.env.store.version(silver.catalog_index) != before
        kept = _kept(work) if written else kept.unionByName(added.select(*kept.columns))
        if not written:
            return _of_today(kept, catalog)
    return kept if _entries(work) == _forms(work) else _of_today(kept, catalog)


def parts_to_send(work: Work, keys: DataFrame) -> int:
    """In how many parts these usage keys are sent to every part of the catalog."""
    # There are as many keys as lines at the most: few lines need no counting in Spark.
    return ceil(keys.count() / _SENT) if _count(work, silver.usage) > _SENT else 1


def _forms(work: Work) -> int:
    """How many different recordings, titles and artists the catalog has."""
    reader = work.env.reader
    relation = reader.relation(silver.catalog.name, work.pins[silver.catalog.name])
    distinct = f"SELECT count(*) AS n FROM (SELECT DISTINCT recording_id, title, artist FROM {relation})"
    return int(reader.sql(distinct)[0]["n"])


def _count(work: Work, table: Table, where: str = "true", *given: Any) -> int:
    reader = work.env.reader
    relation = reader.relation(table.name, work.pins.get(table.name))
    return int(reader.sql(f"SELECT count(*) AS n FROM {relation} WHERE {where}", list(given))[0]["n"])


def _entries(work: Work, *more: Any) -> int:
    """How many entries the index has, made as they are made now; for one version of the catalog, where it is given."""
    return _count(work, silver.catalog_index, " AND ".join(["made_by = ?", *["catalog_version = ?"] * len(more)]), MADE_BY, *more)


def _kept(work: Work) -> DataFrame:
    return work.env.store.read(silver.catalog_index).where(F.col("made_by") == MADE_BY).drop("made_by", "catalog_version")


def _of_today(kept: DataFrame, catalog: DataFrame) -> DataFrame:
    """Without the entries of what the catalog no longer holds: they would take the places of others."""
    return kept.join(with_form(catalog).select("form").distinct(), "form", "left_semi")
