"""`lakehouse match` on real files, through Spark."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.errors import Misuse
from lakehouse.model.linkage.rules import load_linkage
from lakehouse.runs.match import match_tables
from lakehouse.settings import conf_dir

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

_WORDS = [
    "river",
    "stone",
    "velvet",
    "engine",
    "harbor",
    "midnight",
    "cobalt",
    "ember",
    "lantern",
    "thistle",
    "orbit",
    "marble",
    "fever",
    "willow",
    "anchor",
    "saffron",
]
_NAMES = ["Okoye", "Lindqvist", "Marchand", "Tanaka", "Ferreira", "Novak", "Haddad", "Sørensen", "Iyer", "Castellano"]
RULES = load_linkage(conf_dir() / "linkage.yaml")


def songs(count: int, seed: int) -> list[dict[str, str]]:
    rng = random.Random(seed)
    found: dict[tuple[str, str], dict[str, str]] = {}
    while len(found) < count:
        title = " ".join(rng.sample(_WORDS, rng.choice((2, 3)))).title()
        artist = f"{rng.choice(_WORDS).title()} {rng.choice(_NAMES)}"
        found.setdefault(
            (title, artist),
            {
                "title": title,
                "artist": artist,
                "album": " ".join(rng.sample(_WORDS, 2)).title(),
                "duration": str(rng.randint(90, 420)),
            },
        )
    return list(found.values())


def typo(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def read_pairs(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def label() -> list[dict[str, str]]:
    return songs(300, seed=3)


def two_sources(label: list[dict[str, str]], shuffled: int = 0) -> list[dict[str, Any]]:
    """Each song as two services tell it: the second writes the artist into the title, mistypes, and counts in milliseconds."""
    rng = random.Random(11)
    rows: list[dict[str, Any]] = [{"id": f"a{n}", "source": "one", **song} for n, song in enumerate(label)]
    for n, song in enumerate(label[:200]):
        title = f"{song['artist']} - {typo(song['title'], rng)}"
        rows.append({"id": f"b{n}", "source": "two", **song, "title": title, "artist": "", "duration": f"{song['duration']}000"})
    random.Random(shuffled).shuffle(rows)
    return rows


def test_sources_of_one_table_are_linked(spark: SparkSession, label: list[dict[str, str]], tmp_path: Path) -> None:
    done = match_tables(spark, write(tmp_path / "all.csv", two_sources(label)), None, tmp_path / "pairs.csv", {}, RULES)
    claimed = {
        frozenset((p["left_id"], p["right_id"])) for p in read_pairs(tmp_path / "pairs.csv") if float(p["confidence"]) >= 0.5
    }
    true = {frozenset((f"a{n}", f"b{n}")) for n in range(200)}
    assert len(claimed & true) >= 196
    assert len(claimed - true) <= 2
    assert done["left"] == 500
    assert done["pairs"] == sum(done["by_band"].values())


def test_the_order_of_rows_and_of_shuffles_changes_nothing(
    spark: SparkSession, label: list[dict[str, str]], tmp_path: Path
) -> None:
    found = []
    before = spark.conf.get("spark.sql.shuffle.partitions")
    try:
        for shuffled, partitions in ((1, "2"), (2, "7")):
            spark.conf.set("spark.sql.shuffle.partitions", partitions)
            table = write(tmp_path / f"{shuffled}.csv", two_sources(label, shuffled))
            match_tables(spark, table, None, tmp_path / f"pairs{shuffled}.csv", {}, RULES)
            pairs = read_pairs(tmp_path / f"pairs{shuffled}.csv")
            found.append({(*sorted((p["left_id"], p["right_id"])), p["confidence"], p["band"], p["evidence"]) for p in pairs})
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
    assert found[0] == found[1]


def test_two_tables_are_linked_across_only(spark: SparkSession, label: list[dict[str, str]], tmp_path: Path) -> None:
    left = write(
        tmp_path / "usage.csv",
        [{"key": f"u{n}", "name": s["title"].lower(), "artist": s["artist"]} for n, s in enumerate(label[:50])],
    )
    right = write(
        tmp_path / "catalog.csv", [{"key": f"c{n}", "name": s["title"], "artist": s["artist"]} for n, s in enumerate(label)]
    )
    match_tables(spark, left, right, tmp_path / "pairs.parquet", {"id": "key", "title": "name"}, RULES)
    rows = spark.read.parquet(str(tmp_path / "pairs.parquet")).where("confidence >= 0.5").collect()
    assert {(row.left_id, row.right_id) for row in rows} == {(f"u{n}", f"c{n}") for n in range(50)}


def test_ids_that_are_missing_or_repeated_are_told(spark: SparkSession, tmp_path: Path) -> None:
    rows = [{"id": "1", "title": "River Stone"}, {"id": "1", "title": "Velvet Engine"}, {"id": "", "title": "Cobalt"}]
    done = match_tables(spark, write(tmp_path / "t.csv", rows), None, tmp_path / "pairs.csv", {}, RULES)
    assert [finding["rule"] for finding in done["findings"]] == ["id_missing", "id_repeated"]


def test_a_table_without_ids_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="--map COLUMN=id"):
        match_tables(spark, write(tmp_path / "t.csv", [{"title": "River"}]), None, tmp_path / "pairs.csv", {}, RULES)
