"""A close that dies half-way is finished, not repeated; what was published once refuses to be anything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import CommitProperties, DeltaTable, Transaction

from lakehouse.errors import Findings
from lakehouse.runs.close import close_period
from lakehouse.runs.period import publication_has_begun, run_period
from lakehouse.store.delta import DeltaStore
from lakehouse.store.verify import verify
from lakehouse.tables import gold
from tests.support.lake import arrow_table
from tests.support.lakes import MAY, copy_of, environment, land, published_root, rows_written_twice

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class DiedError(Exception):
    """Stands for the end of the process."""


def die_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The `number`-th append from now on does not happen."""
    append, count = DeltaStore.append, iter(range(1, 100))

    def dying(self: DeltaStore, *given: Any, **more: Any) -> int:
        if next(count) == number:
            raise DiedError
        return append(self, *given, **more)

    monkeypatch.setattr(DeltaStore, "append", dying)


@pytest.mark.spark
def test_a_close_that_dies_between_two_tables_is_finished_by_the_next_with_the_same_root(
    drafted_lake: Path, closed_lake: Path, label: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    with monkeypatch.context() as patch:
        die_at(patch, 3)
        with pytest.raises(DiedError):
            close_period(environment(lake), MAY)
    env = environment(lake)
    assert env.closed_periods() == []
    # Even with a report that has come in between, the drafts are those whose publication has begun.
    land(env, label / "reports" / "bank_2026-05_v2.tsv")
    with pytest.raises(Findings, match=f"publication of {MAY} has begun.*lakehouse close --period {MAY}"):
        run_period(env, MAY)
    assert close_period(env, MAY)["root"] == published_root(closed_lake, MAY)
    assert rows_written_twice(lake) == {}
    assert verify(str(lake)).as_json()["findings"] == []


@pytest.mark.spark
def test_a_close_that_dies_after_its_manifest_and_before_its_last_row_is_finished(
    drafted_lake: Path, closed_lake: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    with monkeypatch.context() as patch:
        die_at(patch, len(gold.PUBLISHED) + 1)
        with pytest.raises(DiedError):
            close_period(environment(lake), MAY)
    assert (lake / "manifests" / f"{MAY}.json").is_file()
    assert environment(lake).closed_periods() == []
    assert close_period(environment(lake), MAY)["root"] == published_root(closed_lake, MAY)
    assert verify(str(lake)).as_json()["findings"] == []


@pytest.mark.spark
def test_gold_with_rows_that_no_draft_has_is_not_published(drafted_lake: Path, tmp_path: Path, spark: SparkSession) -> None:
    """Somebody wrote to gold.statements by hand before the close."""
    from tests.support.published import statement

    lake = copy_of(drafted_lake, tmp_path)
    env = environment(lake)
    rows = arrow_table(gold.statements, [statement(MAY, "A-STRANGER", "1", "1")]).to_pylist()
    stranger = spark.createDataFrame(
        [tuple(row[column] for column in gold.statements.columns) for row in rows], gold.statements.ddl
    )
    env.store.append(gold.statements, stranger, {"job": "by hand"})
    with pytest.raises(Findings, match=f"gold.statements holds other rows of {MAY} than the draft"):
        close_period(env, MAY)
    assert env.closed_periods() == []


def test_a_publication_has_begun_even_where_its_first_tables_have_no_rows(landed_lake: Path, tmp_path: Path) -> None:
    """A month in which everything is held publishes no royalty line, and says so in the log alone."""
    lake = copy_of(landed_lake, tmp_path)
    assert not publication_has_begun(environment(lake), MAY)
    once = CommitProperties(app_transactions=[Transaction(f"close:{MAY}:gold.royalty_lines", 1)])
    lines = DeltaTable(lake / "gold" / "royalty_lines")
    lines.create_write_transaction([], "append", lines.schema(), ["period", "currency"], commit_properties=once)
    assert publication_has_begun(environment(lake), MAY)
    assert not publication_has_begun(environment(lake), "2026-06")


@pytest.mark.spark
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET payable = payable + 1 WHERE payee = 'A-MARA'",
        "DELETE FROM {table} WHERE payee = 'A-MARA'",
        "DELETE FROM {table}",
    ],
)
def test_published_statements_refuse_to_be_edited(closed_lake: Path, tmp_path: Path, spark: SparkSession, statement: str) -> None:
    lake = copy_of(closed_lake, tmp_path)
    with pytest.raises(Exception, match=r"only allow appends|append-only"):
        spark.sql(statement.format(table=f"delta.`{lake}/gold/statements`")).collect()
    assert verify(str(lake)).as_json()["findings"] == []


@pytest.mark.spark
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("category", "gift"),
        ("kind", "advance"),
        ("currency", "usd"),
        ("period", "2026-13"),
        ("line_id", "short"),
        ("payee", None),
    ],
)
def test_a_row_that_breaks_its_declaration_is_not_written(
    closed_lake: Path, tmp_path: Path, spark: SparkSession, column: str, value: str | None
) -> None:
    from pyspark.sql import functions as F

    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    row = env.store.read(gold.royalty_lines).limit(1).withColumn(column, F.lit(value).cast("string"))
    with pytest.raises(Exception, match=r"CHECK constraint|NOT NULL"):
        env.store.append(gold.royalty_lines, row, {"job": "test"})
    assert env.reader.version(gold.royalty_lines.name) == environment(closed_lake).reader.version(gold.royalty_lines.name)
