"""Conform the rows of every report to one shape: usage lines, lines that are not income, and lines that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F

from lakehouse.checks.rows import CARRIED, REASONS_TYPE, split
from lakehouse.model.keys import KEY_FIELDS, usage_key
from lakehouse.model.usage import FIELDS
from lakehouse.model.vocabulary import NOT_INCOME
from lakehouse.sources.beside import beside_reader
from lakehouse.sources.dialect import REPORT_PERIOD
from lakehouse.sources.mapping import RowReader
from lakehouse.sources.recognise import Dialects
from lakehouse.tables import ops, silver
from lakehouse.tables.arrow import arrow_type

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_PASSED_ON = (*CARRIED, "report_period")
_IDENTITY = tuple(list(FIELDS).index(name) for name in KEY_FIELDS)
_REASONS = arrow_type("array<struct<column:string,rule:string,value:string,message:string>>")
_AMOUNTS = arrow_type("map<string,string>")
_ODDITIES = arrow_type("array<string>")


class _Readers(NamedTuple):
    """What reads the rows of one dialect: the fields of a usage line, and what stands beside them."""

    line: RowReader
    beside: Callable[[Sequence[str | None]], tuple[dict[str, str], list[str]]] | None


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
    record_id = F.substring(F.sha2(F.concat_ws(":", "file_id", F.col("line_no").cast("string")), 256), 1, 32)
    rows = (
        lines.where("kind = 'data'")
        .join(F.broadcast(of_file), "file_id")
        .withColumn("record_id", record_id)
        .select(*_PASSED_ON, "error", "variant", F.map_entries(_captured()).alias("captured"))
    )
    types = {field.name: field.dataType.simpleString() for field in rows.schema}
    passed = [f"{name} {types[name]}" for name in _PASSED_ON]
    fields = [f"{name} string" for name in FIELDS]
    beside = ["amounts map<string,string>", "oddities array<string>"]
    read = rows.mapInArrow(
        _reader(dialects), ", ".join([*passed, *fields, f"faults {REASONS_TYPE}", "usage_key string", *beside])
    )
    canonical = keep(read)
    not_income = F.coalesce(F.col("meaning").isin(list(NOT_INCOME)), F.lit(False))
    good, rejected = split(canonical.where(~not_income))
    return Conformed(
        usage=good.select(*silver.usage.columns),
        ignored=canonical.where(not_income).select(*ops.ignored.columns),
        quarantine=rejected.select(*ops.quarantine.columns),
    )


def _captured() -> Column:
    """What was captured from a file, and its statement month: some reports name none, and their rows take the file's."""
    return F.map_concat("captured", F.create_map(F.lit(REPORT_PERIOD), "report_period"))


def _reader(dialects: Dialects) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def batches(rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        @cache
        def reader_of(source: str, variant: str | None) -> _Readers:
            dialect = dialects[source].under(variant)
            return _Readers(RowReader(dialect), beside_reader(dialect))

        key_of = lru_cache(maxsize=200_000)(usage_key)
        for batch in rows:
            yield _canonical(batch, reader_of, key_of)

    return batches


def _canonical(
    batch: pa.RecordBatch, reader_of: Callable[[str, str | None], _Readers], key_of: Callable[..., str]
) -> pa.RecordBatch:
    asked = [batch.column(name).to_pylist() for name in ("source", "variant", "cells", "captured", "error")]
    fields, faults, keys, amounts, oddities = [], [], [], [], []
    for source, variant, cells, captured, error in zip(*asked, strict=True):
        reader, beside = reader_of(source, variant)
        found, against = reader.read(cells, _as_dict(captured), error)
        fields.append(found)
        faults.append([reason._asdict() for reason in against])
        further, odd = beside(cells) if beside and cells is not None else (None, None)
        amounts.append(further or None)
        oddities.append(odd or None)
        keys.append(key_of(*(found[place] for place in _IDENTITY)))
    columns = list(zip(*fields, strict=True)) if fields else [()] * len(FIELDS)
    return pa.RecordBatch.from_arrays(
        [
            *(batch.column(name) for name in _PASSED_ON),
            *(pa.array(column, pa.string()) for column in columns),
            pa.array(faults, _REASONS),
            pa.array(keys, pa.string()),
            pa.array(amounts, _AMOUNTS),
            pa.array(oddities, _ODDITIES),
        ],
        names=[*_PASSED_ON, *FIELDS, "faults", "usage_key", "amounts", "oddities"],
    )


def _as_dict(entries: list[dict[str, Any]] | None) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in entries or ()}
