"""The catalog changes after the books are closed: what that moves is corrected in the open period, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.runs.admin import load_catalog
from lakehouse.runs.replay import replay
from lakehouse.views.drift import drift, touched_keys
from tests.support.golden import rows_of
from tests.support.lakes import JUNE, MAY, copy_of, earned, environment, published_root

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_COLUMNS = "recording_id,isrc,title,artist,label,upc,album\n"


def _correct(env: Any, folder: Path, line: str) -> dict[str, Any]:
    file = folder / "correction.csv"
    file.write_text(_COLUMNS + line + "\n", encoding="utf-8")
    return load_catalog(env, [file])


@pytest.mark.spark
def test_a_song_that_was_somebody_elses_moves_once_into_the_open_period(
    closed_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """R-17, R-18. May paid Mara half of 12.50 for a song that turns out to be Ibo's, who earns a third. Another title alone moves nothing."""
    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    may = published_root(lake, MAY)
    assert drift(env.reader) == []
    loaded = _correct(env, tmp_path, "R-1,QZMO12600001,Night Ferry,Ibo Lark,Kitetail,196000000017,Night Ferry")
    assert loaded["drift"] == 1
    _correct(env, tmp_path, "R-2,QZMO12600002,Low Tides,Ibo Lark,Kitetail,196000000024,Low Tide")
    assert [(e["kind"], e["recording_id"], e["field"], e["old"], e["new"]) for e in drift(env.reader)] == [
        ("ALIAS_UPDATE", "R-1", "artist", "Mara Okafor", "Ibo Lark"),
        ("TITLE_CORRECTION", "R-2", "title", "Low Tide", "Low Tides"),
    ]
    assert len(touched_keys(env.reader, JUNE)) == 2
    replay(env, JUNE)
    lines = rows_of(env.reader, "draft.royalty_lines", JUNE)
    assert {(line["kind"], line["recording_id"], line["contract_id"]) for line in lines} == {
        ("reversal", "R-1", "C-1"),
        ("royalty", "R-1", "C-2"),
    }
    moved = {kind: sum(line["amount"] for line in lines if line["kind"] == kind) for kind in ("reversal", "royalty")}
    assert moved == {"reversal": Decimal("-12.5"), "royalty": Decimal("12.5")}
    assert earned(lake, [JUNE]) == {"A-IBO": "4.166666666666666667", "A-MARA": "-6.25"}
    assert published_root(lake, MAY) == may


@pytest.mark.spark
@pytest.mark.drill
def test_what_no_longer_is_of_any_recording_goes_into_holding(closed_lake: Path, tmp_path: Path, spark: SparkSession) -> None:
    """The code of Ibo's song was wrong in the catalog, and so was its title: what May paid him is taken back and held."""
    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    _correct(env, tmp_path, "R-2,QZMO12600077,Marble Orchard,Ibo Lark,Kitetail,196000000024,Low Tide")
    replay(env, JUNE)
    (held,) = [row for row in rows_of(env.reader, "draft.holding", JUNE) if row["entry"] == "hold"]
    assert (held["amount"], held["reason"]) == (Decimal("4.000000000000000003"), "UNCLAIMED")
    assert earned(lake, [JUNE])["A-IBO"].startswith("-1.3333333333333333")
