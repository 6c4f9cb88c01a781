"""The audit pack: a stranger with duckdb alone finds it sound, finds what is touched, and follows a line to the reports."""

from __future__ import annotations

import hashlib
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lakehouse import Lake
from lakehouse.errors import Misuse
from lakehouse.runs.audit import audit_pack
from tests.support.lakes import MAY, environment
from tests.support.reported import lake_with_reports

SITE_PACKAGES = Path(duckdb.__file__).parents[1]
# Starts verify.py as a file, in a Python that sees the standard library and the folder given.
START = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, closed_lake: Path) -> Path:
    """The pack of May. Copy it; do not change it."""
    out = tmp_path_factory.mktemp("audit") / "the pack's folder"
    written = audit_pack(environment(closed_lake), MAY, out)
    assert written["reports"] == 2
    return out


@pytest.fixture
def pack(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "pack"))


@pytest.fixture(scope="session")
def only_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed duckdb and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    for part in SITE_PACKAGES.glob("*duckdb*"):
        if not part.name.startswith("adbc"):
            (folder / part.name).symlink_to(part)
    return folder


def stranger(site: Path, pack: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """python verify.py ARGUMENTS, isolated: no site-packages, no PYTHONPATH, no checkout."""
    command = [sys.executable, "-I", "-S", "-c", START, str(site), str(pack / "verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=120)


def findings(pack: Path) -> set[tuple[str, str]]:
    """(kind, object) of everything the pack's own script finds, with SHA256SUMS as it stands."""
    script: dict[str, Any] = runpy.run_path(str(pack / "verify.py"))
    return {(finding.kind, finding.object) for finding in script["find"](script["Pack"](pack), lambda text: None)}


def sign_again(pack: Path) -> None:
    """What someone does who wants to hide a change: SHA256SUMS is written anew."""
    files = sorted(
        file for file in pack.rglob("*") if file.is_file() and file.name != "SHA256SUMS" and "__pycache__" not in file.parts
    )
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(pack).as_posix()}\n" for file in files]
    (pack / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def rewrite(pack: Path, file: str, query: str) -> None:
    """A Parquet file of the pack as a query over itself, `rows`."""
    path = pack / file
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows AS SELECT * FROM read_parquet('{path}')")
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    sign_again(pack)


@pytest.mark.spark
def test_a_sound_pack_is_verified_with_nothing_but_duckdb(sound: Path, only_duckdb: Path, closed_lake: Path) -> None:
    done = stranger(only_duckdb, sound)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    (root,) = (row["root"] for row in Lake(closed_lake).status() if row["period"] == MAY)
    assert done.stdout.splitlines()[-1] == f"Period {MAY}, root {root}: all is as published."
    assert stranger(only_duckdb, sound, "--root", root).returncode == 0
    other = stranger(only_duckdb, sound, "--root", "0" * 64)
    assert other.returncode == 1
    assert f"root_mismatch: period {MAY}" in other.stdout
    assert not (sound / "__pycache__").exists(), "verifying a pack leaves nothing in it"


@pytest.mark.spark
def test_the_bare_environment_is_bare(only_duckdb: Path, sound: Path) -> None:
    """Else the test above would prove nothing: there, the lakehouse and its other libraries cannot be imported."""
    for library in ("lakehouse", "deltalake", "pyarrow", "pandas", "pyspark"):
        code = f"import sys; sys.path.insert(0, {str(only_duckdb)!r}); import {library}"
        done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, cwd=sound)
        assert "ModuleNotFoundError" in done.stderr, library


@pytest.mark.spark
def test_a_line_leads_to_the_reports_as_why_does(sound: Path, only_duckdb: Path, closed_lake: Path) -> None:
    lake = Lake(closed_lake)
    for statement in lake.statements(MAY):
        listed = stranger(only_duckdb, sound, "--statement", statement["statement_id"])
        lines = lake.statement(statement["statement_id"])["lines"]
        assert {row.split()[0] for row in listed.stdout.splitlines()[:-1]} == {line["line_id"] for line in lines}
        for line in lines:
            told = stranger(only_duckdb, sound, "--line", line["line_id"]).stdout
            explained = lake.why(line["line_id"])
            for source in explained["sources"]:
                assert f"{source['name']} line {source['line_no']}: " in told
                assert source["text"] in told
            assert all(stage["stage"] in told for stage in explained["stages"])
    missing = stranger(only_duckdb, sound, "--line", "0" * 32)
    assert (missing.returncode, missing.stdout.startswith("There is no royalty line")) == (1, True)


def append_byte(pack: Path, pattern: str) -> str:
    file = min(pack.glob(pattern))
    file.write_bytes(file.read_bytes() + b" ")
    return file.relative_to(pack).as_posix()


@pytest.mark.spark
@pytest.mark.parametrize(
    "pattern",
    ["gold/statements.parquet", "reports/*", "manifests/*", "contracts/*", "rules/channels.json", "verify.py", "pack.json"],
)
def test_a_file_with_one_byte_more_is_named(pack: Path, pattern: str) -> None:
    name = append_byte(pack, pattern)
    assert ("file_changed", name) in findings(pack)


@pytest.mark.spark
def test_a_file_that_is_gone_and_one_that_is_new_are_named(pack: Path) -> None:
    (pack / "README.md").unlink()
    (pack / "gold" / "more.parquet").write_bytes(b"")
    assert findings(pack) == {("file_missing", "README.md"), ("file_added", "gold/more.parquet")}


@pytest.mark.spark
@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("reports/*", "report_changed"),
        ("manifests/*", "manifest_changed"),
        ("contracts/*.yaml", "book_changed"),
        ("rules/matching.txt", "rules_changed"),
        ("rules/channels.json", "rules_changed"),
        ("rules/sources/distrokid_13.yaml", "rules_changed"),
    ],
)
def test_a_change_is_found_also_when_the_sums_were_renewed(pack: Path, pattern: str, kind: str) -> None:
    append_byte(pack, pattern)
    sign_again(pack)
    assert kind in {found for found, _ in findings(pack)}


