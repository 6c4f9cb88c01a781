"""Landed files as rows of bronze: each file is read once, in batches; a large one in parts, by several tasks."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F

from lakehouse.sources.controls import ControlTally
from lakehouse.sources.recognise import Dialects
from lakehouse.sources.records import Cut, Record, find_cuts, read_part, read_records
from lakehouse.tables import Field, bronze
from lakehouse.tables.arrow import arrow_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.store.landing import Receipt

KEY_COLUMNS = ("file_id", "line_no")
BATCH = 20_000
# Delimited files larger than this are read in parts of about this size, by several tasks: so much of a file is in memory at a time.
PART_BYTES = 64 << 20
# The row that closes a part and says what was counted in it has this line number.
_END_OF_PART = 0
_COUNTED = (
    Field("part", "int", "Which part of the file"),
    Field("tally", "string", "What its controls came to, see ControlTally.state"),
)
_SCANNED = (*bronze.lines.fields, *_COUNTED)
_SCHEMA, _FILES = (", ".join(f"{field.name} {field.type}" for field in fields) for fields in (_SCANNED, bronze.files.fields))


class Scanned(NamedTuple):
    """What was read of some files: `rows` are their lines and the counts of their parts, `known` what landing knows of each."""

    rows: DataFrame
    known: list[dict[str, Any]]

    def line_rows(self) -> DataFrame:
        """The rows of bronze.lines."""
        return self.rows.where(F.col("line_no") > _END_OF_PART).select(*bronze.lines.columns)

    def file_rows(self) -> DataFrame:
        """The rows of bronze.files, in one partition."""
        counts = self.rows.where(F.col("line_no") == _END_OF_PART).select("file_id", "part", "tally").coalesce(1)
        return counts.mapInArrow(_closer({file["file_id"]: file for file in self.known}), _FILES)


def scan_files(
    spark: SparkSession, receipts: Sequence[Receipt], dialects: Dialects, open_file: Callable[[str], BinaryIO], period: str,
    part_bytes: int = PART_BYTES,
) -> Scanned:  # fmt: skip
    """Every record of the files, large ones in parts of about `part_bytes`. `open_file` opens a file by its id, here and in the tasks."""
    known = [{**dataclasses.asdict(r), "dialect": dialects[r.source or ""], "period": period} for r in receipts]
    parts = [part for index, file in enumerate(known) for part in _parts(index, file, open_file, part_bytes)]
    # A task reads several small files: each task pays for the dialects once more.
    tasks = min(len(parts), 2 * spark.sparkContext.defaultParallelism)
    numbers = spark.createDataFrame([(number,) for number in range(len(parts))], "part int").repartition(tasks)
    return Scanned(numbers.mapInArrow(_scanner(known, parts, open_file), _SCHEMA), known)


class _Part(NamedTuple):
    """Bytes of a file: from `cut`, or from its start, to `end`. `names` are those of its header."""

    file: int
    number: int
    cut: Cut | None
    end: int
    names: list[str]


def _parts(index: int, file: dict[str, Any], open_file: Callable[[str], BinaryIO], part_bytes: int) -> list[_Part]:
    names: list[str] = []
    cuts: list[Cut] = []
    if file["bytes"] > part_bytes:
        with open_file(file["file_id"]) as stream:
            names, cuts = find_cuts(stream, file["dialect"], file["encoding"], part_bytes, file["variant"])
    ends = [*(cut.start for cut in cuts), file["bytes"]]
    return [_Part(index, number, cut, end, names) for number, (cut, end) in enumerate(zip([None, *cuts], ends, strict=True))]


def _scanner(
    known: list[dict[str, Any]], parts: list[_Part], open_file: Callable[[str], BinaryIO]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = pa.schema([(field.name, arrow_type(field.type)) for field in _SCANNED])

    def batches(numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield from _read(known[parts[number].file], parts[number], open_file, schema)

    return batches


def _read(file: dict[str, Any], part: _Part, open_file: Callable[[str], BinaryIO], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    tally, count = _tally(file), 0
    records = _records(file, part, open_file)
    shared = {name: file[name] for name in ("period", "file_id", "source")}
    while chunk := list(islice(records, BATCH)):
        for record in chunk:
            tally.add(record)
        count += len(chunk)
        yield _batch(chunk, shared, schema)
    # A file in one part may be of a format whose rows are counted together: then its results stand here, not its sums.
    counted: dict[str, Any] = {"lines": count, "state": tally.state() if part.names else None}
    if not part.names:
        counted["controls"] = [dataclasses.asdict(result) for result in tally.results()]
    row = {**shared, "line_no": _END_OF_PART, "part": part.number, "tally": json.dumps(counted)}
    yield pa.RecordBatch.from_pylist([row], schema=schema)


def _tally(file: dict[str, Any]) -> ControlTally:
    return ControlTally(file["dialect"], file["variant"], file["captured"])


def _records(file: dict[str, Any], part: _Part, open_file: Callable[[str], BinaryIO]) -> Iterator[Record]:
    dialect, encoding, variant = file["dialect"], file["encoding"], file["variant"]
    with open_file(file["file_id"]) as stream:
        stream.seek(part.cut.start if part.cut else 0)
        content = stream.read(part.end - stream.tell())
    if part.cut is None:
        return read_records(content, dialect, encoding, variant)
    return read_part(content, part.cut, part.names, dialect, encoding, variant)


def _closer(known: dict[str, dict[str, Any]]) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Joins the counts of each file's parts into its row of bronze.files."""
    schema = pa.schema([(field.name, arrow_type(field.type)) for field in bronze.files.fields])

    def batches(counts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        of_file: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in (row for batch in counts for row in batch.to_pylist()):
            of_file[row["file_id"]].append(row)
        for file_id, rows in sorted(of_file.items()):
            parts = [json.loads(row["tally"]) for row in sorted(rows, key=lambda row: row["part"])]
            yield pa.RecordBatch.from_pylist([_closed(known[file_id], parts)], schema=schema)

    return batches


def _closed(file: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    controls = parts[0].get("controls")
    if controls is None:
        tally = _tally(file)
        for part in parts:
            tally.absorb(part["state"])
        controls = [dataclasses.asdict(result) for result in tally.results()]
    whole = {name: file.get(name) for name in bronze.files.columns}
    received = datetime.fromisoformat(file["received_at"])
    return {**whole, "lines": sum(part["lines"] for part in parts), "controls": controls, "received_at": received}


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
