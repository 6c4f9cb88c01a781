"""Held money tried again: what a dry run tells is what moves, exactly that, and once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.runs.replay import replay
from lakehouse.runs.review import Verdict, review
from lakehouse.views.holding import holding
from tests.support.golden import rows_of
from tests.support.lakes import JUNE, commits, copy_of, earned, environment, published_root

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.spark
def test_an_alias_moves_its_hold_once_and_closed_books_stay_as_they_are(
    closed_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """R-14, F-37, F-38. 1.25 USD of a song that nobody knows waits since May; a person says that it is Mara's, who earns half of it."""
    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    may = published_root(lake, "2026-05")
    nothing = replay(env, JUNE, dry_run=True)
    assert (nothing["moved"], nothing["still_held"]) == ([], [{"currency": "USD", "amount": "1.25"}])
    (hold,) = rows_of(env.reader, "gold.holding")
    review(env, [Verdict(hold["usage_key"], "R-1", "a retitled release")], "Ada")
    before = commits(lake)
    told = replay(env, JUNE, dry_run=True)
    assert commits(lake) == before
    assert told["money"] == [{"currency": "USD", "amount": "1.25"}]
    (moved,) = told["moved"]
    assert (moved["entry_id"], moved["recording_id"], moved["tier"]) == (hold["entry_id"], "R-1", "alias")
    done = replay(env, JUNE)
    assert {**done, "dry_run": True} == told
    assert replay(env, JUNE)["moved"] == []
    assert earned(lake, [JUNE]) == {"A-MARA": "0.625"}
    assert holding(env.reader, JUNE)["balances"] == []
    (decision,) = [row for row in rows_of(env.reader, "silver.matches") if row["tier"] == "alias"]
    assert (decision["match_confidence"], decision["review_no"]) == (1.0, 1)
    assert decision["evidence"][0]["usage"].startswith("Ada 20")
    assert published_root(lake, "2026-05") == may
