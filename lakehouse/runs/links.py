"""Links of recordings to works that the period's reports say, on their way into silver.isrc_iswc."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.runs.frame import Append, Work
from lakehouse.tables import bronze, silver
from lakehouse.transforms.works import links_of_reports


def reported_links(work: Work) -> list[Append]:
    """The pairs that the period's DDEX flat files say first; nothing where the period has none."""
    env, reader, found = work.env, work.env.reader, []
    files = reader.relation(bronze.files.name, work.pins[bronze.files.name], where={"period": work.period})
    for row in reader.sql(f"SELECT source, list(file_id ORDER BY file_id) AS file_ids FROM {files} GROUP BY 1 ORDER BY 1"):
        dialect = env.dialects.by_id.get(row["source"])
        if dialect is not None and dialect.dsr is not None:
            lines = work.read_period(bronze.lines).join(work.reports(row["file_ids"]), "file_id", "left_semi")
            found.append(links_of_reports(lines, dialect.layouts))
    if not found:
        return []
    # As the table is now: what a run that was killed has written is not written again.
    known = env.store.read(silver.isrc_iswc).select(*silver.isrc_iswc.grain)
    own = {"period": F.lit(work.period), "catalog_version": F.lit(None).cast("bigint")}
    fresh = reduce(DataFrame.unionByName, found).join(known, [*silver.isrc_iswc.grain], "left_anti").withColumns(own)
    return [Append(silver.isrc_iswc, fresh.select(*silver.isrc_iswc.columns).coalesce(1))]
