"""The index of a large catalog is kept beside it and follows its changes; decisions are those of one that was made in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.runs import catalog_index
from lakehouse.runs.admin import load_catalog
from lakehouse.runs.catalog_index import index_of_catalog
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Work
from lakehouse.runs.replay import replay
from lakehouse.tables import silver
from lakehouse.transforms.reconcile import index_of, match_keys
from tests.support.lakes import JUNE, closed_lake, copy_of, environment  # noqa: F401  (a fixture)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_COLUMNS = "recording_id,isrc,title,artist,label,upc,album\n"
_CHANGED = "R-2,QZMO12600002,Marble Orchard,Ibo Lark,Kitetail,196000000024,Low Tide\nR-3,QZMO12600003,Low Tied,Ibo Lark,Kitetail,196000000031,Low\n"


@pytest.fixture(autouse=True)
def every_catalog_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_index, "_KEPT_FROM", 0)


def _index(env: Environment, write: bool = True) -> tuple[DataFrame, DataFrame, int]:
    """The catalog, its index, and how many entries were made for it."""
    work = Work(env, JUNE, env.store.versions((silver.catalog, silver.usage)))
    catalog, made = work.read(silver.catalog), 0
    asked = index_of_catalog(work, catalog)
    while True:
        try:
            append = next(asked)
        except StopIteration as end:
            return catalog, end.value, made
        made += append.rows.count()
        if write:
            env.store.append(append.table, append.rows, {})


def _rows(index: DataFrame) -> set[Any]:
    return {(row.form, row.named, tuple(row.blocks), row.low, row.high) for row in index.collect()}


def _change(env: Environment, folder: Path) -> None:
    (folder / "changed.csv").write_text(_COLUMNS + _CHANGED, encoding="utf-8")
    load_catalog(env, [folder / "changed.csv"])


@pytest.mark.spark
@pytest.mark.parametrize("written", [True, False])
def test_a_change_of_the_catalog_adds_what_is_new_and_what_is_gone_finds_nothing(
    closed_lake: Path,  # noqa: F811
    tmp_path: Path,
    spark: SparkSession,
    written: bool,
) -> None:
    """Two recordings; then one has another title and a third comes: two entries more, of three that are in force. A rehearsal writes none of them."""
    env = environment(copy_of(closed_lake, tmp_path))
    first, index, made = _index(env)
    assert made == 2
    assert _rows(index) == _rows(index_of(first))
    assert _index(env)[2] == 0
    _change(env, tmp_path)
    catalog, index, made = _index(env, write=written)
    assert made == 2
    assert _rows(index) == _rows(index_of(catalog))
    assert len(_rows(index)) == 3
    assert _index(env, write=False)[2] == (0 if written else 2)


@pytest.mark.spark
def test_decisions_do_not_depend_on_how_the_index_was_cut_in_parts(
    closed_lake: Path,  # noqa: F811
    tmp_path: Path,
    spark: SparkSession,
) -> None:
    env = environment(copy_of(closed_lake, tmp_path))
    _index(env)
    _change(env, tmp_path)
    catalog, index, _ = _index(env)
    texts = [("Low Tide", "Ibo Lark"), ("Low Tidde", "Ibo Lark"), ("Marbel Orchard", "Ibo Lark"), ("Nihgt Ferry", "Mara Okafor")]
    columns = "usage_key string, isrc string, upc string, title string, artist string, album string, label string, proprietary_id string"
    keys = spark.createDataFrame([(f"k{n}", None, None, *text, None, None, None) for n, text in enumerate(texts)], columns)
    kept, made = (match_keys(keys, catalog, env.rules, index=one).sort("usage_key").collect() for one in (index, None))
    assert kept == made
    assert [row.recording_id for row in kept][2:] == ["R-2", "R-1"]


@pytest.mark.drill
@pytest.mark.spark
def test_a_run_keeps_the_index_and_decides_as_without_it(
    closed_lake: Path,  # noqa: F811
    tmp_path: Path,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same replay in two lakes, of which one keeps its index."""
    decided = {}
    for name, threshold in (("kept", 0), ("made", 1_000)):
        monkeypatch.setattr(catalog_index, "_KEPT_FROM", threshold)
        (tmp_path / name).mkdir()
        env = environment(copy_of(closed_lake, tmp_path / name))
        _change(env, tmp_path)
        replay(env, JUNE)
        reader = env.reader
        [entries] = reader.sql(f"SELECT count(*) AS n FROM {reader.relation(silver.catalog_index.name)}")
        assert entries["n"] == (3 if name == "kept" else 0)
        matches = reader.relation(silver.matches.name)
        decided[name] = reader.sql(
            f"SELECT usage_key, catalog_version, reconciliation_status, recording_id, tier FROM {matches} WHERE period = ? ORDER BY ALL",
            [JUNE],
        )
    assert decided["kept"] == decided["made"]
    assert decided["kept"]
