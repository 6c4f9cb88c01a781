"""The contract of the command line, where no JVM is needed: shapes, exit codes, one document on stdout, no tracebacks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, look, work  # noqa: F401  (importing them registers their commands)
from tests.support.lakes import MAY, copy_of
from tests.support.processes import clean_environment, holder, lakehouse
from tests.support.published import may
from tests.support.reported import MENDED, REFUSED, lake_with_reports

STATEMENT = "2026-05-EUR-A-LUNA"
LINE = may()["gold.royalty_lines"][0]["line_id"]
BALANCE = {"opening", "earned", "deducted", "recouped", "reserved", "taxed", "payable", "carried"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two closed periods and a draft, written without a JVM."""
    return lake_with_reports(tmp_path_factory.mktemp("cli") / "lake")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    for name in ("LAKEHOUSE_ROOT", "LAKEHOUSE_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def leaves_of(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from leaves_of(each)
    else:
        yield value


def document(result: Any) -> Any:
    """The one JSON document that stdout is, in which nothing is a binary fraction."""
    found = json.loads(result.stdout)
    assert not [leaf for leaf in leaves_of(found) if isinstance(leaf, float)]
    return found


# Command, exit code, keys of the document or of each row in it, as cli.md promises them.
LOOKS: list[tuple[tuple[str, ...], int, set[str]]] = [
    (
        ("files",), 1,
        {"file_id", "names", "source", "period", "status", "lines", "accepted", "ignored", "quarantined", "controls", "money"},
    ),
    (("statements",), 0, {"statement_id", "period", "currency", "payee", "status"} | BALANCE),
    (("statements", "--period", "2026-06", "--payee", "B-SOL"), 0, {"statement_id", "payee"} | BALANCE),
    (("show", STATEMENT), 0, {"statement_id", "period", "currency", "payee", "status", "lines"} | BALANCE),
    (("why", LINE), 0, {"line_id", "stages", "sources"}),
    (("verify",), 0, {"ok", "engine", "periods", "findings"}),
    (("verify", "--period", MAY), 0, {"ok", "engine", "periods", "findings"}),
    (("quarantine", "list"), 1, {"record_id", "file_id", "line_no", "text", "reasons", "status"}),
    (("quarantine", "list", "--period", "2026-06"), 0, {"record_id", "status"}),
    (("quarantine", "show", REFUSED), 0, {"record_id", "file_id", "line_no", "text", "reasons", "status"}),
    (("history", "gold.statements"), 0, {"version", "timestamp", "run_id", "job"}),
    (("status",), 0, {"period", "state", "root"}),
]  # fmt: skip
NAMES = [" ".join(arguments[:2]) for arguments, *_ in LOOKS]


@pytest.mark.parametrize(("arguments", "code", "keys"), LOOKS, ids=NAMES)
def test_a_look_answers_in_its_shape(
    arguments: tuple[str, ...], code: int, keys: set[str], lake: Path, call: Callable[..., Any]
) -> None:
    result = call(*arguments, "--root", lake, "--json")
    assert result.exit_code == code, result.output
    found = document(result)
    rows = found if isinstance(found, list) else [found]
    assert rows
    assert all(keys <= row.keys() for row in rows)


@pytest.mark.parametrize("arguments", [arguments for arguments, *_ in LOOKS], ids=NAMES)
def test_the_same_answer_is_for_people_without_json(arguments: tuple[str, ...], lake: Path, call: Callable[..., Any]) -> None:
    result = call(*arguments, "--root", lake)
    assert result.stdout.strip()
    with pytest.raises(ValueError, match=r"Expecting value|Extra data"):
        json.loads(result.stdout)


def test_nested_shapes_are_those_that_were_promised(lake: Path, call: Callable[..., Any]) -> None:
    why = document(call("why", LINE, "--root", lake, "--json"))
    assert all({"stage", "in", "out", "term"} <= stage.keys() for stage in why["stages"])
    assert all({"file_id", "name", "line_no", "text"} <= source.keys() for source in why["sources"])
    verified = document(call("verify", "--root", lake, "--json"))
    assert verified["engine"] == "duckdb"
    assert all(period.keys() == {"period", "root", "rows", "totals"} for period in verified["periods"])
    files = document(call("files", "--root", lake, "--json"))
    assert {file["status"] for file in files} == {"superseded", "ingested", "landed", "rejected"}
    assert all({"name", "declared", "found", "ok"} <= control.keys() for file in files for control in file["controls"])
    amounts = [money for file in files for money in file["money"].values()]
    assert amounts
    assert all(money.keys() == {"revenue", "quarantined"} for money in amounts)
    (shown,) = [row for row in document(call("quarantine", "list", "--root", lake, "--json")) if row["record_id"] == MENDED]
    assert shown["status"] == "released"
    assert all({"column", "rule", "message"} <= reason.keys() for reason in shown["reasons"])


@pytest.mark.parametrize("form", ["statements-csv", "statements-xlsx", "journal-beancount", "journal-hledger"])
def test_an_export_names_its_files_with_their_digests(form: str, lake: Path, tmp_path: Path, call: Callable[..., Any]) -> None:
    result = call("export", "--period", MAY, "--to", form, "--out", tmp_path, "--root", lake, "--json")
    assert result.exit_code == 0, result.output
    exported = document(result)
    assert exported["format"] == form
    assert exported["files"]
    for file in exported["files"]:
        assert {"path", "sha256", "rows", "totals"} <= file.keys()
        assert Path(file["path"]).is_file()


def test_a_lake_is_made_once(tmp_path: Path, call: Callable[..., Any]) -> None:
    made = document(call("init", "--root", tmp_path / "lake", "--json"))
    assert made.keys() == {"root", "tables", "created"}
    assert made["created"] is True
    assert "gold.periods" in made["tables"]
    before = sorted((tmp_path / "lake").rglob("*"))
    assert document(call("init", "--root", tmp_path / "lake", "--json"))["created"] is False
    assert sorted((tmp_path / "lake").rglob("*")) == before


def test_a_catalog_and_a_book_are_loaded_once(tmp_path: Path, label: Path, call: Callable[..., Any]) -> None:
    root = tmp_path / "lake"
    call("init", "--root", root)
    catalog, contracts = label / "catalog.csv", label / "contracts"
    loaded = document(call("catalog", "load", catalog, "--root", root, "--json"))
    assert {"version", "releases", "recordings", "changed", "findings"} <= loaded.keys()
    assert (loaded["releases"], loaded["recordings"], loaded["changed"], loaded["findings"]) == (2, 2, 2, [])
    again = document(call("catalog", "load", catalog, "--root", root, "--json"))
    assert (again["version"], again["changed"]) == (loaded["version"], 0)
    assert document(call("contracts", "lint", contracts, "--json")) == []
    book = document(call("contracts", "load", contracts, "--root", root, "--json"))
    assert book.keys() == {"version", "sha256", "contracts"}
    assert book["contracts"] == 2
    assert document(call("contracts", "load", contracts, "--root", root, "--json")) == book


def test_a_book_with_errors_is_told_with_file_and_line_and_is_not_loaded(
    landed_lake: Path, label: Path, tmp_path: Path, call: Callable[..., Any]
) -> None:
    lake = copy_of(landed_lake, tmp_path)
    (book := tmp_path / "book").mkdir()
    broken = (label / "contracts" / "C-1.yaml").read_text(encoding="utf-8").replace("rate: 50%", "rate: 150%")
    (book / "C-1.yaml").write_text(broken, encoding="utf-8")
    result = call("contracts", "lint", book, "--json")
    assert result.exit_code == 1
    findings = document(result)
    assert all(finding.keys() == {"file", "line", "rule", "severity", "message"} for finding in findings)
    assert ("C-1.yaml", 11) in {(finding["file"], finding["line"]) for finding in findings}
    before = document(call("history", "silver.contracts", "--root", lake, "--json"))
    assert call("contracts", "load", book, "--root", lake).exit_code == 1
    assert document(call("history", "silver.contracts", "--root", lake, "--json")) == before


def test_landing_tells_what_became_of_each_path(landed_lake: Path, label: Path, tmp_path: Path, call: Callable[..., Any]) -> None:
    lake = copy_of(landed_lake, tmp_path)
    (photo := tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 no report")
    reports = label / "reports"
    result = call("land", reports / "bank_2026-05.tsv", reports / "bank_2026-06.tsv", photo, "--root", lake, "--json")
    assert result.exit_code == 1
    landed = document(result)
    assert all(row.keys() == {"path", "file_id", "source", "status", "reason"} for row in landed)
    assert [row["status"] for row in landed] == ["duplicate", "landed", "rejected"]
    assert landed[2]["reason"]
    assert call("land", reports / "bank_2026-06.tsv", "--root", lake, "--json").exit_code == 0
    assert call("land", photo, "--root", lake, "--period", "June").exit_code == 2


def test_what_a_report_does_not_say_is_told_when_it_lands(tmp_path: Path, call: Callable[..., Any]) -> None:
    (sent := tmp_path / "sent").mkdir()
    report = sent / "prs.csv"
    report.write_text(
        "Record Number,CAE Number,Work Title,Amount (performance revenue),IP1\n1,00100200300,Ferry Song,0.03,HOLLOWAY JUNE\n"
    )
    (sent / "prs.csv.told.yaml").write_text("period: 2026-05\n")
    lake = tmp_path / "lake"
    nowhere = call("land", sent, "--root", lake)
    assert (nowhere.exit_code, "is not a lake" in nowhere.stderr, lake.exists()) == (2, True, False)
    call("init", "--root", lake)
    wrong = call("land", sent, "--root", lake, "--control", "income=3")
    assert (wrong.exit_code, "there is no control 'income'" in wrong.stderr) == (2, True)
    result = call("land", sent, "--root", lake, "--control", "revenue=0.03", "--given", "currency=EUR", "--json")
    # The document beside the report is no report, and what the format says itself is not told.
    assert [(row["source"], row["status"]) for row in json.loads(result.stdout)] == [("prs_short", "landed")]
    (receipt,) = (lake / "landing" / "receipts" / "2026-05").iterdir()
    assert json.loads(receipt.read_text())["captured"] == {"control.revenue": "0.03"}


def test_a_synthetic_label_is_written(tmp_path: Path, call: Callable[..., Any]) -> None:
    made = document(call("demo-data", tmp_path / "label", "--lines", 200, "--months", 1, "--json"))
    assert made.keys() == {"dir", "files", "lines"}
    assert (tmp_path / "label" / "expected.json").is_file()


MISUSES = [
    (("status",), "Which lake"),
    (("status", "--root", "{nowhere}"), "lakehouse init"),
    (("show", "2026-05-EUR-NOBODY", "--root", "{lake}"), "no statement 2026-05-EUR-NOBODY"),
    (("why", "nonsense", "--root", "{lake}"), "no royalty line nonsense"),
    (("history", "gold.nonsense", "--root", "{lake}"), "gold.nonsense"),
    (("verify", "--engine", "abacus", "--root", "{lake}"), "abacus"),
    (("verify", "--period", "2031-01", "--root", "{lake}"), "2031-01 is not published"),
    (("export", "--period", MAY, "--to", "papyrus", "--root", "{lake}"), "papyrus"),
    (("quarantine", "show", "nonsense", "--root", "{lake}"), "nonsense"),
    (("quarantine", "release", "--set", "amount", "--root", "{lake}"), "COLUMN=VALUE"),
    (("run", "--period", "2026-13", "--root", "{lake}"), "2026-13"),
    (("close", "--period", "May", "--root", "{lake}"), "May"),
    (("init", "--root", "gs://bucket/lake"), "gs://bucket/lake is not supported"),
    (("init", "--root", "s3a://bucket"), "names no prefix in the bucket"),
]


@pytest.mark.parametrize(("arguments", "told"), MISUSES, ids=[" ".join(arguments[:3]) for arguments, _ in MISUSES])
def test_misuse_ends_with_2_and_says_what_is_wrong(
    arguments: tuple[str, ...], told: str, lake: Path, tmp_path: Path, call: Callable[..., Any]
) -> None:
    given = [argument.format(lake=lake, nowhere=tmp_path) for argument in arguments]
    result = call(*given, "--json")
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert document(result) == {"error": result.stderr.removeprefix("lakehouse: ").strip(), "exit_code": 2}


def test_a_command_or_option_that_is_not_there_ends_with_2(call: Callable[..., Any]) -> None:
    assert call("fly").exit_code == 2
    assert call("run").exit_code == 2
    assert call("land", "/there/is/no/such/report").exit_code == 2


def test_a_damaged_lake_is_a_finding_that_names_the_object(lake: Path, tmp_path: Path, call: Callable[..., Any]) -> None:
    damaged = copy_of(lake, tmp_path)
    gone = next((damaged / "gold" / "ledger").rglob("*.parquet"))
    gone.unlink()
    result = call("verify", "--root", damaged, "--json")
    assert result.exit_code == 1
    assert gone.relative_to(damaged).as_posix() in {finding["object"] for finding in document(result)["findings"]}


def test_an_error_nobody_thought_of_has_no_traceback_unless_it_is_asked_for(
    lake: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Any]
) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("the sky fell\nin many lines")

    monkeypatch.setattr("lakehouse.views.states.status", broken)
    result = call("status", "--root", lake, "--json")
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    assert document(result)["error"].startswith("RuntimeError: the sky fell (")
    assert isinstance(call("status", "--root", lake, "--debug").exception, RuntimeError)


def test_while_another_process_writes_a_command_that_changes_ends_with_3_and_a_look_is_served(
    landed_lake: Path, label: Path, tmp_path: Path, call: Callable[..., Any]
) -> None:
    lake = copy_of(landed_lake, tmp_path)
    with holder(lake):
        for arguments in (
            ("init",), ("run", "--period", MAY), ("close", "--period", MAY), ("catalog", "load", label / "catalog.csv"),
            ("contracts", "load", label / "contracts"), ("quarantine", "release"),
        ):  # fmt: skip
            result = call(*arguments, "--root", lake, "--json")
            assert result.exit_code == 3, arguments
            assert "Another process is writing" in document(result)["error"]
        assert call("status", "--root", lake).exit_code == 0


def test_a_real_process_writes_its_document_to_stdout_and_its_trouble_to_stderr(lake: Path, tmp_path: Path) -> None:
    answered = lakehouse("statements", "--json", env=clean_environment(LAKEHOUSE_ROOT=str(lake)))
    assert (answered.returncode, answered.stderr) == (0, "")
    assert len(json.loads(answered.stdout)) == 4
    failed = lakehouse("statements", "--root", tmp_path)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("lakehouse: ")
    assert len(failed.stderr.splitlines()) == 1
