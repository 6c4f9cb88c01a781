"""Landed files as rows of bronze: each file is read once, in batches; a large one in parts, by several tasks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import pyarrow as pa
from pyspark.accumulators import AccumulatorParam

from lakehouse.sources.controls import ControlTally
from lakehouse.sources.recognise import Dialects
from lakehouse.sources.records import Cut, Record, find_cuts, read_part, read_records
from lakehouse.tables import bronze
from lakehouse.tables.arrow import arrow_type

if TYPE_CHECKING:
    from pyspark.accumulators import Accumulator
    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.store.landing import Receipt

KEY_COLUMNS = ("file_id", "line_no")
BATCH = 20_000
# Delimited files larger than this are read in parts of about this size, by several tasks: so much of a file is in memory at a time.
PART_BYTES = 64 << 20
# What was counted in the parts of files, as JSON: (place of the file among those read, number of the part): counts.
Counts = dict[tuple[int, int], str]


class _Merged(AccumulatorParam[Counts]):
    """A part that is read twice, because its task was tried again, counts once."""

    def zero(self, value: Counts) -> Counts:
        return {}

    def addInPlace(self, value1: Counts, value2: Counts) -> Counts:  # noqa: N802 (Spark's name)
        value1.update(value2)
        return value1


@dataclasses.dataclass(frozen=True)
class Scanned:
    """What is read of some files: `lines` are the rows of bronze.lines, `known` what landing knows of each file."""

    lines: DataFrame
    known: list[dict[str, Any]]
    parts: list[_Part]
    counts: Accumulator[Counts]

    def files(self) -> list[tuple[Any, ...]]:
        """The rows of bronze.files, in its columns. They are counted while `lines` are written, once: ask for them after that."""
        counts = self.counts.value
        tallies: list[list[dict[str, Any]]] = [[] for _ in self.known]
        for part in self.parts:
            tallies[part.file].append(json.loads(counts[part.file, part.number]))
        closed = (_closed(file, of_parts) for file, of_parts in zip(self.known, tallies, strict=True))
        return [tuple(row[name] for name in bronze.files.columns) for row in closed]


def scan_files(
    spark: SparkSession, receipts: Sequence[Receipt], dialects: Dialects, open_file: Callable[[str], BinaryIO], period: str,
    part_bytes: int = PART_BYTES,
) -> Scanned:  # fmt: skip
    """Every record of the files, large ones in parts of about `part_bytes`. `open_file` opens a file by its id, here and in the tasks."""
    known = [{**dataclasses.asdict(r), "dialect": dialects[r.source or ""], "period": period} for r in receipts]
    parts = [part for index, file in enumerate(known) for part in _parts(index, file, open_file, part_bytes)]
    # A task reads several small files: each task pays for the dialects once more.
    tasks = min(len(parts), 2 * spark.sparkContext.defaultParallelism)
    numbers = spark.range(0, len(parts), 1, tasks)
    counts = spark.sparkContext.accumulator({}, _Merged())
    schema = ", ".join(f"{field.name} {field.type}" for field in bronze.lines.fields)
    return Scanned(numbers.mapInArrow(_scanner(known, parts, open_file, counts), schema), known, parts, counts)


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
    known: list[dict[str, Any]], parts: list[_Part], open_file: Callable[[str], BinaryIO], counts: Accumulator[Counts]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = pa.schema([(field.name, arrow_type(field.type)) for field in bronze.lines.fields])

    def batches(numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                part = parts[number]
                counted = yield from _read(known[part.file], part, open_file, schema)
                counts.add({(part.file, part.number): json.dumps(counted)})

    return batches


def _read(
    file: dict[str, Any], part: _Part, open_file: Callable[[str], BinaryIO], schema: pa.Schema
) -> Generator[pa.RecordBatch, None, dict[str, Any]]:
    """The lines of a part; returns what was counted in it."""
    tally, count = _tally(file), 0
    records = _records(file, part, open_file)
    shared = {name: file[name] for name in ("period", "file_id", "source")}
    while chunk := list(islice(records, BATCH)):
        for record in chunk:
            tally.add(record)
        count += len(chunk)
        yield _batch(chunk, shared, schema)
    if part.names:
        return {"lines": count, "state": tally.state()}
    # A file in one part may be of a format whose rows are counted together: then its results stand here, not its sums.
    return {"lines": count, "controls": [dataclasses.asdict(result) for result in tally.results()]}


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
