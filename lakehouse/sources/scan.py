"""Landed files as rows of bronze: each file is read once, by one task, in batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.sources import Dialects
from lakehouse.sources.controls import ControlTally
from lakehouse.sources.records import read_records
from lakehouse.tables import bronze
from lakehouse.tables.arrow import arrow_type
from lakehouse.tables.declare import Field

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEY_COLUMNS = ("file_id", "line_no")
BATCH = 20_000
_FILE_ROW = 0  # the line_no of the row that closes a file, with what is known of the whole
_SCANNED = (*bronze.lines.fields, *(f for f in bronze.files.fields if f.name not in bronze.lines.columns))
