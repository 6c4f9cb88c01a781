"""Which reports count, and what a person booked for one that does not add up. No JVM."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, ops
from lakehouse.views.held import accepted_differences, contradicted, held_files, superseded
from tests.support.lake import append, filled

MAY, JUNE = "2026-05", "2026-06"


def _file(
    name: str, key: str, version: int, minute: int, ok: bool = True, source: str = "believe", period: str = MAY
) -> dict[str, Any]:
    control = {"name": "rows", "declared": "1", "found": "1" if ok else "2", "ok": ok}
    return {
        "period": period, "file_id": name, "source": source, "report_key": key, "report_version": version, "controls": [control],
        "received_at": datetime(2026, 6, 1, 12, minute, tzinfo=timezone.utc),
    }  # fmt: skip


def _released(file_id: str, cause: str, booked: str | None = None, period: str = MAY) -> dict[str, Any]:
    amounts = {"EUR": Decimal(booked)} if booked else {}
    return {"period": period, "file_id": file_id, "source": "believe", "cause": cause, "reason": "as agreed", "booked": amounts}


@pytest.fixture
def reader(tmp_path: Path) -> LakeReader:
    files = [
        _file("first", "A", 0, 1), _file("v2", "A", 2, 2), _file("v1-late", "A", 1, 3),  # the version decides, not the arrival
        _file("early", "B", 0, 1), _file("late", "B", 0, 2),  # of equal versions the later to arrive
        _file("alone", "C", 0, 1), _file("other-source", "C", 0, 2, source="fuga"),
        _file("good", "D", 0, 1), _file("broken", "D", 1, 2, ok=False),  # a restatement that contradicts itself replaces nothing
        _file("old", "E", 0, 1), _file("accepted", "E", 1, 2, ok=False),  # unless a person let it go on
        _file("whole", "F", 0, 1), _file("overfull", "F", 1, 2),  # nor does one of which too much is refused
        _file("past", "G", 0, 1), _file("mended", "G", 1, 2),  # unless that is no longer so
        _file("was", "H", 0, 1), _file("wanted", "H", 1, 2), _file("both", "H", 2, 3, ok=False),  # released for one cause of two
        _file("again", "E", 2, 4, period=JUNE),
    ]  # fmt: skip
    holds = [("overfull", "hold"), ("mended", "hold"), ("mended", "clear"), ("wanted", "hold"), ("both", "hold")]
    append(tmp_path, bronze.files, [filled(bronze.files, file) for file in files])
    held = [{"period": MAY, "file_id": file, "entry": entry} for file, entry in holds]
    append(tmp_path, ops.held_files, [filled(ops.held_files, row) for row in held])
    releases = [_released("accepted", "controls", "0.5"), _released("wanted", "quarantine"), _released("both", "controls", "7")]
    append(tmp_path, ops.file_releases, [filled(ops.file_releases, row) for row in releases])
    return LakeReader(str(tmp_path))


def test_the_latest_version_of_a_report_alone_counts(reader: LakeReader) -> None:
    assert set(held_files(reader, MAY)) == {"broken", "overfull", "both"}
    assert contradicted(reader, MAY) == {"broken"}
    assert superseded(reader, MAY) == {"first", "v1-late", "early", "old", "past", "was"}


def test_an_older_version_of_the_lake_tells_what_it_told_then(reader: LakeReader) -> None:
    append(Path(reader.root), bronze.files, [filled(bronze.files, _file("v3", "A", 3, 9))])
    later = LakeReader(reader.root)
    assert superseded(later, MAY) - superseded(later, MAY, {bronze.files.name: 0}) == {"v2"}


def test_an_accepted_difference_is_booked_once_and_mirrored_when_its_report_is_replaced(reader: LakeReader) -> None:
    own = "Difference of the report of believe, accepted: as agreed"
    mirror = "Difference of the report of believe, accepted: the report was replaced"
    assert accepted_differences(reader, MAY) == [
        ("accepted", "believe", "EUR", Decimal("0.5"), own),
        ("both", "believe", "EUR", Decimal(7), own),
    ]
    assert accepted_differences(reader, JUNE) == [("accepted", "believe", "EUR", Decimal("-0.5"), mirror)]
