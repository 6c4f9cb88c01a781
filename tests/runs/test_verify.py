"""A closed period, computed again and hashed by two engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Misuse
from lakehouse.runs.verify import recompute, verify_with_spark
from lakehouse.store.verify import verify
from lakehouse.tables import gold
from tests.support.lakes import JUNE, MAY, copy_of, environment, land, new_lake, roots

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


@pytest.fixture
def partitions(spark: SparkSession) -> Iterator[SparkSession]:
    """The session, with its number of partitions put back in the end."""
    before = {name: spark.conf.get(name) for name in ("spark.sql.shuffle.partitions", "spark.sql.adaptive.enabled")}
    yield spark
    for name, value in before.items():
        spark.conf.set(name, value)


@pytest.mark.parametrize("number", [1, 4, pytest.param(64, marks=pytest.mark.drill)])
def test_a_closed_period_is_computed_again_to_the_same_roots_on_any_number_of_partitions(
    closed_lake: Path, partitions: SparkSession, number: int
) -> None:
    env = environment(closed_lake)
    assert env.spark is not None
    partitions.conf.set("spark.sql.shuffle.partitions", str(number))
    # Adaptive execution would join the partitions of so small a lake to one.
    partitions.conf.set("spark.sql.adaptive.enabled", "false")
    reader = env.reader
    pins = dict(reader.sql(f"SELECT pins FROM {reader.relation(gold.periods.name)}")[0]["pins"])
    again = recompute(env, MAY, {table: int(version) for table, version in pins.items()})
    assert {name.split(".")[1]: root for name, root in again.items()} == roots(closed_lake, MAY, "gold")


def test_what_came_after_the_close_does_not_change_what_is_computed_again(
    closed_lake: Path, label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    from lakehouse.runs.admin import load_contracts
    from lakehouse.runs.period import run_period

    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    (book := tmp_path / "book").mkdir()
    for contract in (label / "contracts").iterdir():
        (book / contract.name).write_text(contract.read_text(encoding="utf-8").replace("50%", "90%"), encoding="utf-8")
    load_contracts(env, book)
    land(env, label / "reports" / "bank_2026-05_v2.tsv", label / "reports" / "bank_2026-06.tsv")
    run_period(env, JUNE)
    assert verify_with_spark(env, MAY)["findings"] == []


def test_spark_and_duckdb_verify_the_same_roots_rows_and_totals(closed_lake: Path, spark: SparkSession) -> None:
    with_spark, without = verify_with_spark(environment(closed_lake)), verify(str(closed_lake)).as_json()
    assert (with_spark.pop("engine"), without.pop("engine")) == ("spark", "duckdb")
    assert with_spark == without
    assert without["ok"]
    assert without["periods"][0]["totals"] == {"USD": "7.580000000000000000"}  # 6.25 and 1.33


def test_a_period_that_is_not_published_cannot_be_verified(label: Path, tmp_path: Path, spark: SparkSession) -> None:
    env = new_lake(tmp_path / "lake", label)
    with pytest.raises(Misuse, match="Published are: none"):
        verify_with_spark(env, MAY)
