"""The works that unclaimed usage keys are linked to by their ISRC: for routing, which records them, and for resolving, which pays on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.model.book import ContractBook
from lakehouse.model.routing import read_ruleset, ruleset_sha256
from lakehouse.runs.catalog_links import CATALOG
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Work
from lakehouse.tables import ops, silver

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def pays_on_works(work: Work, book: ContractBook) -> bool:
    """Whether publishing is paid on works. Not where usage is pooled: `contracts load` refuses such a book."""
    return bool(work.env.routing.works and book.of_works and not book.rules.pools)


def has_paid_on_works(env: Environment) -> bool:
    """Whether lines of closed books may be paid on works: a routing document that this lake has used asked for it, or today's does."""
    reader = env.reader
    texts = [row["text"] for row in reader.sql(f"SELECT text FROM {reader.relation(ops.rulesets.name)}")]
    return any(ruleset.works for ruleset in (env.routing, *map(read_ruleset, texts)))


def linked_works(work: Work, keys: DataFrame) -> DataFrame | None:
    """[usage_key, works] of the keys ([usage_key, isrc]) whose ISRC is linked to works; None where the routing document does not ask."""
    asked = work.env.routing.works
    if asked is None:
        return None
    links = work.read(silver.isrc_iswc).where(F.col("confidence") >= F.lit(asked.confidence))
    today = work.read(silver.catalog).select("isrc", "iswc").distinct()
    said = links.where(F.col("source") == CATALOG).join(today, ["isrc", "iswc"], "left_semi")
    pairs = links.where(F.col("source") != CATALOG).select("isrc", "iswc").unionByName(said.select("isrc", "iswc"))
    works = F.array_sort(F.collect_set("iswc")).alias("works")
    return work.cut(pairs.join(F.broadcast(keys.select("usage_key", "isrc")), "isrc").groupBy("usage_key").agg(works))


def newly_linked(work: Work, decided: DataFrame, linked: DataFrame) -> DataFrame:
    """Of decisions that stand, those that were routed with other works than their keys are linked to now. In the columns of silver.matches."""
    told = _newest_events(work, work.env.store.read(silver.routing_audit, up_to=work.period)).select(
        "usage_key", F.col("works").alias("routed")
    )
    unclaimed = decided.where("reconciliation_status = 'UNCLAIMED'").join(linked, "usage_key").join(told, "usage_key")
    return unclaimed.where(~F.col("works").eqNullSafe(F.col("routed"))).select(*silver.matches.columns)


def routed_works(work: Work, events: DataFrame) -> DataFrame:
    """[usage_key, works] as the newest of these routing events of each key under today's document has them."""
    return work.cut(_newest_events(work, events).where("works IS NOT NULL").select("usage_key", "works"))


def _newest_events(work: Work, events: DataFrame) -> DataFrame:
    newest = Window.partitionBy("usage_key").orderBy(F.desc("decided_at"), F.desc("event_id"))
    own = events.where(F.col("routing_sha256") == ruleset_sha256(work.env.routing_text))
    return own.withColumn("age", F.row_number().over(newest)).where("age = 1")
