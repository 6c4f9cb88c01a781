"""What the statements of a period do without is said, with its reason."""

from __future__ import annotations

from pathlib import Path

from lakehouse.store.reader import LakeReader
from lakehouse.views.missing import missing_reports
from tests.support.lake import append
from tests.support.reported import JULY, lake_with_reports


def told(root: Path, period: str) -> list[tuple[str, str | None, str | None]]:
    return [(entry["what"], entry["source"], entry["name"]) for entry in missing_reports(LakeReader(str(root)), period)]


def test_rejected_waiting_held_and_silent_reports_are_missing(tmp_path: Path) -> None:
    from lakehouse.tables import bronze
    from tests.support.reported import _file

    root = lake_with_reports(tmp_path / "lake")
    photo = ("rejected", None, "photo.jpg")
    assert told(root, "2026-05") == [photo]
    assert told(root, "2026-07") == [photo, ("waiting", "distrokid_13", "july.tsv")]
    assert told(root, "2026-08") == [photo, ("silent", "distrokid_13", None)]
    wrong = {"name": "revenue", "declared": "9", "found": "8", "ok": False}
    append(root, bronze.files, [_file("2026-06", "wrong.tsv", 1, file_id="c" * 64, controls=[wrong])])
    assert ("held", "distrokid_13", "wrong.tsv") in told(root, "2026-06")
    assert missing_reports(LakeReader(str(root)), "2026-07")[1]["file_id"] == JULY
