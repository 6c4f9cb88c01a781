"""What Spark writes to Delta has the same root when DuckDB reads it back: types, partitions and nesting survive the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.store import duck
from lakehouse.store.reader import LakeReader
from lakehouse.tables import Table, gold, ops, table
from tests.support.lake import arrow_table
from tests.support.published import WHEN, june, may, reference_root

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

RELEASE = {"record_id": "r", "period": "2026-06", "reason": "é;\n", "changes": {"b": "", "a": "漢"}, "released_at": WHEN}
ROWS: dict[str, list[dict[str, Any]]] = {
    "gold.royalty_lines": [*may()["gold.royalty_lines"], *june()["gold.royalty_lines"]],
    "gold.holding": may()["gold.holding"],
    "ops.releases": [RELEASE, RELEASE | {"changes": None}, RELEASE | {"changes": {}}],
}


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from lakehouse.place import Place
    from lakehouse.store.delta import DeltaStore
    from lakehouse.store.light import create_tables

    root = tmp_path_factory.mktemp("engines") / "lake"
    store = DeltaStore(spark, Place.at(str(root)))
    create_tables(str(root), [gold.royalty_lines, gold.holding, ops.releases])
    for name, rows in ROWS.items():
        store.append(table(name), spark.createDataFrame(arrow_table(table(name), rows)), {"job": "test"})
    return root


@pytest.mark.parametrize("of", [gold.royalty_lines, gold.holding, ops.releases], ids=lambda of: of.name)
def test_duckdb_reads_the_root_that_spark_computes(spark: SparkSession, lake: Path, of: Table) -> None:
    from lakehouse.transforms.roots import table_root

    reader = LakeReader(str(lake))
    by_spark = table_root(spark.read.format("delta").load(str(lake / of.path)), of)
    assert duck.table_root(reader.connection, reader.relation(of.name), of) == by_spark
    assert by_spark.rows == len(ROWS[of.name])
    if of is not ops.releases:  # the reference's sums need a currency column
        assert by_spark == reference_root(of, ROWS[of.name])


def test_the_root_stays_when_the_files_are_laid_out_anew(spark: SparkSession, lake: Path) -> None:
    """Content, not files, is promised: one file or many, sorted or not."""
    from lakehouse.transforms.roots import table_root

    lines = spark.read.format("delta").load(str(lake / gold.royalty_lines.path))
    before = table_root(lines, gold.royalty_lines)
    assert table_root(lines.repartition(5).sort("amount"), gold.royalty_lines) == before
    assert table_root(lines.coalesce(1), gold.royalty_lines) == before
