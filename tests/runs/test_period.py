"""A period from landing to gold: what is done is not done again, what is closed is not changed, order does not matter."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Findings
from lakehouse.runs.close import close_period
from lakehouse.runs.period import run_period
from lakehouse.store.reader import LakeReader
from lakehouse.views.files import list_files
from lakehouse.views.report import report_period
from tests.support.lakes import (
    JUNE,
    MAY,
    commits,
    copy_of,
    earned,
    environment,
    land,
    new_lake,
    published_root,
    roots,
    rows_written_twice,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
RESTATED = {"A-IBO": "1.333333333333333334", "A-MARA": "7.25"}


def test_the_drafts_hold_what_the_reports_say(drafted_lake: Path) -> None:
    """12.5 / 2 to Mara; 4.000000000000000003 / 3 to Ibo, the rest of both to the label; 1.25 held; 1,50 is no number."""
    reader = LakeReader(str(drafted_lake))
    report = report_period(reader, MAY)
    assert report["lines"] == {"read": 17, "accepted": 4, "ignored": 6, "quarantined": 1, "held": 6}
    assert earned(drafted_lake, [MAY]) == {"A-IBO": "1.333333333333333334", "A-MARA": "6.25"}
    (dollars,) = report["money"]
    assert (dollars["currency"], dollars["revenue"]) == ("USD", "17.750000000000000003")
    assert (dollars["held"], dollars["difference"]) == ("1.250000000000000000", "0.000000000000000000")


def test_a_report_whose_own_total_is_wrong_stays_out_of_the_money_and_is_named(drafted_lake: Path) -> None:
    reader = LakeReader(str(drafted_lake))
    (held,) = report_period(reader, MAY)["held_files"]
    assert held["name"] == "itunes_jp.txt"
    assert [(c["name"], c["declared"], c["found"]) for c in held["controls"]] == [("rows", "9", "6")]
    for table in ("silver.usage", "ops.quarantine", "ops.ignored", "draft.conservation", "draft.royalty_lines"):
        found = reader.sql(f"SELECT count(*) AS n FROM {reader.relation(table)} WHERE file_id = ?", [held["file_id"]])
        assert found[0]["n"] == 0, table


def test_a_second_run_makes_no_commit_in_any_table(drafted_lake: Path, tmp_path: Path, spark: SparkSession) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    before = commits(lake)
    assert run_period(environment(lake), MAY)["changed"] is False
    assert commits(lake) == before


def test_the_same_bytes_under_another_name_or_packed_are_known_and_pay_nothing_more(
    drafted_lake: Path, label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    env, before = environment(lake), commits(lake)
    content = (label / "reports" / "bank_2026-05.tsv").read_bytes()
    (renamed := tmp_path / "download (1).tsv").write_bytes(content)
    (zipped := tmp_path / "statement.zip").write_bytes(b"")
    (packed := tmp_path / "bank_2026-05.tsv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("bank_2026-05.tsv", content)
    assert [landed.status for landed in land(env, renamed, packed, zipped)] == ["duplicate"] * 3
    assert run_period(env, MAY)["changed"] is False
    assert commits(lake) == before
    (names,) = [file["names"] for file in list_files(env.reader) if file["source"] == "distrokid_13"]
    assert names == ["bank_2026-05.tsv", "bank_2026-05.tsv.gz", "download (1).tsv", "statement.zip"]


def test_a_closed_period_refuses_to_run_and_a_second_close_changes_nothing(
    closed_lake: Path, drafted_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    lake = copy_of(closed_lake, tmp_path)
    env, before = environment(lake), commits(lake)
    with pytest.raises(Findings, match=f"{MAY} is closed and refuses change"):
        run_period(env, MAY)
    with pytest.raises(Findings, match="can no longer be"):
        run_period(env, "2026-04")
    again = close_period(env, MAY)
    assert again["root"] == published_root(closed_lake, MAY)
    assert commits(lake) == before
    assert roots(lake, MAY, "gold") == roots(drafted_lake, MAY)


def test_drafts_older_than_their_inputs_are_not_published(
    drafted_lake: Path, label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    env = environment(lake)
    land(env, label / "reports" / "bank_2026-05_v2.tsv")
    before = commits(lake)
    with pytest.raises(Findings, match=rf"not those of today's inputs \(ingest\).*lakehouse run --period {MAY}"):
        close_period(env, MAY)
    with pytest.raises(Findings, match="not those of today's inputs"):
        close_period(env, JUNE)
    assert commits(lake) == before


@pytest.mark.drill
def test_a_restated_report_counts_alone_whichever_version_arrives_first(
    drafted_lake: Path, label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """Mara: (12 + 2.50) / 2 = 7.25."""
    first, second = (label / "reports" / name for name in ("bank_2026-05.tsv", "bank_2026-05_v2.tsv"))
    in_order = copy_of(drafted_lake, tmp_path / "in order")
    land(environment(in_order), second)
    run_period(environment(in_order), MAY)
    assert earned(in_order, [MAY]) == RESTATED
    backwards = tmp_path / "backwards"
    land(new_lake(backwards, label), second, first)
    run_period(environment(backwards), MAY)
    assert roots(backwards, MAY) == roots(in_order, MAY)


@pytest.mark.drill
def test_a_first_version_that_comes_after_the_second_was_closed_changes_nothing(
    label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    first, second = (label / "reports" / name for name in ("bank_2026-05.tsv", "bank_2026-05_v2.tsv"))
    env = new_lake(tmp_path / "lake", label)
    land(env, second)
    run_period(env, MAY)
    close_period(env, MAY)
    land(env, first)
    run_period(env, JUNE)
    assert earned(tmp_path / "lake", [MAY, JUNE]) == RESTATED
    assert roots(tmp_path / "lake", JUNE)["royalty_lines"].rows == 0


def test_what_lands_late_for_a_closed_period_enters_the_books_of_the_next_and_pays_the_difference(
    closed_lake: Path, label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """Mara: 7.25 in all, of which 6.25 was paid in May; and 6 / 2 of June."""
    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    late, june = land(env, label / "reports" / "bank_2026-05_v2.tsv", label / "reports" / "bank_2026-06.tsv")
    assert run_period(env, JUNE)["changed"] is True
    files = {file["file_id"]: file for file in list_files(env.reader)}
    assert (files[late.file_id]["period"], files[late.file_id]["report_period"]) == (JUNE, MAY)
    assert files[june.file_id]["period"] == JUNE
    assert earned(lake, [JUNE]) == {"A-IBO": "0.666666666666666667", "A-MARA": "4"}
    assert published_root(lake, MAY) == published_root(closed_lake, MAY)
    assert roots(lake, MAY, "gold") == roots(closed_lake, MAY, "gold")
    assert rows_written_twice(lake) == {}
