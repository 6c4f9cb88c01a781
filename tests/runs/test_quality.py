"""The quality gates: what is declared of the tables is looked for in them, kept, and shown."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from lakehouse.runs.quality import check_quality
from lakehouse.tables import ops, silver
from tests.support.lakes import MAY, copy_of, environment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def broken(checked: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    return {(r["severity"], r["table_name"], r["expectation"], r["columns"]) for r in checked["results"] if not r["ok"]}


def test_a_sound_lake_has_no_failures_and_a_spoilt_one_names_them(
    drafted_lake: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process of pytest-xdist has no main file, which pyspark takes for a run of its own doctests, and leaves.
    monkeypatch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)
    root = copy_of(drafted_lake, tmp_path)
    env = environment(root)
    sound = check_quality(env, MAY, tmp_path / "pages")
    assert (sound["ok"], sound["fail"], broken(sound)) == (True, 0, set())
    assert (tmp_path / "pages" / "index.html").is_file()
    usage = next(r for r in sound["results"] if r["table_name"] == "silver.usage" and r["columns"] == "territory" and r["rows"])
    assert (usage["rows"], usage["unexpected"]) == (4, 0)
    # The same line twice, and lines without ISRC, title and artist: what no constraint of the table sees.
    twice = env.store.read(silver.usage).orderBy("line_no").limit(1)
    nothing = {name: F.lit(None).cast("string") for name in ("isrc", "title", "artist")}
    nameless = twice.crossJoin(spark.range(4)).withColumns({"line_no": F.col("id") + 900, **nothing}).drop("id")
    env.store.append(silver.usage, twice.unionByName(nameless), {"job": "test"})
    found = check_quality(env, MAY, tmp_path / "pages")
    assert broken(found) == {
        ("fail", "silver.usage", "ExpectCompoundColumnsToBeUnique", "file_id,line_no"),
        *(("warn", "silver.usage", "ExpectColumnValuesToNotBeNull", column) for column in ("isrc", "title", "artist")),
    }
    assert (found["ok"], found["fail"], found["warn"]) == (False, 1, 3)
    reader = env.reader
    history = reader.sql(
        f"SELECT check_id, count(*) AS n, count(*) FILTER (NOT ok) AS broken FROM {reader.relation(ops.quality_results.name)} "
        "GROUP BY 1 ORDER BY broken"
    )
    assert [(h["check_id"], h["n"], h["broken"]) for h in history] == [
        (sound["check_id"], len(sound["results"]), 0), (found["check_id"], len(found["results"]), 4),
    ]  # fmt: skip
    json.dumps(found)
