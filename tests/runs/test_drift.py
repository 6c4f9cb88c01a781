"""The catalog changes after the books are closed: what that moves is corrected in the open period, and nothing else."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.runs.admin import init_lake, load_catalog, load_contracts
from lakehouse.runs.backfill import backfill
from lakehouse.runs.replay import replay
from lakehouse.views.drift import drift, touched_keys
from tests.support.golden import rows_of
from tests.support.lakes import JUNE, MAY, bank_report, commits, copy_of, earned, environment, land, published_root

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


# What closed books paid for: Mara and Ibo by contracts of their own, Vera by that of her label; Ibo's song is reported without a code.
_RECORDINGS = {
    "R-1": "QZMO12600001,Night Ferry,Mara Okafor,Kitetail",
    "R-2": "QZMO12600002,Low Tide,Ibo Lark,Kitetail",
    "R-3": "QZMO12600003,Glass Orchard,Vera Les,Kitetail",
}
_SALES = (
    (("Mara Okafor", "Night Ferry", "QZMO12600001"), "10"),
    (("Ibo Lark", "Low Tide", ""), "4"),
    (("Vera Les", "Glass Orchard", "QZMO12600003"), "6"),
)
_LABEL_CONTRACT = """contract: {contract}
version: "1"
title: Label agreement, {label}
effective: {{from: 2026-01}}
label: P-LABEL
parties:
  P-LABEL: {{name: Distributor}}
  {party}: {{name: {label}}}
covers: {{labels: [{label}]}}
terms:
  - {{clause: master_share, rate: 50%, to: {party}}}
"""
# What a correction says of one recording; what June then takes back and books anew: kind of line, contract, amount, and what it holds.
_EVENTS = {
    "ALIAS_UPDATE": ("R-1", "QZMO12600001,Night Ferry,Ibo Lark,Kitetail", [("reversal", "C-1", -10), ("royalty", "C-2", 10)], []),
    # Nothing but its title said that the sale was Ibo's.
    "TITLE_CORRECTION": ("R-2", "QZMO12600002,Marble Orchard,Ibo Lark,Kitetail", [("reversal", "C-2", -4)], [4]),
    "RIGHTS_REASSIGNMENT": (
        "R-3",
        "QZMO12600003,Glass Orchard,Vera Les,North Pier",
        [("reversal", "C-KITE", -6), ("royalty", "C-PIER", 6)],
        [],
    ),
}


@pytest.fixture(scope="module")
def paid_lake(tmp_path_factory: pytest.TempPathFactory, label: Path, spark: SparkSession) -> Path:
    """May is closed. Copy it; do not change it."""
    folder = tmp_path_factory.mktemp("paid")
    env = environment(folder / "lake")
    init_lake(env)
    catalog = folder / "catalog.csv"
    rows = "".join(f"{recording},{rest}\n" for recording, rest in _RECORDINGS.items())
    catalog.write_text("recording_id,isrc,title,artist,label\n" + rows, encoding="utf-8")
    load_catalog(env, [catalog])
    book = Path(shutil.copytree(label / "contracts", folder / "contracts"))
    for contract, house, party in (("C-KITE", "Kitetail", "P-KITE"), ("C-PIER", "North Pier", "P-PIER")):
        text = _LABEL_CONTRACT.format(contract=contract, label=house, party=party)
        (book / f"{contract}.yaml").write_text(text, encoding="utf-8")
    load_contracts(env, book)
    report = folder / "bank_2026-05.tsv"
    report.write_text(bank_report(MAY, _SALES), encoding="utf-8")
    land(env, report)
    backfill(env, MAY, MAY, "yes")
    return folder / "lake"


@pytest.mark.spark
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind == "RIGHTS_REASSIGNMENT" else [pytest.mark.drill]) for kind in _EVENTS]
)
def test_one_event_of_each_kind_is_corrected_for_the_keys_that_it_touches_and_no_others(
    kind: str, paid_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """R-17, R-18: one run decides one key anew, and books one correction in the open period. The other kinds are corrected above too."""
    recording, corrected, lines, held = _EVENTS[kind]
    lake = copy_of(paid_lake, tmp_path)
    env = environment(lake)
    decided = {row["recording_id"]: row["usage_key"] for row in rows_of(env.reader, "silver.matches", MAY)}
    assert decided.keys() == _RECORDINGS.keys()
    file = tmp_path / "correction.csv"
    file.write_text(f"recording_id,isrc,title,artist,label\n{recording},{corrected}\n", encoding="utf-8")
    assert load_catalog(env, [file])["drift"] == 1
    assert [(event["kind"], event["recording_id"]) for event in drift(env.reader)] == [(kind, recording)]
    assert touched_keys(env.reader, JUNE) == [decided[recording]]
    may = published_root(lake, MAY)
    backfill(env, JUNE, JUNE, "no")
    assert [row["usage_key"] for row in rows_of(env.reader, "silver.matches", JUNE)] == [decided[recording]]
    drafted = rows_of(env.reader, "draft.royalty_lines", JUNE)
    assert {line["usage_key"] for line in drafted} == {decided[recording]}
    sums: dict[tuple[str, str], Decimal] = {}
    for line in drafted:
        of = (line["kind"], line["contract_id"])
        sums[of] = sums.get(of, Decimal(0)) + line["amount"]
    assert sorted((*of, amount) for of, amount in sums.items()) == lines
    assert [(row["entry"], row["amount"]) for row in rows_of(env.reader, "draft.holding", JUNE)] == [("hold", h) for h in held]
    assert published_root(lake, MAY) == may
    log = commits(lake)
    backfill(env, JUNE, JUNE, "no")
    assert commits(lake) == log
