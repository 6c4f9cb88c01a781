"""Conform the rows of every report to one shape: usage lines, lines that are not income, and lines that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from lakehouse.checks.rows import CARRIED, REASONS_TYPE, judge, split
from lakehouse.model.keys import KEY_FIELDS, usage_key
from lakehouse.model.usage import FIELDS
from lakehouse.sources.columns import ColumnReader, Read
from lakehouse.sources.dialect import REPORT_PERIOD
from lakehouse.sources.recognise import Dialects
from lakehouse.tables import ops, silver
from lakehouse.transforms.combinations import codes, distinct

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_PASSED_ON = (*CARRIED, "report_period")
_IDENTITY = tuple(list(FIELDS).index(name) for name in KEY_FIELDS)


class Conformed(NamedTuple):
    """The rows of `silver.usage`, `ops.ignored` and `ops.quarantine` that the lines become: each line is in exactly one."""

    usage: DataFrame
    ignored: DataFrame
    quarantine: DataFrame


def conform(
    lines: DataFrame, files: DataFrame, dialects: Dialects, keep: Callable[[DataFrame], DataFrame] = lambda rows: rows
) -> Conformed:
    """Reads each data line (`bronze.lines`) by the dialect and variant of its file (`bronze.files`).

    The dialect's map is read in Arrow batches, once for each distinct combination of cells; typing and judging the canonical text is
    native. The three results share the first half: `keep` may persist it.
    """
    of_file = files.select("file_id", "variant", "captured", "report_period", "dialect_sha256")
    rows = (
        lines.where("kind = 'data'")
        .join(F.broadcast(of_file), "file_id")
        .select(*_PASSED_ON, "error", "variant", F.map_entries(_captured()).alias("captured"))
    )
    types = {field.name: field.dataType.simpleString() for field in rows.schema}
    passed = [f"{name} {types[name]}" for name in _PASSED_ON]
    fields = [f"{name} string" for name in FIELDS]
    beside = ["amounts map<string,string>", "oddities array<string>"]
    read = rows.mapInArrow(
        _reader(dialects), ", ".join([*passed, *fields, f"faults {REASONS_TYPE}", "usage_key string", *beside])
    )
    good, ignored, rejected = split(keep(judge(read)))
    return Conformed(
        usage=good.select(*silver.usage.columns),
        ignored=ignored.select(*ops.ignored.columns),
        quarantine=rejected.select(*ops.quarantine.columns),
    )


def _captured() -> Column:
    """What was captured from a file, and its statement month: some reports name none, and their rows take the file's."""
    return F.map_concat("captured", F.create_map(F.lit(REPORT_PERIOD), "report_period"))


def _reader(dialects: Dialects) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def batches(rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        reader_of = cache(lambda source, variant: ColumnReader(dialects[source].under(variant)))
        key_of = lru_cache(maxsize=200_000)(usage_key)
        for batch in rows:
            for file in _by_file(batch):
                first = {name: file.column(name)[0].as_py() for name in ("source", "variant", "captured")}
                captured = {entry["key"]: entry["value"] for entry in first["captured"] or ()}
                reader = reader_of(first["source"], first["variant"])
                by_column = pc.and_(reader.fits(file.column("cells")), pc.is_null(file.column("error")))
                if plain := _chosen(file, by_column):
                    yield _canonical(plain, reader.read(plain.column("cells"), captured), key_of)
                if others := _chosen(file, pc.invert(by_column)):
                    read = reader.read_one_by_one(others.column("cells"), others.column("error"), captured)
                    yield _canonical(others, read, key_of)

    return batches


def _by_file(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    files = batch.column("file_id")
    for file_id in files.unique():
        if chosen := _chosen(batch, pc.equal(files, file_id)):
            yield chosen


def _chosen(batch: pa.RecordBatch, mask: pa.BooleanArray) -> pa.RecordBatch | None:
    """The rows under the mask; None where there are none."""
    if mask.true_count == 0:
        return None
    return batch if mask.true_count == batch.num_rows else batch.filter(mask)


def _canonical(batch: pa.RecordBatch, read: Read, key_of: Callable[..., str]) -> pa.RecordBatch:
    identity = [read.fields[place] for place in _IDENTITY]
    first, which = distinct(map(codes, identity))
    keys = map(key_of, *(column.take(pa.array(first)).to_pylist() for column in identity))
    return pa.RecordBatch.from_arrays(
        [
            *(batch.column(name) for name in _PASSED_ON),
            *read.fields,
            read.faults,
            pa.array(keys, pa.string()).take(pa.array(which)),
            read.amounts,
            read.oddities,
        ],
        names=[*_PASSED_ON, *FIELDS, "faults", "usage_key", "amounts", "oddities"],
    )
