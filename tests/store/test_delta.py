"""Writing by Spark: the declaration is enforced where the files are written, and a period is replaced in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.store.light import create_tables
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold
from lakehouse.transforms.local import local_rows
from lakehouse.views.states import history
from tests.support.lakes import JUNE, MAY, environment

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakehouse.store.delta import DeltaStore

pytestmark = pytest.mark.spark
BALANCES = next(table for table in gold.DRAFTS if table.name == "draft.balances")


@pytest.fixture
def store(spark: SparkSession, tmp_path: Path) -> DeltaStore:
    create_tables(str(tmp_path), [BALANCES])
    return environment(tmp_path).store


def balances(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    blank = {field.name: _value(field.type) for field in BALANCES.fields}
    return local_rows(spark, BALANCES.types, [tuple({**blank, **row}[column] for column in BALANCES.columns) for row in rows])


def _value(type_: str) -> object:
    return Decimal(1) if type_.startswith("decimal") else 1 if type_ in ("int", "bigint") else "EUR"


def there(root: Path) -> Sequence[tuple[str, str]]:
    reader = LakeReader(str(root))
    return [
        (row["period"], row["ref"])
        for row in reader.sql(f"SELECT period, ref FROM {reader.relation(BALANCES.name)} ORDER BY ALL")
    ]


def test_a_period_is_replaced_and_the_others_stay(store: DeltaStore, spark: SparkSession, tmp_path: Path) -> None:
    both = balances(spark, {"period": MAY, "ref": "a"}, {"period": MAY, "ref": "b"}, {"period": JUNE, "ref": "c"})
    assert store.append(BALANCES, both, {"job": "first"}) == 1
    assert store.replace(BALANCES, balances(spark, {"period": MAY, "ref": "d"}), {"job": "second"}, MAY) == 2
    assert there(tmp_path) == [(MAY, "d"), (JUNE, "c")]
    assert store.replace(BALANCES, balances(spark), {"job": "third"}, MAY) == 3
    assert there(tmp_path) == [(JUNE, "c")]
    told = history(LakeReader(str(tmp_path)), BALANCES.name)
    assert [(entry["job"], entry["rows"]) for entry in told[:3]] == [("third", 0), ("second", 1), ("first", 3)]
    with pytest.raises(AssertionError, match=r"rows of \{'2026-06'\} in the place of draft\.balances of 2026-05"):
        store.replace(BALANCES, balances(spark, {"period": JUNE, "ref": "e"}), {"job": "stray"}, MAY)


@pytest.mark.parametrize("wrong", [{"period": "May"}, {"currency": None}], ids=["a check", "not null"])
def test_a_row_that_breaks_the_declaration_is_refused_and_nothing_is_committed(
    store: DeltaStore, spark: SparkSession, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    from py4j.protocol import Py4JJavaError

    with pytest.raises(Py4JJavaError, match=r"(?i)constraint"):
        store.append(BALANCES, balances(spark, {"period": MAY, "ref": "a"}, {"period": MAY, "ref": "b", **wrong}), {"job": "x"})
    assert LakeReader(str(tmp_path)).version(BALANCES.name) == 0


def test_an_id_is_appended_once(store: DeltaStore, spark: SparkSession, tmp_path: Path) -> None:
    rows = balances(spark, {"period": MAY, "ref": "a"})
    assert [store.append(BALANCES, rows, {"job": "x"}, once="the one") for _ in range(2)] == [1, 1]
    assert there(tmp_path) == [(MAY, "a")]


def test_a_condition_that_the_log_has_got_since_is_enforced_and_nothing_is_left_beside_the_log(
    store: DeltaStore, spark: SparkSession, tmp_path: Path
) -> None:
    from py4j.protocol import Py4JJavaError

    store.append(BALANCES, balances(spark, {"period": MAY, "ref": "a"}), {"job": "first"})
    spark.sql(f"ALTER TABLE delta.`{tmp_path / BALANCES.path}` ADD CONSTRAINT no_b CHECK (ref != 'b')")
    with pytest.raises(Py4JJavaError, match="CHECK constraint no_b"):
        store.append(BALANCES, balances(spark, {"period": MAY, "ref": "b"}), {"job": "second"})
    assert there(tmp_path) == [(MAY, "a")]
    assert not list(tmp_path.rglob("_no_log*"))
