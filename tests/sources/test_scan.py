"""Landed files as rows of bronze: the same in parts as in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.sources.scan import scan_files
from lakehouse.sources.told import Told
from lakehouse.store.landing import Landing
from lakehouse.tables import bronze
from tests.support.reports import SAMPLES, dialects

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
PERIOD = "2026-05"
# A footer with its count, sums of columns, quoted cells, and a flat file, which is never cut.
SOURCES = ("itunes_financial", "prs_short", "fuga", "bandcamp_17", "dsr_basic_audio")


def rows(found: DataFrame) -> list[dict[str, Any]]:
    written = [row.asDict(recursive=True) for row in found.collect()]
    return sorted(written, key=lambda row: (row["file_id"], row.get("line_no", 0)))


def test_files_in_parts_give_the_rows_of_files_in_one(tmp_path: Path, spark: SparkSession) -> None:
    landing, known = Landing(str(tmp_path)), dialects()
    for source in SOURCES:
        sample = next(path for path in sorted((SAMPLES / source).glob("sample.*")))
        landed = landing.put(
            sample, known, period=PERIOD, told=Told(control={"revenue": "1", "units": "2"}, given={"currency": "EUR"})
        )
        assert landed.status == "landed", landed.reason
    receipts = list(landing.receipts(PERIOD))
    whole = scan_files(spark, receipts, known, landing.open, PERIOD)
    parts = scan_files(spark, receipts, known, landing.open, PERIOD, part_bytes=300)
    assert rows(parts.lines) == rows(whole.lines)
    files = whole.files()
    assert parts.files() == files
    assert len(files) == len(SOURCES)
    assert all(file[bronze.files.columns.index("controls")] for file in files)
    assert len(parts.parts) > 2 * len(SOURCES)
