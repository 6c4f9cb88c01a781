"""Reading a lake without a JVM: delta-rs says which files make up a version, DuckDB reads them.

Nothing heavy is imported before it is needed: a command that only looks has to answer in under two seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from lakehouse.errors import Busy, Findings, Misuse
from lakehouse.place import Place
from lakehouse.store.objects import Objects, object_store
from lakehouse.store.readable import open_table
from lakehouse.tables import Table, table
from lakehouse.tables.arrow import duckdb_type

if TYPE_CHECKING:
    import duckdb


class LakeReader:
    """The tables of the lake at `root`, a folder or s3a://bucket/prefix, read-only."""

    def __init__(self, root: str | Place) -> None:
        self.place = Place.at(root)
        self._opened: dict[tuple[str, int | None], deltalake.DeltaTable] = {}
        self._views: dict[tuple[str, int | None, tuple[tuple[str, str], ...]], str] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None

    @property
    def root(self) -> str:
        return self.place.root

    @cached_property
    def objects(self) -> Objects:
        """The objects of the lake outside its tables."""
        return object_store(self.place)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection that knows the relations of this reader."""
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
            self._connection.execute("SET TimeZone = 'UTC'")
            # Only where there is one: in Jupyter without ipywidgets there is none, and DuckDB refuses to be told so.
            if self._connection.sql("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
                self._connection.execute("SET enable_progress_bar = false")
        return self._connection

    def uri(self, name: str) -> str:
        """Where a declared table is. Raises Misuse for a name that no table has."""
        return self.place.uri(_known(name).path)

    def delta(self, name: str, version: int | None = None) -> deltalake.DeltaTable:
        """The Delta table at a version, by default the newest. Raises Misuse where there is none."""
        if (name, version) not in self._opened:
            declared = _known(name)
            try:
                self._opened[name, version] = open_table(self.place, declared, version)
            except TableNotFoundError:
                raise Misuse(f"{self.root} has no table {name}. Is it a lake? `lakehouse init` makes one.") from None
            except OSError as error:
                raise Busy(f"The log of {name} at {self.uri(name)} cannot be reached: {first_line(error)}") from None
            except DeltaError as error:
                raise Findings(
                    f"The log of {name} at {self.uri(name)} is damaged: {first_line(error)}. Run `lakehouse verify`."
                ) from None
        return self._opened[name, version]

    def exists(self, name: str) -> bool:
        return deltalake.DeltaTable.is_deltatable(self.uri(name), self.place.storage_options)

    def version(self, name: str) -> int:
        """The newest Delta version of a table."""
        return self.delta(name).version()

    def relation(self, name: str, version: int | None = None, where: Mapping[str, str] | None = None) -> str:
        """The name, ready for use in SQL, of a view on a table at a version, by default the newest.

        `where` keeps the rows whose columns have those values; files that cannot hold any are not opened.
        """
        key = (name, version, tuple(sorted((where or {}).items())))
        if key not in self._views:
            view = f'"{name}#{len(self._views)}"'
            conditions = " AND ".join(f'"{column}" = {_literal(value)}' for column, value in key[2]) or "true"
            source = self._source(name, version, key[2])
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM ({source}) WHERE {conditions}")
            self._views[key] = view
        return self._views[key]

    def _source(self, name: str, version: int | None, where: tuple[tuple[str, str], ...]) -> str:
        """A query for the files that may hold rows of `where`, in the declared columns."""
        predicate = [(column, "=", value) for column, value in where] or None
        if self.place.is_local:
            files = self.delta(name, version).file_uris(file_pruning_predicate=predicate)
            return _parquet(table(name), files) if files else _no_rows(table(name))
        # DuckDB cannot open an object store by itself here: delta-rs hands it an Arrow dataset.
        dataset = f"dataset#{len(self._views)}"
        self.connection.register(dataset, self.delta(name, version).to_pyarrow_dataset(file_pruning_predicate=predicate))
        return f'SELECT {_declared(table(name))} FROM "{dataset}"'

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query over relations of this reader, with parameters by place (?) or by name ($name). Decimals come as Decimal."""
        found = self.connection.execute(query, parameters if isinstance(parameters, Mapping) else list(parameters))
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def _known(name: str) -> Table:
    try:
        return table(name)
    except KeyError as error:
        raise Misuse(f"There is {error.args[0]}.") from None


def _parquet(of: Table, files: list[str]) -> str:
    """The files as one relation in the declared types; partition columns stand in their folder names, as Delta writes them."""
    # delta-rs gives addresses, in which a blank is %20; DuckDB wants paths.
    listed = ", ".join(_literal(unquote(file.removeprefix("file://"))) for file in sorted(files))
    partitions = ", ".join(f"{column}: VARCHAR" for column in of.partition_by)
    hive = f", hive_partitioning = true, hive_types = {{{partitions}}}" if partitions else ", hive_partitioning = false"
    return f"SELECT {_declared(of)} FROM read_parquet([{listed}], union_by_name = true{hive})"


def _declared(of: Table) -> str:
    return ", ".join(f'CAST("{f.name}" AS {duckdb_type(f.type)}) AS "{f.name}"' for f in of.fields)


def _no_rows(of: Table) -> str:
    columns = ", ".join(f'CAST(NULL AS {duckdb_type(f.type)}) AS "{f.name}"' for f in of.fields)
    return f"SELECT {columns} WHERE false"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """What an error says, without the backtraces that delta-rs and DuckDB add."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
