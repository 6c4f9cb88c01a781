"""Any table of records, CSV or Parquet, as text columns by their standard names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.errors import Misuse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


# Other names under which tables tell where a record is from.
_SOURCE = ("sourceid", "source_id")


def read_table(spark: SparkSession, file: Path, columns: Sequence[str], renamed: Mapping[str, str]) -> DataFrame:
    """The table's `columns` as text, NULL where it has none. `renamed`: standard name to the name in the file.

    Raises Misuse for a file that is neither CSV nor Parquet, without the column `id`, or without a column it was said to have.
    """
    kind = file.suffix.lower()
    if kind == ".parquet":
        table = spark.read.parquet(str(file))
    elif kind in (".csv", ".tsv", ".txt"):
        separator = "," if kind == ".csv" else "\t"
        table = spark.read.csv(str(file), header=True, sep=separator, quote='"', escape='"', multiLine=True)
    else:
        raise Misuse(f"{file}: give a .csv, .tsv or .parquet file.")
    there = {name.lstrip("\ufeff").strip().lower(): name for name in table.columns}
    if missing := sorted(name for name in renamed.values() if name.lower() not in there):
        raise Misuse(f"{file} has no column {', '.join(missing)}. It has: {', '.join(table.columns)}.")
    found = {name: there.get(renamed.get(name, name).lower()) for name in columns}
    found["source"] = found.get("source") or next((there[name] for name in _SOURCE if name in there), None)
    if found.get("id") is None:
        raise Misuse(f"{file} has no column id: name the column that tells records apart with --map COLUMN=id.")
    return table.select(
        *(F.col(f"`{column}`").cast("string").alias(name) if column else F.lit(None).cast("string").alias(name)
          for name, column in found.items())
    )  # fmt: skip


def write_table(rows: DataFrame, file: Path) -> None:
    """Writes rows as one CSV or Parquet file, a batch at a time, by the ending of its name."""
    import tempfile

    import pyarrow.csv
    import pyarrow.dataset
    import pyarrow.parquet

    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        rows.write.mode("overwrite").parquet(folder)
        parts = pyarrow.dataset.dataset(folder, format="parquet")
        if file.suffix.lower() == ".parquet":
            with pyarrow.parquet.ParquetWriter(file, parts.schema) as writer:
                for batch in parts.to_batches():
                    writer.write_batch(batch)
        else:
            with pyarrow.csv.CSVWriter(file, parts.schema) as writer:
                for batch in parts.to_batches():
                    writer.write_batch(batch)
