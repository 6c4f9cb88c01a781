"""D-227: every state of the catalog stays, with who made it; what it said before can be asked for, and is what published periods were read with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.lake import Lake
from lakehouse.runs.admin import init_lake, load_catalog
from tests.support.lakes import MAY, copy_of, environment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_COLUMNS = "recording_id,isrc,title,artist,label,upc,album\n"
_FERRY = "R-1,QZMO12600001,{},Mara Okafor,Kitetail,196000000017,Night Ferry\n"
_TIDE = "R-2,QZMO12600002,{},Ibo Lark,Kitetail,196000000024,Low Tide\n"


def _load(env: Any, folder: Path, *rows: str) -> dict[str, Any]:
    file = folder / "catalog.csv"
    file.write_text(_COLUMNS + "".join(rows), encoding="utf-8")
    return load_catalog(env, [file])


def _titles(lake: Lake, version: int) -> dict[str, str]:
    rows = lake.table("silver.catalog").at(version).arrow().to_pylist()
    return {row["recording_id"]: row["title"] for row in rows}


def test_every_state_of_the_catalog_can_be_asked_for_with_its_old_titles(tmp_path: Path) -> None:
    env = environment(tmp_path / "lake")
    init_lake(env)
    states = [
        (_load(env, tmp_path, _FERRY.format("Night Ferry")), {"R-1": "Night Ferry"}),
        (_load(env, tmp_path, _TIDE.format("Low Tide")), {"R-1": "Night Ferry", "R-2": "Low Tide"}),
        (_load(env, tmp_path, _FERRY.format("The Last Ferry")), {"R-1": "The Last Ferry", "R-2": "Low Tide"}),
        (_load(env, tmp_path, _FERRY.format("The Last Ferry"), _TIDE.format("Low Tides")), {"R-1": "The Last Ferry", "R-2": "Low Tides"}),
    ]  # fmt: skip
    # The same again is no new state.
    assert _load(env, tmp_path, _TIDE.format("Low Tides"))["version"] == states[-1][0]["version"]
    lake = Lake(tmp_path / "lake")
    for loaded, titles in states:
        assert _titles(lake, loaded["version"]) == titles
    # The history is complete: the table as it was made, and one version for each load, with the job that made it and when.
    history = lake.table("silver.catalog").history()
    assert [entry["version"] for entry in history] == [*(loaded["version"] for loaded, _ in reversed(states)), 0]
    assert {entry["job"] for entry in history[:-1]} == {"catalog load"}
    # What changed is told with the old and the new value, and the version that says so first.
    changed = lake.sql(
        "SELECT recording_id, old, new, catalog_version FROM silver.drift_events ORDER BY catalog_version"
    ).fetchall()
    assert changed == [
        ("R-1", "Night Ferry", "The Last Ferry", states[2][0]["version"]),
        ("R-2", "Low Tide", "Low Tides", states[3][0]["version"]),
    ]


@pytest.mark.spark
def test_a_published_period_names_the_catalog_that_it_was_read_with(
    closed_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    root = copy_of(closed_lake, tmp_path)
    _load(environment(root), tmp_path, _FERRY.format("The Last Ferry"))
    catalog = Lake(root).table("silver.catalog")
    now, then = (
        {row["recording_id"]: row["title"] for row in of.arrow().to_pylist()} for of in (catalog, catalog.as_published(MAY))
    )
    assert (now["R-1"], then["R-1"]) == ("The Last Ferry", "Night Ferry")
    assert now["R-2"] == then["R-2"] == "Low Tide"