@pytest.mark.spark
def test_a_cent_in_a_royalty_line_names_table_payee_and_line(pack: Path) -> None:
    query = "SELECT * REPLACE (CASE WHEN line_id = (SELECT min(line_id) FROM rows) THEN amount + 0.01 ELSE amount END AS amount) FROM rows"
    line, payee, currency = duckdb.execute(
        f"SELECT line_id, payee, currency FROM read_parquet('{pack}/gold/royalty_lines.parquet') ORDER BY 1 LIMIT 1"
    ).fetchall()[0]
    rewrite(pack, "gold/royalty_lines.parquet", query)
    assert {
        ("root_mismatch", "gold/royalty_lines.parquet"),
        ("totals_mismatch", "gold/royalty_lines.parquet"),
        ("root_mismatch", f"royalty lines of {payee} in {currency}"),
        ("stages_broken", line),
        ("root_mismatch", f"period {MAY}"),
    } <= findings(pack)


DAMAGE: tuple[tuple[str, str, str], ...] = (
    ("statement_arithmetic", "gold/statements", "SELECT * REPLACE (earned + 1 AS earned) FROM rows"),
    ("balance_broken", "gold/statements", "SELECT * REPLACE (opening + 1 AS opening) FROM rows"),
    ("earned_mismatch", "gold/statements", "SELECT * REPLACE (lines + 1 AS lines) FROM rows"),
    ("ledger_unbalanced", "gold/ledger", "SELECT * REPLACE (amount + 1 AS amount) FROM rows"),
    ("conservation_broken", "gold/conservation", "SELECT * REPLACE (fees + 1 AS fees) FROM rows"),
    ("adjustment_undecided", "gold/holding", "SELECT * REPLACE ('adjust' AS entry, entry_id AS releases) FROM rows"),
    ("revenue_mismatch", "silver/usage", "SELECT * REPLACE (amount + 1 AS amount) FROM rows"),
    ("revenue_mismatch", "ops/quarantine", "SELECT * REPLACE (CAST(1 AS DECIMAL(38,18)) AS amount, 'USD' AS currency) FROM rows"),
    ("report_left_out", "gold/conservation", "SELECT * FROM rows LIMIT 0"),
    ("base_mismatch", "silver/usage", "SELECT * FROM rows UNION ALL SELECT * REPLACE (99 AS line_no) FROM rows"),
    ("base_mismatch", "gold/royalty_lines", "SELECT * REPLACE (base + 1 AS base) FROM rows"),
    ("stages_broken", "gold/royalty_lines", "SELECT * REPLACE (amount + 1 AS amount) FROM rows"),
    ("line_missing", "bronze/lines", "SELECT * FROM rows WHERE kind <> 'data'"),
    ("line_changed", "bronze/lines", "SELECT * REPLACE (text || '9' AS text) FROM rows"),
    ("root_mismatch", "gold/holding", "SELECT * REPLACE ('NO_CONTRACT' AS reason) FROM rows"),
    ("root_mismatch", "gold/balances", "SELECT * FROM rows LIMIT 0"),
    ("publication_changed", "gold/periods", "SELECT * REPLACE (rows + 1 AS rows) FROM rows"),
)  # fmt: skip


