"""Usage keys: the same as the golden file forever. Their normal form: the same in Python and in Spark."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.model.keys import usage_key
from lakehouse.model.normalize import fold_table, normalize

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GOLDEN = Path(__file__).parents[1] / "golden" / "keys" / "keys.csv"
FIELDS = ("isrc", "upc", "title", "artist", "album", "label", "proprietary_id")


def key_by_hand(isrc: str, upc: str, title: str, artist: str, album: str, label: str, proprietary_id: str) -> str:
    """The key as docs describe it, without Spark."""
    codes = ["".join(c for c in code if c.isascii() and c.isalnum()).upper() for code in (isrc, upc)]
    values = [*codes, *map(normalize, (title, artist, album, label)), proprietary_id.strip(" ")]
    framed = [f"{len(value.encode())}:{value}" if value else "N" for value in values]
    return hashlib.sha256("|".join(["v1", *framed]).encode()).hexdigest()


def normalized_by_spark(spark: SparkSession, texts: list[str]) -> list[str]:
    from pyspark.sql import functions as F

    from lakehouse.transforms.normalized import normalized

    rows = spark.createDataFrame(list(enumerate(texts)), "i int, text string")
    return [row.form for row in rows.select("i", normalized(F.col("text")).alias("form")).orderBy("i").collect()]


@pytest.mark.spark
def test_spark_and_python_fold_every_character_alike(spark: SparkSession) -> None:
    table = fold_table()
    chars = {*map(chr, range(0x20, 0x3400)), *table.single, *table.expanded, *table.symbols, "한", "漢", "🎵", "𝔘"}
    texts = [f"{char}" for char in sorted(chars)] + [f"b{char} {char}\u3099c" for char in sorted(chars)]
    wrong = [(t, s, normalize(t)) for t, s in zip(texts, normalized_by_spark(spark, texts), strict=True) if s != normalize(t)]
    assert wrong == []


# Texts that mix what the rewrites look at, so that their order matters.
_TRICKY_CHARS = "aÉß㌀㈀ﬃ½カか゛\u3099\u309a\u1100\u1161\u11a8가각е\u0301 \u00a0'!…🎵हिไทي\u0640𝔘"
_TRICKY = st.text(st.sampled_from(_TRICKY_CHARS), max_size=12)


@pytest.mark.spark
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(_TRICKY, st.text(st.characters(exclude_categories=["Cs"]), max_size=20)), min_size=80, max_size=150))
def test_spark_and_python_normalize_any_text_alike(spark: SparkSession, texts: list[str]) -> None:
    assert normalized_by_spark(spark, texts) == [normalize(text) for text in texts]


def test_keys_equal_the_golden_file() -> None:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        golden = list(csv.DictReader(file))
    rows = [tuple(row[field] or None for field in FIELDS) for row in golden]
    assert [usage_key(*row) for row in rows] == [row["usage_key"] for row in golden]
    assert [key_by_hand(*(row[field] for field in FIELDS)) for row in golden] == [row["usage_key"] for row in golden]


def test_every_component_makes_the_key_another() -> None:
    base: tuple[str | None, ...] = ("QZDM12600001", "00012345678905", "Harbor", "Ana", "Sea", "North", "X1")
    others = [(*base[:i], changed, *base[i + 1 :]) for i in range(7) for changed in (None, f"{base[i]}9")]
    # A value that moves to the next field is another identity too.
    others.append(("QZDM12600001", "00012345678905", "Harbor Ana", None, "Sea", "North", "X1"))
    assert len({usage_key(*row) for row in [base, *others]}) == len(others) + 1


def test_spelling_variants_share_a_key() -> None:
    variants: list[tuple[str | None, ...]] = [
        ("QZDM12600001", None, "Halo (Live)", "Beyoncé", None, "", " "),
        ("QZ-DM1-26-00001", "", "HALO - live", " BEYONCE ", " ", None, None),
    ]
    assert len({usage_key(*row) for row in variants}) == 1
