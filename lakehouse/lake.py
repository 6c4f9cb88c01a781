"""A lake in Python, for notebooks and scripts: `from lakehouse import Lake`. It only looks, and needs no JVM unless Spark is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Misuse
from lakehouse.runs.environment import Environment
from lakehouse.settings import load_settings
from lakehouse.store.verify import VerifyReport
from lakehouse.tables import ALL, Table, gold
from lakehouse.tables import table as declared_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from duckdb import DuckDBPyRelation
    from pyspark.sql import DataFrame

    from lakehouse.store.reader import LakeReader


class Lake:
    """The lake at `root`: a folder, or s3a://bucket/prefix; by default LAKEHOUSE_ROOT.

    A `Lake` is one view of it: each table stays at the version it had when it was first looked at, so that two numbers taken from
    it belong together. A new `Lake` sees what is newer. Raises Misuse where there is no lake.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self._env = Environment(load_settings(root=None if root is None else str(root)))
        if not self._reader.exists(gold.periods.name):
            raise Misuse(f"{self.root} is not a lake. Run `lakehouse init` first.")

    def __repr__(self) -> str:
        return f"Lake({self.root!r})"

    @property
    def root(self) -> str:
        """Where the lake is."""
        return self._env.root

    @cached_property
    def _reader(self) -> LakeReader:
        return self._env.reader

    def tables(self) -> list[str]:
        """The names of the tables, in the order in which money goes through them."""
        return [table.name for table in ALL]

    def table(self, name: str) -> LakeTable:
        """A table by its name, such as `gold.statements`. Raises Misuse for a name that no table has."""
        try:
            return LakeTable(self, declared_table(name))
        except KeyError as error:
            raise Misuse(f"There is {error.args[0]}.") from None

    def sql(self, query: str) -> DuckDBPyRelation:
        """A query in DuckDB's SQL over the tables by their names: `SELECT payee, payable FROM gold.statements`.

        What it gives is computed when it is asked for: `.fetchall()`, `.show()`, `.to_arrow_table()`. Its `.df()` makes floats of
        money; `.to_arrow_table().to_pandas()` keeps it exact.
        """
        connection = self._reader.connection
        # A name that stands in a comment or a text costs a look at a log, and is right.
        for table in (table for table in ALL if table.name in query):
            layer, short = table.name.split(".")
            rows = self._reader.relation(table.name)
            connection.execute(
                f"CREATE SCHEMA IF NOT EXISTS {layer}; CREATE OR REPLACE VIEW {layer}.{short} AS SELECT * FROM {rows}"
            )
        return connection.sql(query)

    def statements(self, period: str | None = None, payee: str | None = None) -> list[dict[str, Any]]:
        """The statements of published periods and the drafts of the others, amounts as text, as `lakehouse statements --json` gives them."""
        from lakehouse.views.statements import list_statements

        return list_statements(self._reader, period, payee)

    def statement(self, statement_id: str) -> dict[str, Any]:
        """One statement with its `lines`. Raises Misuse where there is none of that id."""
        from lakehouse.views.statements import show_statement

        return show_statement(self._reader, statement_id)

    def why(self, line_id: str) -> dict[str, Any]:
        """A royalty line through the amounts of each stage, and the report lines behind it. Raises Misuse for an id no line has."""
        from lakehouse.views.statements import why

        return why(self._reader, line_id)

    def files(self, period: str | None = None) -> list[dict[str, Any]]:
        """What became of each report, as `lakehouse files --json` gives it."""
        from lakehouse.views.files import list_files

        return list_files(self._reader, period)

    def matching(self, period: str | None = None) -> dict[str, Any]:
        """How well matching does, by lines and by money, as `lakehouse matching --json` gives it: `rates`, `outcomes` and what is `held`."""
        from lakehouse.views.outcomes import matching

        return matching(self._reader, self._env.rules.ruleset, period)

    def status(self) -> list[dict[str, Any]]:
        """Every period with its state, open, draft or closed, and the root of what is published."""
        from lakehouse.views.states import status

        return status(self._reader)

    def verify(self, period: str | None = None) -> VerifyReport:
        """Recomputes roots, totals, manifests and conservation of one published period, or of all. `.ok`, and `.findings` that name objects."""
        from lakehouse.store.verify import verify

        return verify(self._env.place, period)


@dataclass(frozen=True)
class LakeTable:
    """A table of a lake, at a version and narrowed to some rows. Nothing is read before its rows are asked for."""

    lake: Lake = field(repr=False)
    declared: Table = field(repr=False)
    _version: int | None = None
    _where: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`layer.table`."""
        return self.declared.name

    @property
    def version(self) -> int:
        """The Delta version that is read."""
        return self.lake._reader.delta(self.name, self._version).version()

    def at(self, version: int) -> LakeTable:
        """The same table as it was at a Delta version. `history()` lists them."""
        return replace(self, _version=version)

    def as_published(self, period: str) -> LakeTable:
        """The same table at the version that the publication of `period` names: of gold, what was published; of an input, what was read.

        Raises Misuse where the period is not published, or its publication does not name the table.
        """
        reader = self.lake._reader
        rows = reader.sql(f"SELECT delta_versions, pins FROM {reader.relation(gold.periods.name)} WHERE period = ?", [period])
        if not rows:
            raise Misuse(f"Period {period} is not published. `status()` tells the state of every period.")
        named = {**dict(rows[0]["pins"]), **dict(rows[0]["delta_versions"])}
        if self.name not in named:
            raise Misuse(f"The publication of {period} names no version of {self.name}; it names {', '.join(sorted(named))}.")
        return self.at(int(named[self.name]))

    def where(self, **values: str) -> LakeTable:
        """The rows whose columns have these values: `where(period="2026-05")`. Files that cannot hold any are not opened."""
        if unknown := sorted(values.keys() - set(self.declared.columns)):
            raise Misuse(f"{self.name} has no column {', '.join(unknown)}. It has {', '.join(self.declared.columns)}.")
        return replace(self, _where={**self._where, **values})

    def history(self) -> list[dict[str, Any]]:
        """The Delta versions, newest first, each with the run that made it."""
        from lakehouse.views.states import history

        return history(self.lake._reader, self.name)

    def duckdb(self) -> DuckDBPyRelation:
        """The rows as a DuckDB relation, to go on with in SQL: `.filter(...)`, `.aggregate(...)`, `.fetchall()`."""
        reader = self.lake._reader
        return reader.connection.sql(f"SELECT * FROM {reader.relation(self.name, self._version, self._where)}")

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table, decimals exact."""
        return self.duckdb().to_arrow_table()

    def pandas(self) -> pd.DataFrame:
        """The rows as a pandas frame. Money is `decimal.Decimal`: it adds up exactly."""
        return self.arrow().to_pandas()

    def spark(self) -> DataFrame:
        """The rows as a Spark frame. The first call of a process starts a session, for which Java is needed."""
        from pyspark.sql import functions as F

        rows = self.lake._env.store.read(self.declared, self.version, period=self._where.get("period"))
        for column, value in self._where.items():
            rows = rows.where(F.col(column) == value)
        return rows
