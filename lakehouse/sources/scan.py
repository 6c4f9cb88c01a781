"""Landed files as rows of bronze: each file is read once, by one task, in batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from lakehouse.sources.controls import ControlTally
from lakehouse.sources.recognise import Dialects
from lakehouse.sources.records import Record, read_records
from lakehouse.tables import bronze
from lakehouse.tables.arrow import arrow_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.store.landing import Receipt

KEY_COLUMNS = ("file_id", "line_no")
BATCH = 20_000
# The row that closes a file and says what is known of the whole has this line number.
_WHOLE_FILE = 0
_FILE_FIELDS = tuple(field for field in bronze.files.fields if field.name not in bronze.lines.columns)
_SCANNED = (*bronze.lines.fields, *_FILE_FIELDS)
_SCHEMA = ", ".join(f"{field.name} {field.type}" for field in _SCANNED)


def scan_files(
    spark: SparkSession, receipts: Sequence[Receipt], dialects: Dialects, path_of: Callable[[str], str], period: str
) -> DataFrame:
    """Every record of the files, and one closing row for each file. `line_rows` and `file_rows` tell them apart."""
    known = [
        {**dataclasses.asdict(receipt), "path": path_of(receipt.file_id), "dialect": dialects[receipt.source or ""]}
        for receipt in receipts
    ]
    # A task reads several files: each task pays for the dialects once more.
    tasks = min(len(known), 2 * spark.sparkContext.defaultParallelism)
    numbers = spark.createDataFrame([(index,) for index in range(len(known))], "file int").repartition(tasks)
    return numbers.mapInArrow(_scanner(known, period), _SCHEMA)


def line_rows(scanned: DataFrame) -> DataFrame:
    """The rows of bronze.lines."""
    return scanned.where(F.col("line_no") > _WHOLE_FILE).select(*bronze.lines.columns)


def file_rows(scanned: DataFrame) -> DataFrame:
    """The rows of bronze.files."""
    return scanned.where(F.col("line_no") == _WHOLE_FILE).select(*bronze.files.columns)


def _scanner(known: list[dict[str, Any]], period: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = pa.schema([(field.name, arrow_type(field.type)) for field in _SCANNED])

    def batches(numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            for index in batch.column(0).to_pylist():
                yield from _file(known[index], period, schema)

    return batches


def _file(file: dict[str, Any], period: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    dialect = file["dialect"]
    tally, count = ControlTally(dialect, file["variant"], file["captured"]), 0
    records = read_records(Path(file["path"]).read_bytes(), dialect, file["encoding"], file["variant"])
    shared = {"period": period, "file_id": file["file_id"], "source": file["source"]}
    while chunk := list(islice(records, BATCH)):
        for record in chunk:
            tally.add(record)
        count += len(chunk)
        yield _batch(chunk, shared, schema)
    whole = {name: file.get(name) for name in bronze.files.columns}
    controls = [dataclasses.asdict(result) for result in tally.results()]
    received = datetime.fromisoformat(file["received_at"])
    yield pa.RecordBatch.from_pylist(
        [{**whole, **shared, "line_no": _WHOLE_FILE, "lines": count, "controls": controls, "received_at": received}],
        schema=schema,
    )


def _batch(records: list[Record], shared: dict[str, str], schema: pa.Schema) -> pa.RecordBatch:
    """Built by column: a report has millions of records."""
    size = len(records)
    values = {name: list(column) for name, column in zip(Record._fields, zip(*records, strict=True), strict=True)}
    columns = []
    for field in schema:
        if field.name in shared:
            columns.append(pa.repeat(pa.scalar(shared[field.name], field.type), size))
        elif field.name in values:
            columns.append(pa.array(values[field.name], field.type))
        else:
            columns.append(pa.nulls(size, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
