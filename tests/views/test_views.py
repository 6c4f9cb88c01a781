"""The read-only answers of the command line, from a small lake written without a JVM."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from lakehouse.errors import Misuse
from lakehouse.store.reader import LakeReader
from lakehouse.views.common import write_money, write_number
from lakehouse.views.files import list_files, quarantine_list, quarantine_show
from lakehouse.views.statements import list_statements, show_statement, why
from lakehouse.views.states import history, status
from tests.support.published import FILES, may
from tests.support.reported import JULY, MENDED, REFUSED, lake_with_reports


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake_with_reports(tmp_path_factory.mktemp("views") / "lake")


@pytest.fixture
def reader(lake: Path) -> LakeReader:
    return LakeReader(str(lake))


def test_every_line_of_a_file_is_accepted_ignored_or_quarantined_and_its_money_is_told(reader: LakeReader) -> None:
    found = {file["file_id"]: file for file in list_files(reader)}
    may_file = found[FILES["2026-05"]]
    assert may_file["names"] == ["may.tsv", "may (1).tsv"]
    assert (may_file["lines"], may_file["accepted"], may_file["ignored"], may_file["quarantined"]) == (7, 3, 3, 1)
    # 4 + 6 + 0.50 accepted, 0.50 refused
    assert may_file["money"] == {"EUR": {"revenue": "11.00", "quarantined": "0.50"}}
    assert may_file["status"] == "superseded"
    assert may_file["controls"] == [{"name": "lines", "declared": "7", "found": "7", "ok": True}]
    june_file = found[FILES["2026-06"]]
    assert june_file["status"] == "ingested"
    assert june_file["quarantined"] == 0  # its one refused line was released
    assert june_file["money"] == {"EUR": {"revenue": "4.00", "quarantined": "0.00"}}
    assert (found[JULY]["status"], found[JULY]["period"]) == ("landed", "2026-07")
    assert (found["0" * 64]["status"], found["0" * 64]["reason"]) == ("rejected", "no dialect knows it")
    json.dumps(list(found.values()))


def test_files_of_one_period_are_those_that_enter_its_books(reader: LakeReader) -> None:
    assert [file["names"][0] for file in list_files(reader, "2026-06")] == ["june.tsv"]
    assert [file["names"][0] for file in list_files(reader, "2026-07")] == ["july.tsv"]


def test_statements_are_those_published_and_the_drafts_of_periods_that_are_open(reader: LakeReader) -> None:
    found = [(s["statement_id"], s["payable"], s["carried"], s["status"]) for s in list_statements(reader)]
    assert found == [
        ("2026-05-EUR-A-LUNA", "6.00", "0.00", "closed"),
        ("2026-06-EUR-A-LUNA", "4.00", "0.00", "closed"),
        ("2026-06-EUR-B-SOL", "0.00", "-0.001", "closed"),
        ("2026-07-EUR-A-LUNA", "1.00", "0.00", "draft"),
    ]
    assert [s["statement_id"] for s in list_statements(reader, "2026-06", "B-SOL")] == ["2026-06-EUR-B-SOL"]


def test_a_statement_shows_its_lines_with_one_title_for_each_recording(reader: LakeReader) -> None:
    shown = show_statement(reader, "2026-05-EUR-A-LUNA")
    assert [(each["title"], each["artist"], each["amount"], each["units"]) for each in shown["lines"]] == [
        ("Night", "Luna", "6.00", "3")
    ]
    assert sum(Decimal(each["amount"]) for each in shown["lines"]) == Decimal(shown["earned"])
    json.dumps(shown)
    with pytest.raises(Misuse, match="no statement 2026-07-EUR-X-DEAD"):
        show_statement(reader, "2026-07-EUR-X-DEAD")


def test_why_leads_from_an_amount_through_its_stages_to_the_lines_of_the_file(reader: LakeReader) -> None:
    line_id = may()["gold.royalty_lines"][0]["line_id"]
    answer = why(reader, line_id)
    assert answer["stages"] == [
        {"stage": "fee", "in": "10.00", "out": "10.00", "term": "10 %"},
        {"stage": "share", "in": "10.00", "out": "6.00", "term": None},
    ]
    # Line 6 is of another territory, hence of another group.
    assert [(s["name"], s["line_no"], s["text"], s["amount"]) for s in answer["sources"]] == [
        ("may.tsv", 2, "L2\t4", "4.00"),
        ("may.tsv", 3, "L3\t6", "6.00"),
    ]
    assert {s["file_id"] for s in answer["sources"]} == {FILES["2026-05"]}
    json.dumps(answer)


def test_why_answers_for_drafts_and_says_what_to_do_for_an_unknown_line(reader: LakeReader) -> None:
    assert why(reader, "7" * 32)["status"] == "draft"
    with pytest.raises(Misuse, match="lakehouse show"):
        why(reader, "nonsense")


def test_the_quarantine_lists_every_reason_and_tells_released_from_refused(reader: LakeReader) -> None:
    listed = quarantine_list(reader)
    assert [(row["record_id"], row["status"], row["text"]) for row in listed] == [
        (REFUSED, "quarantined", "L4\tbad"),
        (MENDED, "released", "x"),
    ]
    assert listed[0]["reasons"][0]["message"] == "is not a number"
    assert [row["record_id"] for row in quarantine_list(reader, released=False)] == [REFUSED]
    assert quarantine_list(reader, "2026-04") == []
    shown = quarantine_show(reader, MENDED)
    assert (shown["amount"], shown["release_reason"], dict(shown["changes"]), shown["name"]) == (
        "0.50",
        "typo",
        {"isrc": "X"},
        "june.tsv",
    )
    json.dumps(shown)
    with pytest.raises(Misuse, match="quarantine list"):
        quarantine_show(reader, "nonsense")


def test_the_state_of_every_period_is_told(reader: LakeReader) -> None:
    found = [(p["period"], p["state"], p["files"], p["waiting"], p["statements"]) for p in status(reader)]
    assert found == [("2026-05", "closed", 1, 0, 1), ("2026-06", "closed", 1, 0, 2), ("2026-07", "draft", 0, 1, 1)]


def test_the_history_of_a_table_names_the_run_of_each_version(reader: LakeReader) -> None:
    found = history(reader, "gold.ledger")
    assert [(v["version"], v["run_id"], v["job"], v["rows"]) for v in found] == [
        (1, "close-2026-06", "close", 9),
        (0, "close-2026-05", "close", 9),
    ]
    with pytest.raises(Misuse, match=r"no table named 'gold\.nonsense'"):
        history(reader, "gold.nonsense")


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("0E-18", "EUR", "0.00"), ("-0.000", "JPY", "0"), ("12.000", "JPY", "12"), ("1.5", "KWD", "1.500"),
        ("-0.000000000000000001", "EUR", "-0.000000000000000001"), ("1200", "EUR", "1200.00"),
    ],
)  # fmt: skip
def test_money_is_written_with_all_its_digits_and_those_of_its_currency(amount: str, currency: str, written: str) -> None:
    assert write_money(Decimal(amount), currency) == written


def test_a_quantity_is_written_without_needless_zeros() -> None:
    assert [write_number(Decimal(text)) for text in ("3.000000", "0.500000", "0E-6", "100")] == ["3", "0.5", "0", "100"]
