"""Delta through Spark: reads tables at a version, appends once, replaces drafts. Spark writes the files; the commit is delta-rs's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import deltalake
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, CommitProperties

from lakehouse.errors import Misuse
from lakehouse.place import Place
from lakehouse.store.commit import commit
from lakehouse.store.lease import lease_of
from lakehouse.store.readable import open_table
from lakehouse.tables import Table
from lakehouse.tables.arrow import arrow_schema
from lakehouse.transforms.local import local_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TO_SCALA = "org.apache.spark.api.python.PythonUtils"


@dataclass(frozen=True)
class DeltaStore:
    """The tables of the lake at `place`, through one Spark session."""

    spark: SparkSession
    place: Place

    def path(self, table: Table) -> str:
        """Where a table is, for Spark."""
        return self.place.hadoop_uri(table.path)

    def _log(self, table: Table, version: int | None = None) -> deltalake.DeltaTable:
        return open_table(self.place, table, version)

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
        # The log gives addresses, in which a blank is %20; Spark asks for paths.
        files = sorted(self.place.in_hadoop(unquote(address)) for address in delta.file_uris(file_pruning_predicate=partitions))
        if not files:
            return local_rows(self.spark, table.types)
        schema = ", ".join(f"{name} {type_}" for name, type_ in table.types.items())
        rows = self.spark.read.schema(schema).option("basePath", self.path(table)).parquet(*files)
        return rows.select(*table.columns)

    def append(self, table: Table, rows: DataFrame, note: Mapping[str, Any], once: str | None = None) -> int:
        """Appends rows in the declared columns, and returns the version after. With `once`, a second append under the same id adds nothing."""
        opened = self._log(table)
        if once and opened.transaction_version(once) is not None:
            return opened.version()
        return self._commit(table, opened, note, self._write_files(table, opened, rows), once=once)

    def replace(self, table: Table, rows: DataFrame, note: Mapping[str, Any], period: str) -> int:
        """Replaces the rows of a period in one commit, and returns the version after."""
        opened = self._log(table)
        files = self._write_files(table, opened, rows)
        if strange := {file.partition_values["period"] for file in files} - {period}:
            raise AssertionError(f"rows of {strange} in the place of {table.name} of {period}")
        return self._commit(table, opened, note, files, instead_of=period)

    def _commit(
        self, table: Table, opened: deltalake.DeltaTable, note: Mapping[str, Any], files: Sequence[AddAction],
        *, once: str | None = None, instead_of: str | None = None,
    ) -> int:  # fmt: skip
        """One commit of files that are written: beside those that are there, or instead of those of a period."""
        mode, replaced = ("overwrite", [("period", "=", instead_of)]) if instead_of else ("append", None)

        def put(properties: CommitProperties) -> None:
            schema, partitions = arrow_schema(table), list(table.partition_by)
            opened.create_write_transaction(list(files), mode, schema, partitions, replaced, commit_properties=properties)

        counts = [json.loads(file.stats).get("numRecords") for file in files]
        return commit(self.place, table, opened, note, put, once=once, rows=None if None in counts else sum(counts))

    def _write_files(self, table: Table, opened: deltalake.DeltaTable, rows: DataFrame) -> list[AddAction]:
        """Writes rows as data files of the table, and returns what a commit says of them. No reader sees them before that.

        By Delta's own writer for Spark, as far as its commit: it enforces NOT NULL and the CHECK constraints, and writes each file once,
        under a name of its own. What it must know of the table, delta-rs has read already: Delta would read the log again, by a job of
        Spark for every table, which is more than writing a few rows.
        """
        lease_of(self.place)  # who has lost it need not begin
        declared = rows.select([rows[field.name].cast(field.type).alias(field.name) for field in table.fields])
        written = self._transaction(table, opened).writeFiles(declared._jdf)
        return [_added(json.loads(written.apply(place).json())["add"]) for place in range(written.size())]

    def _transaction(self, table: Table, opened: deltalake.DeltaTable) -> Any:
        """A transaction of Delta on the table as it is declared in the log that is open: for its writer alone, since it knows no version."""
        path, none, nothing = self._class("org.apache.hadoop.fs.Path"), self._class("scala.Option").empty(), self._scala_map({})
        # Where there is no log, there is none to read.
        log_path, data_path = (path(f"{self.path(table)}{below}") for below in ("/_no_log", ""))
        clock = self._class("org.apache.spark.util.SystemClock")()
        log = self._class("org.apache.spark.sql.delta.DeltaLog")(log_path, data_path, nothing, nothing, clock, none)
        told = opened.metadata()
        metadata = self._class("org.apache.spark.sql.delta.actions.Metadata")(
            str(told.id), told.name, told.description,
            self._class("org.apache.spark.sql.delta.actions.Format")("parquet", nothing),
            opened.schema().to_json(), self._class(_TO_SCALA).toSeq(told.partition_columns), self._scala_map(told.configuration), none,
        )  # fmt: skip
        snapshot = self._class("org.apache.spark.sql.delta.DummySnapshot")(log_path, log, metadata, none, none)
        return log.startTransaction(none, self._class("scala.Option").apply(snapshot))

    def _class(self, name: str) -> Any:
        # By its whole name: asked for package by package, the JVM looks through every JAR for a class of that name.
        return getattr(self.spark._jvm, name)

    def _scala_map(self, values: Mapping[str, str]) -> Any:
        return self._class(_TO_SCALA).toScalaMap(dict(values))


def _added(told: Mapping[str, Any]) -> AddAction:
    """A file as Delta tells of it, for delta-rs, which takes paths as they are and not as addresses."""
    return AddAction(
        unquote(told["path"]), told["size"], told["partitionValues"], told["modificationTime"], told["dataChange"], told.get("stats") or "{}"
    )  # fmt: skip
