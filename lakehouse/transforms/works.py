"""Which works the recordings in DDEX flat files are said to be of: from one record, or from the records of a block."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import functions as F

from lakehouse.model.identifiers import ISRC, ISWC
from lakehouse.sources.dsr_layouts import Layouts
from lakehouse.transforms.local import local_rows

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

ON_ONE_RECORD, IN_ONE_BLOCK = Decimal("0.90"), Decimal("0.80")
_PLACES: Final = {"kind": "string", "isrc_at": "int", "iswc_at": "int", "block_at": "int", "is_resource": "boolean"}
_CONFIDENCE: Final = "decimal(3,2)"


def links_of_reports(lines: DataFrame, layouts: Layouts) -> DataFrame:
    """[isrc, iswc, source, confidence, file_id, line_no]: each pair once for each source, as the surest record says it, the first of several.

    `lines`: rows of bronze.lines of DDEX flat files. A record with both codes says it itself. A block's works are those of its resource where
    it has one alone; of several no one can tell which. Codes that cannot be right are left out.
    """
    places = local_rows(lines.sparkSession, _PLACES, _places(layouts))
    cells = F.split("text", "\t")
    told = lines.select("file_id", "source", "line_no", cells.alias("cells"), cells[0].alias("kind")).join(
        F.broadcast(places), "kind"
    )
    told = told.select(
        "file_id", "source", "line_no", "is_resource", F.get("cells", F.col("block_at")).alias("block"),
        F.transform(F.split(F.coalesce(F.get("cells", F.col("isrc_at")), F.lit("")), r"\|"), _plain).alias("isrcs"),
        _plain(F.coalesce(F.get("cells", F.col("iswc_at")), F.lit(""))).alias("iswc"),
    )  # fmt: skip
    said = told.where("iswc <> ''").select("file_id", "source", "line_no", "isrcs", "iswc", _sure(ON_ONE_RECORD))
    found = said.unionByName(_of_blocks(told)).withColumn("isrc", F.explode("isrcs"))
    valid = found.where(F.col("isrc").rlike(f"^{ISRC}$") & _is_iswc(F.col("iswc")))
    best = F.min(F.struct((-F.col("confidence")).alias("least"), "file_id", "line_no")).alias("best")
    pairs = valid.groupBy("isrc", "iswc", "source").agg(best)
    return pairs.select(
        "isrc", "iswc", "source", (-F.col("best.least")).cast(_CONFIDENCE).alias("confidence"), "best.file_id", "best.line_no"
    )


def _of_blocks(told: DataFrame) -> DataFrame:
    """The works that stand beside the one resource of their block."""
    resource = F.when(F.col("is_resource"), F.col("isrcs"))
    works = F.array_distinct(F.collect_list(F.when(~F.col("is_resource") & (F.col("iswc") != ""), F.struct("line_no", "iswc"))))
    blocks = (
        told.where("block <> ''")
        .groupBy("file_id", "source", "block")
        .agg(F.count(resource).alias("resources"), F.first(resource, ignorenulls=True).alias("isrcs"), works.alias("works"))
    )
    one = blocks.where("resources = 1").select("file_id", "source", "isrcs", F.explode("works").alias("work"))
    return one.select("file_id", "source", "work.line_no", "isrcs", "work.iswc", _sure(IN_ONE_BLOCK))


def _places(layouts: Layouts) -> list[tuple[Any, ...]]:
    """For each record that names a recording or a work, where; of those of a block (AS, MW), which block too."""
    found = []
    for kind, names in sorted(layouts.names.items()):
        isrc, iswc = (names.index(name) if name in names else None for name in ("ISRC", "ISWC"))
        of_block = kind.startswith(("AS", "MW"))
        if iswc is not None or (of_block and isrc is not None):
            found.append((kind, isrc, iswc, names.index("BlockId") if of_block else None, kind.startswith("AS")))
    return found


def _plain(code: Column) -> Column:
    return F.regexp_replace(F.upper(code), "[^0-9A-Z]", "")


def _sure(confidence: Decimal) -> Column:
    return F.lit(confidence).cast(_CONFIDENCE).alias("confidence")


def _is_iswc(iswc: Column) -> Column:
    """`model.identifiers.iswc_check_digit_holds`, natively."""
    digits = [F.substring(iswc, place + 1, 1).try_cast("int") for place in range(1, 11)]
    weighed = sum((place * digit for place, digit in enumerate(digits[:9], start=1)), F.lit(1)) + digits[9]
    return F.coalesce(iswc.rlike(f"^{ISWC}$") & (weighed % 10 == 0), F.lit(False))
