"""Sample reports as rows of the bronze tables, the way the ingest job writes them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lakehouse.settings import conf_dir
from lakehouse.sources.controls import check_controls
from lakehouse.sources.recognise import Dialects, Recognition, load_dialects
from lakehouse.sources.records import read_records
from lakehouse.sources.report import describe_report
from lakehouse.tables import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SAMPLES = Path(__file__).parents[1] / "sources"


@functools.cache
def dialects() -> Dialects:
    """The shipped ones; nothing changes them."""
    return load_dialects([conf_dir() / "sources"])


def recognised(path: Path, known: Dialects, given: Mapping[str, str] = MappingProxyType({})) -> Recognition:
    recognition = known.recognise(path.read_bytes(), path.name, given=given)
    assert recognition.dialect is not None, recognition.reason
    return recognition


def file_row(recognition: Recognition, period: str | None = None) -> dict[str, Any]:
    dialect = recognition.dialect
    assert dialect is not None
    assert recognition.encoding is not None
    facts = describe_report(recognition, period)
    assert facts.report_period is not None
    records = list(read_records(recognition.payload, dialect, recognition.encoding, recognition.variant))
    return {
        "period": facts.report_period,
        "file_id": recognition.file_id,
        "source": dialect.id,
        "dialect_sha256": dialect.sha256,
        "variant": recognition.variant,
        "encoding": recognition.encoding,
        "captured": recognition.captured,
        "name": recognition.name,
        "report_period": facts.report_period,
        "report_key": facts.report_key,
        "bytes": len(recognition.payload),
        "lines": len(records),
        "controls": [vars(control) for control in check_controls(records, dialect, recognition.variant, recognition.captured)],
    }


def line_rows(recognition: Recognition, period: str) -> list[dict[str, Any]]:
    dialect = recognition.dialect
    assert dialect is not None
    assert recognition.encoding is not None
    records = read_records(recognition.payload, dialect, recognition.encoding, recognition.variant)
    carried = {"period": period, "file_id": recognition.file_id, "source": dialect.id}
    return [{**carried, **record._asdict()} for record in records]


def bronze_frames(
    spark: SparkSession, recognitions: Iterable[Recognition], periods: Mapping[str, str] = MappingProxyType({})
) -> tuple[DataFrame, DataFrame]:
    """`bronze.lines` and `bronze.files` of the reports. `periods` gives, by file_id, the month of those that name none."""
    from pyspark.sql.types import StructType

    rows = [(recognition, file_row(recognition, periods.get(recognition.file_id))) for recognition in recognitions]
    files_schema = StructType.fromDDL(bronze.files.ddl.replace(" NOT NULL", ""))
    lines_schema = StructType.fromDDL(bronze.lines.ddl)
    files = [tuple(row.get(name) for name in bronze.files.columns) for _, row in rows]
    lines = [
        tuple(line[name] for name in bronze.lines.columns)
        for recognition, row in rows
        for line in line_rows(recognition, row["period"])
    ]
    return spark.createDataFrame(lines, lines_schema), spark.createDataFrame(files, files_schema)
