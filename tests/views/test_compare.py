"""What changed on whose statement between two runs of a period: read from the versions that the runs left behind."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from deltalake import write_deltalake

from lakehouse.errors import Misuse
from lakehouse.model.compare import changes
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, ops
from lakehouse.views.common import write_money
from lakehouse.views.compare import compare_drafts, drafted_by
from tests.support.lake import append, arrow_table
from tests.support.published import statement

PERIOD, DRAFT = "2026-05", gold.statements.draft()
FIRST, SECOND, OTHER = "aaaaaa11", "aaaabb22", "cccccc33"


def _draft(root: Path, *rows: dict[str, str]) -> int:
    every = [*rows, statement("2026-04", "P-OLD", "1", "1")]
    if first := not (root / DRAFT.path).exists():
        append(root, DRAFT, [])
    write_deltalake(root / DRAFT.path, arrow_table(DRAFT, every), mode="overwrite")
    return 1 if first else 2


def _journal(root: Path, run: str, hour: int, job: str, version: int | None) -> None:
    at = datetime(2026, 6, 1, hour, tzinfo=timezone.utc)
    writes = {} if version is None else {DRAFT.name: str(version)}
    entry = {
        "run_id": run,
        "job": job,
        "period": PERIOD,
        "fingerprint": "0" * 64,
        "reads": {},
        "writes": writes,
        "code_version": "0",
    }
    append(root, ops.runs, [{**entry, "started_at": at, "ended_at": at}])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs: the second pays Ana two more, Ben nothing any more, and Cleo for the first time; Dan stays as he is."""
    same = statement(PERIOD, "P-DAN", "3", "3")
    first = _draft(tmp_path, statement(PERIOD, "P-ANA", "6", "6"), statement(PERIOD, "P-BEN", "1.001", "1"), same)
    _journal(tmp_path, FIRST, 10, "state", first)
    _journal(tmp_path, OTHER, 11, "reconcile", None)
    second = _draft(tmp_path, statement(PERIOD, "P-ANA", "8", "8"), statement(PERIOD, "P-CLEO", "0", "0", carried="-2"), same)
    _journal(tmp_path, SECOND, 12, "state", second)
    return tmp_path


# a run id, its first digits, a run between that drew up nothing, and a Delta version: all of them the first run's statements
@pytest.mark.parametrize("previous", [FIRST, "aaaaaa", OTHER, "1"])
def test_each_payee_is_told_what_changed(root: Path, previous: str) -> None:
    reader = LakeReader(str(root))
    version = drafted_by(reader, PERIOD, previous)
    found = compare_drafts(reader, PERIOD, version)
    assert (found["previous"], found["version"]) == (1, 2)
    two = {"old": "6.00", "new": "8.00", "difference": "2.00"}
    assert found["changes"] == [
        {"period": PERIOD, "currency": "EUR", "payee": "P-ANA", "amounts": {"earned": two, "payable": two}},
        {"period": PERIOD, "currency": "EUR", "payee": "P-BEN", "amounts": {
            "earned": {"old": "1.001", "new": "0.00", "difference": "-1.001"}, "payable": {"old": "1.00", "new": "0.00", "difference": "-1.00"}}},
        {"period": PERIOD, "currency": "EUR", "payee": "P-CLEO", "amounts": {"carried": {"old": "0.00", "new": "-2.00", "difference": "-2.00"}}},
    ]  # fmt: skip


def test_the_statements_as_they_are_are_the_last(root: Path) -> None:
    reader = LakeReader(str(root))
    assert compare_drafts(reader, PERIOD, drafted_by(reader, PERIOD, "last"))["changes"] == []


@pytest.mark.parametrize(
    ("previous", "said"),
    [
        ("9", "has no version 9: the newest is 2"),
        ("aaaa", "'aaaa' names 2 runs of 2026-05"),
        ("ffff", "'ffff' names no run of 2026-05"),
    ],
)
def test_a_run_that_is_not_there_is_told(root: Path, previous: str, said: str) -> None:
    with pytest.raises(Misuse, match=said):
        drafted_by(LakeReader(str(root)), PERIOD, previous)


def test_a_run_before_any_statement_is_told(root: Path) -> None:
    at = datetime(2026, 5, 1, tzinfo=timezone.utc)
    entry = {
        "run_id": "dddddd44",
        "job": "ingest",
        "period": PERIOD,
        "fingerprint": "0" * 64,
        "reads": {},
        "writes": {},
        "code_version": "0",
    }
    append(root, ops.runs, [{**entry, "started_at": at, "ended_at": at}])
    with pytest.raises(Misuse, match="By then no run of 2026-05 had drawn up statements"):
        drafted_by(LakeReader(str(root)), PERIOD, "dddddd44")


def test_amounts_beyond_pythons_own_precision_are_told_apart() -> None:
    big = "98765432109876543210.123456789012345678"
    sides = [[statement(PERIOD, "P-A", amount, "0")] for amount in (big, big[:-1] + "9")]
    (change,) = changes(*sides, write_money)
    assert change["amounts"]["earned"]["difference"] == "0.000000000000000001"
