"""Delta through Spark: reads tables at a version, appends once, replaces drafts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import deltalake
from deltalake.exceptions import TableNotFoundError

from lakehouse.errors import Misuse
from lakehouse.place import Place
from lakehouse.store.fence import WRITER
from lakehouse.store.lease import lease_of
from lakehouse.tables import Table
from lakehouse.transforms.local import local_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession


_NOT_PLAIN = {"deletionVectors", "columnMapping"}


@dataclass(frozen=True)
class DeltaStore:
    """The tables of the lake at `place`, through one Spark session."""

    spark: SparkSession
    place: Place

    def path(self, table: Table) -> str:
        """Where a table is, for Spark."""
        return self.place.hadoop_uri(table.path)

    def _log(self, table: Table, version: int | None = None) -> deltalake.DeltaTable:
        return deltalake.DeltaTable(self.place.uri(table.path), version=version, storage_options=self.place.storage_options)

    def version(self, table: Table) -> int | None:
        """The newest Delta version, or None where the table does not exist. Reads the log only."""
        try:
            return self._log(table).version()
        except TableNotFoundError:
            return None

    def versions(self, tables: Iterable[Table]) -> dict[str, int]:
        """Name and newest version of each. Raises Misuse for a table that is not there."""
        found = {table.name: self.version(table) for table in tables}
        if missing := [name for name, version in found.items() if version is None]:
            raise Misuse(
                f"{self.place.root} is not a lake, or not a whole one: {', '.join(missing)} missing. Run `lakehouse init`."
            )
        return {name: version for name, version in found.items() if version is not None}

    def state(self, table: Table, period: str) -> str:
        """What decides the rows that a job of this period may read: the table's data files, where it can be up to the period."""
        up_to = [("period", "<=", period)] if "period" in table.partition_by else None
        files = self._log(table).file_uris(file_pruning_predicate=up_to)
        return hashlib.sha256("\n".join(sorted(file.rsplit("/", 1)[-1] for file in files)).encode()).hexdigest()

    def read(self, table: Table, version: int | None = None, *, period: str | None = None, up_to: str | None = None) -> DataFrame:
        """The rows of a version, by default the newest; of one period, or of all up to one.

        The log says which files those are, and Spark reads them as they are: Delta's own reader would run jobs over its log for
        every table and every filter, which is most of the work on a small lake. The declared tables use no feature under which the
        files are not the rows (no deletion vectors, no column mapping).
        """
        partitions = [("period", "=", period)] if period else [("period", "<=", up_to)] if up_to else None
        delta = self._log(table, version)
        if features := _NOT_PLAIN & set(delta.protocol().reader_features or ()):
            raise Misuse(f"{table.name} uses {', '.join(sorted(features))}: its files are not its rows. Rewrite it without.")
        # The log gives addresses, in which a blank is %20; Spark asks for paths.
        files = sorted(self.place.in_hadoop(unquote(address)) for address in delta.file_uris(file_pruning_predicate=partitions))
        if not files:
            return local_rows(self.spark, table.types)
        schema = ", ".join(f"{name} {type_}" for name, type_ in table.types.items())
        rows = self.spark.read.schema(schema).option("basePath", self.path(table)).parquet(*files)
        return rows.select(*table.columns)

    def append(self, table: Table, rows: DataFrame, note: Mapping[str, Any], once: str | None = None) -> int:
        """Appends rows in the declared columns, and returns the version after. With `once`, a second append under the same id adds nothing."""
        writer = self._writer(table, rows, note, once).mode("append")
        writer.save(self.path(table))
        return self.versions([table])[table.name]

    def replace(self, table: Table, rows: DataFrame, note: Mapping[str, Any], where: str | None = None) -> int:
        """Replaces the rows that satisfy `where`, or all, in one commit, and returns the version after."""
        writer = self._writer(table, rows, note).mode("overwrite")
        if where:
            writer = writer.option("replaceWhere", where)
        writer.save(self.path(table))
        return self.versions([table])[table.name]

    def _writer(self, table: Table, rows: DataFrame, note: Mapping[str, Any], once: str | None = None) -> DataFrameWriter:
        """A write under the lease that is held. On S3 it is numbered, so that Delta itself leaves out what comes under an older lease."""
        lease = lease_of(self.place)
        declared = [rows[field.name].cast(field.type).alias(field.name) for field in table.fields]
        told = {**note, "fence": lease.fence} if lease else note
        writer = rows.select(declared).write.format("delta").option("userMetadata", json.dumps(told, sort_keys=True))
        if once:
            return writer.option("txnAppId", once).option("txnVersion", 1)
        return writer.option("txnAppId", WRITER).option("txnVersion", lease.next_write()) if lease else writer
