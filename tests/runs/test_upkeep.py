"""Upkeep changes files and logs, and no row, and nothing that a publication vouches for."""

from __future__ import annotations

from pathlib import Path

import deltalake
import pytest

from lakehouse.errors import Findings, Misuse
from lakehouse.runs.upkeep import upkeep
from lakehouse.store import duck
from lakehouse.store.reader import LakeReader
from lakehouse.store.upkeep import MANY_COMMITS, MANY_FILES
from lakehouse.store.verify import verify
from lakehouse.tables import ALL, gold, ops, table
from tests.support.lake import append
from tests.support.lakes import MAY, commits, environment
from tests.support.published import FILES
from tests.support.reported import lake_with_reports

CROWDED = "ops.ignored"


def crowd(root: Path, files: int) -> None:
    """One more file for each line."""
    for line_no in range(100, 100 + files):
        row = {"period": MAY, "file_id": FILES[MAY], "line_no": line_no, "meaning": "transfer"}
        append(root, ops.ignored, [row])


def without_drafts(root: Path) -> Path:
    for draft in gold.DRAFTS:
        deltalake.DeltaTable(root / draft.path).delete()
    return root


def with_retention(root: Path) -> Path:
    """The retention that `lakehouse init` gives every table."""
    for each in ALL:
        years = {"delta.deletedFileRetentionDuration": each.properties["delta.deletedFileRetentionDuration"]}
        deltalake.DeltaTable(root / each.path).alter.set_table_properties(years)
    return root


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    root = without_drafts(with_retention(lake_with_reports(tmp_path / "lake")))
    crowd(root, MANY_FILES)
    return root


def root_of(lake: Path, name: str, version: int | None = None) -> str:
    reader = LakeReader(str(lake))
    return duck.table_root(reader.connection, reader.relation(name, version), table(name)).root


@pytest.mark.slow
def test_many_files_become_few_with_the_same_rows_and_every_older_version_stays(lake: Path) -> None:
    before = LakeReader(str(lake)).version(CROWDED)
    root, older = root_of(lake, CROWDED), root_of(lake, CROWDED, before - 1)
    outcome = upkeep(environment(lake), CROWDED)
    (kept,) = outcome["kept"]
    assert outcome["compacted"] is True
    assert (kept["files_before"], kept["files_after"]) == (MANY_FILES + 1, 1)
    assert root_of(lake, CROWDED) == root_of(lake, CROWDED, before) == root
    assert root_of(lake, CROWDED, before - 1) == older
    (newest, *_) = LakeReader(str(lake)).delta(CROWDED).history(1)
    assert '"job": "upkeep"' in newest["userMetadata"]


def test_a_log_of_many_commits_gets_a_checkpoint_once(lake: Path) -> None:
    crowd(lake, MANY_COMMITS)
    assert [upkeep(environment(lake), CROWDED)["kept"][0]["checkpoint"] for _ in range(2)] == [True, False]
    assert list((lake / "ops" / "ignored" / "_delta_log").glob("*.checkpoint.parquet"))


@pytest.mark.slow
def test_upkeep_of_everything_leaves_the_published_periods_verified_and_gold_as_it_was(lake: Path) -> None:
    published = [name for name in commits(lake) if name.startswith("gold/")]
    kept = upkeep(environment(lake), ",".join(each.name for each in ALL))["kept"]
    assert [each["table"] for each in kept] == [each.name for each in ALL]
    assert [name for name in commits(lake) if name.startswith("gold/")] == published
    # A close of July died in this lake: verify is as it was before, not more and not less.
    assert [finding.kind for finding in verify(str(lake)).findings] == []


def test_while_a_period_is_in_draft_files_stay_as_they_are(tmp_path: Path) -> None:
    root = with_retention(lake_with_reports(tmp_path / "lake"))
    crowd(root, MANY_FILES)
    outcome = upkeep(environment(root), CROWDED)
    assert outcome["compacted"] is False
    assert outcome["kept"][0]["files_after"] == MANY_FILES + 1


def test_a_table_that_would_forget_too_soon_is_not_vacuumed(lake: Path) -> None:
    deltalake.DeltaTable(lake / "ops" / "ignored").alter.set_table_properties(
        {"delta.deletedFileRetentionDuration": "interval 1 hours"}
    )
    with pytest.raises(
        Findings, match=r"keeps removed files for interval 1 hours, not for interval 3650 days: nothing was vacuumed"
    ):
        upkeep(environment(lake), CROWDED)


def test_a_table_that_is_not_there_is_misuse(lake: Path) -> None:
    with pytest.raises(Misuse, match=r"no table named 'ops\.nothing'"):
        upkeep(environment(lake), "ops.nothing")
