"""Verification without a JVM: a sound lake is green; whatever is touched is found and named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import Findings, Misuse
from lakehouse.store.manifest import build_manifest, last_manifest_sha256, manifest_bytes, write_manifest
from lakehouse.store.reader import LakeReader
from lakehouse.store.verify import VerifyReport, verify
from lakehouse.tables import gold
from tests.support.lake import append
from tests.support.published import june, line, may, publish, published_lake, reference_root


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published_lake(tmp_path_factory.mktemp("published") / "a lake")


@pytest.fixture
def lake(sound: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(sound, tmp_path / "lake"))


def kinds(report: VerifyReport) -> set[tuple[str, str]]:
    return {(finding.kind, finding.object) for finding in report.findings}


def data_file(lake: Path, table: str, period: str) -> Path:
    return min((lake / table.replace(".", "/") / f"period={period}").rglob("*.parquet"))


def test_a_sound_lake_is_verified_with_the_roots_of_the_reference(sound: Path) -> None:
    report = verify(str(sound))
    assert report.findings == []
    assert report.ok
    assert [(p.period, p.rows, dict(p.totals)) for p in report.periods] == [
        ("2026-05", 3 + 1 + 1 + 9 + 1 + 1 + 3, {"EUR": "6.000000000000000000"}),
        ("2026-06", 2 + 0 + 2 + 9 + 2 + 1 + 2, {"EUR": "4.000000000000000000"}),
    ]
    published = LakeReader(str(sound))
    stated = published.sql(f"SELECT period, root FROM {published.relation('gold.periods')} ORDER BY 1")
    assert [(p.period, p.root) for p in report.periods] == [(row["period"], row["root"]) for row in stated]
    assert json.loads(json.dumps(report.as_json()))["engine"] == "duckdb"


def test_one_period_can_be_verified_alone(sound: Path) -> None:
    assert [p.period for p in verify(str(sound), "2026-06").periods] == ["2026-06"]


def test_a_cent_flipped_in_a_data_file_names_the_file_and_the_sums(lake: Path) -> None:
    file = data_file(lake, "gold.royalty_lines", "2026-05")
    rows = pq.read_table(file, partitioning=None)
    flipped = pa.array([amount + Decimal("0.01") for amount in rows["amount"].to_pylist()], pa.decimal128(38, 18))
    pq.write_table(rows.set_column(rows.schema.get_field_index("amount"), "amount", flipped), file)
    found = kinds(verify(str(lake)))
    assert ("file_changed", file.relative_to(lake).as_posix()) in found
    assert {
        ("root_mismatch", "gold.royalty_lines"),
        ("totals_mismatch", "gold.royalty_lines"),
        ("root_mismatch", "gold.periods/2026-05"),
    } <= found
    assert ("root_mismatch", "gold.partitions/2026-05/EUR/A-LUNA") in found
    assert ("totals_mismatch", "gold.statements/2026-05-EUR-A-LUNA") in found
    assert not any("2026-06" in place for _, place in found)


def test_a_removed_data_file_is_a_finding_and_the_rest_is_still_checked(lake: Path) -> None:
    file = data_file(lake, "gold.ledger", "2026-05")
    file.unlink()
    report = verify(str(lake))
    assert {("file_missing", file.relative_to(lake).as_posix()), ("unreadable", "gold.ledger")} <= kinds(report)
    assert report.periods[0].root is None
    assert report.periods[1].root is not None


def test_a_data_file_of_garbage_is_a_finding(lake: Path) -> None:
    file = data_file(lake, "gold.statements", "2026-06")
    file.write_bytes(b"garbage")
    assert {("file_changed", file.relative_to(lake).as_posix()), ("unreadable", "gold.statements")} <= kinds(verify(str(lake)))


def test_an_added_data_file_is_named(lake: Path) -> None:
    file = data_file(lake, "gold.ledger", "2026-05")
    added = file.with_name("part-added.parquet")
    shutil.copy(file, added)
    assert kinds(verify(str(lake))) == {("file_added", added.relative_to(lake).as_posix())}


def edit_entry(entry: Path) -> None:
    entry.write_text(entry.read_text().replace('"timestamp":', '"timestamp": '))


def garble_entry(entry: Path) -> None:
    entry.write_text("{not json")


@pytest.mark.parametrize(
    ("damage", "kind"), [(edit_entry, "log_changed"), (garble_entry, "log_changed"), (Path.unlink, "log_missing")]
)
@pytest.mark.parametrize("table", ["gold.ledger", "gold.periods"])
def test_a_damaged_log_entry_is_named(lake: Path, table: str, damage: Callable[[Path], None], kind: str) -> None:
    entry = lake / table.replace(".", "/") / "_delta_log" / f"{0:020}.json"
    damage(entry)
    report = verify(str(lake))
    assert not report.ok
    # A broken log of gold.periods leaves nothing to hold the rest against: that itself is the finding.
    assert (kind, entry.relative_to(lake).as_posix()) in kinds(report) or kinds(report) == {("unreadable", "gold.periods")}


def test_an_edited_manifest_is_found_and_its_claims_are_still_held_to_the_data(lake: Path) -> None:
    file = lake / "manifests" / "2026-05.json"
    manifest = json.loads(file.read_bytes())
    manifest["tables"]["gold.ledger"]["rows"] += 1
    file.write_bytes(manifest_bytes(manifest))
    assert kinds(verify(str(lake))) == {("manifest_changed", "manifests/2026-05.json"), ("totals_mismatch", "gold.ledger")}


@pytest.mark.parametrize(
    ("content", "kind"), [(None, "manifest_missing"), (b"[]", "manifest_changed"), (b"\xff", "manifest_changed")]
)
def test_a_lost_or_garbled_manifest_is_a_finding(lake: Path, content: bytes | None, kind: str) -> None:
    file = lake / "manifests" / "2026-06.json"
    file.unlink() if content is None else file.write_bytes(content)
    assert (kind, "manifests/2026-06.json") in kinds(verify(str(lake)))


def test_a_later_commit_into_a_closed_period_is_named(lake: Path) -> None:
    version = append(lake, gold.royalty_lines, [line("2026-05", "X-EVIL", "payable", "1", "1")])
    found = kinds(verify(str(lake)))
    assert ("closed_period_touched", f"gold/royalty_lines/_delta_log/{version:020}.json") in found
    assert ("root_mismatch", "gold.royalty_lines") in found
    assert any(kind == "file_added" for kind, _ in found)


def test_a_later_commit_into_an_open_period_is_no_finding(lake: Path) -> None:
    append(lake, gold.royalty_lines, [line("2026-05", "A-LUNA", "payable", "1", "1") | {"period": "2026-07"}])
    assert verify(str(lake)).ok


def damaged_june(table: str, **change: str) -> dict[str, list[dict[str, Any]]]:
    tables = june()
    tables[table][0] |= change
    return tables


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "change", "expected"),
    [
        ("gold.statements", {"payable": "4.01"}, ("statement_arithmetic", "gold.statements/2026-06-EUR-A-LUNA")),
        ("gold.statements", {"opening": "1", "payable": "5"}, ("balance_broken", "gold.statements/2026-06-EUR-A-LUNA")),
        ("gold.statements", {"earned": "5.001", "payable": "5"}, ("totals_mismatch", "gold.statements/2026-06-EUR-A-LUNA")),
        ("gold.ledger", {"amount": "-4.000999999999999999"}, ("ledger_unbalanced", "gold.ledger/2026-06-EUR-report-R2")),
        (
            "gold.conservation",
            {"held": "0.5"},
            ("conservation_broken", f"gold.conservation/{june()['gold.conservation'][0]['file_id']}/EUR"),
        ),
        (
            "gold.conservation",
            {"difference": "0.5"},
            ("conservation_broken", f"gold.conservation/{june()['gold.conservation'][0]['file_id']}/EUR"),
        ),
    ],
)
def test_wrong_sums_are_found_even_where_every_root_agrees(
    tmp_path: Path, table: str, change: dict[str, str], expected: tuple[str, str]
) -> None:
    append(tmp_path, gold.periods, [])
    publish(tmp_path, "2026-05", may())
    publish(tmp_path, "2026-06", damaged_june(table, **change))
    assert kinds(verify(str(tmp_path))) == {expected}


@pytest.mark.parametrize(
    ("added", "taken", "ok"),
    [("0.05", "-1.049999999999999999", True), ("0.05", "-0.999999999999999999", False), ("0", "-1", False)],
)
def test_what_leaves_holding_is_what_was_held_with_what_was_added(tmp_path: Path, added: str, taken: str, ok: bool) -> None:
    """F-33: May holds 0.999999999999999999; June adds to it and releases it."""
    append(tmp_path, gold.periods, [])
    publish(tmp_path, "2026-05", may())
    held, tables = may()["gold.holding"][0], june()
    own = held | {"period": "2026-06", "releases": held["entry_id"]}
    tables["gold.holding"] = [
        own | {"entry": "adjust", "entry_id": "a" * 32, "amount": added},
        own | {"entry": "release", "entry_id": "b" * 32, "amount": taken},
    ]
    publish(tmp_path, "2026-06", tables)
    assert kinds(verify(str(tmp_path))) == (set() if ok else {("holding_broken", f"gold.holding/{held['entry_id']}")})


def test_a_wrong_root_of_a_logical_partition_is_named(tmp_path: Path) -> None:
    append(tmp_path, gold.periods, [])
    tables = may()
    tables["gold.partitions"] = [
        {"period": "2026-05", "currency": "EUR", "payee": "A-LUNA", "rows": 1, "total": "6", "root": "0" * 64},
    ]
    publish(tmp_path, "2026-05", tables)
    assert kinds(verify(str(tmp_path))) == {
        ("root_mismatch", f"gold.partitions/2026-05/EUR/{payee}") for payee in ("A-LUNA", "P-DIST", "P-LABEL")
    }


@pytest.mark.slow
def test_a_forked_or_cut_chain_of_manifests_is_found(lake: Path) -> None:
    reader = LakeReader(str(lake))
    row = reader.sql(f"SELECT * FROM {reader.relation('gold.periods')} WHERE period = '2026-06'")[0]
    append(lake, gold.periods, [row | {"period": "2026-07", "manifest_sha256": "0" * 64}])
    found = kinds(verify(str(lake)))
    assert ("chain_forked", "gold.periods/2026-07") in found
    with pytest.raises(Findings, match="2 ends"):
        last_manifest_sha256(LakeReader(str(lake)))
    append(lake, gold.periods, [row | {"period": "2026-08", "manifest_sha256": "1" * 64, "previous_manifest_sha256": "2" * 64}])
    append(lake, gold.periods, [row])
    assert {("chain_broken", "gold.periods/2026-08"), ("period_published_twice", "gold.periods/2026-06")} <= kinds(
        verify(str(lake))
    )


def test_a_period_that_is_not_published_and_a_folder_that_is_no_lake_are_misuse(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="Published are: 2026-05, 2026-06"):
        verify(str(sound), "2026-07")
    with pytest.raises(Misuse, match="Is it a lake"):
        verify(str(tmp_path))


def test_the_manifest_of_a_published_period_is_never_replaced_and_that_of_a_dead_close_is(lake: Path) -> None:
    reader = LakeReader(str(lake))
    manifest = json.loads((lake / "manifests" / "2026-06.json").read_bytes())
    assert write_manifest(reader, manifest)
    with pytest.raises(Findings, match="published already"):
        write_manifest(reader, manifest | {"rows": 0})
    write_manifest(reader, manifest | {"period": "2026-07"})
    write_manifest(reader, manifest | {"period": "2026-07", "rows": 0})
    assert json.loads((lake / "manifests" / "2026-07.json").read_bytes())["rows"] == 0


def test_objects_that_no_log_entry_names_are_listed_as_leftovers(lake: Path) -> None:
    leftover = data_file(lake, "gold.ledger", "2026-06").with_name("part-of-a-dead-writer.parquet")
    leftover.write_bytes(b"torn")
    reader = LakeReader(str(lake))
    roots = {table.name: reference_root(table, (june() | {"gold.partitions": []})[table.name]) for table in gold.PUBLISHED}
    versions = {table.name: reader.version(table.name) for table in gold.PUBLISHED}
    manifest = build_manifest(reader, "2026-06", roots, versions, {}, "c" * 64, "d" * 64, "0.1.0")
    states = {held["path"].rpartition("/")[2]: held["state"] for held in manifest["tables"]["gold.ledger"]["objects"]}
    assert sorted(states.values()) == ["leftover", "referenced"]
    assert states[leftover.name] == "leftover"


def test_verification_loads_neither_spark_nor_pandas(sound: Path) -> None:
    """What makes a look slow, and what an auditor need not have."""
    looks = "import sys; from lakehouse.store.verify import verify; assert verify(sys.argv[1]).ok; "
    code = looks + "print(sorted({'pyspark', 'pandas'} & set(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", code, str(sound)], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert said.stdout.strip() == "[]"