@pytest.mark.spark
@pytest.mark.parametrize(("kind", "table", "query"), DAMAGE, ids=[f"{kind}-{table}" for kind, table, _ in DAMAGE])
def test_every_rule_finds_what_breaks_it(pack: Path, kind: str, table: str, query: str) -> None:
    rewrite(pack, f"{table}.parquet", query)
    assert kind in {found for found, _ in findings(pack)}


@pytest.mark.spark
def test_every_rule_is_broken_above(sound: Path) -> None:
    named = set(re.findall(r"^-- (\w+): ", (sound / "checks.sql").read_text(), re.MULTILINE))
    assert len(named) == 11
    assert named <= {kind for kind, _, _ in DAMAGE}


@pytest.mark.spark
def test_reports_can_be_left_out_and_are_then_named_by_their_hash(closed_lake: Path, tmp_path: Path) -> None:
    written = audit_pack(environment(closed_lake), MAY, tmp_path / "pack", reports=False)
    assert written["reports"] == 0
    assert not (tmp_path / "pack" / "reports").exists()
    assert findings(tmp_path / "pack") == set()
    assert "left out" in (tmp_path / "pack" / "README.md").read_text()


@pytest.mark.spark
def test_rules_that_are_not_those_of_the_publication_are_left_out_and_said(
    closed_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own := tmp_path / "own").mkdir()
    text = (Path(__file__).parents[2] / "conf" / "sources" / "fuga.yaml").read_text(encoding="utf-8")
    (own / "fuga_mine.yaml").write_text(text.replace("id: fuga", "id: fuga_mine"), encoding="utf-8")
    monkeypatch.setenv("LAKEHOUSE_SOURCES", str(own))
    audit_pack(environment(closed_lake), MAY, tmp_path / "pack")
    assert not (tmp_path / "pack" / "rules" / "matching.txt").exists()
    assert "those of today are others" in (tmp_path / "pack" / "README.md").read_text()
    assert findings(tmp_path / "pack") == set()


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return lake_with_reports(tmp_path / "lake")


def nothing(folder: Path) -> None: ...


def something(folder: Path) -> None:
    folder.mkdir()
    (folder / "letter.txt").write_text("")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("period", "prepare", "told"),
    [("2026-07", nothing, "Period 2026-07 is not published"), (MAY, something, "is not empty")],
)
def test_a_pack_is_of_a_published_period_in_a_folder_of_its_own(
    lake: Path, tmp_path: Path, period: str, prepare: Callable[[Path], None], told: str
) -> None:
    prepare(tmp_path / "pack")
    with pytest.raises(Misuse, match=told):
        audit_pack(environment(lake), period, tmp_path / "pack")
