"""`contracts try` and `contracts diff` as a person calls them: no lake, no JVM, one JSON document, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Each asks a process of its own.
pytestmark = pytest.mark.slow

BOOK = """\
contract: C-1
version: "1"
effective: {from: 2026-01}
label: P-LABEL
parties: {P-LABEL: {name: Kitetail}, P-ANA: {name: Ana}}
covers: {artists: [Ana]}
terms:
  - {clause: master_share, rate: 50%, to: P-ANA}
"""
USAGE = "line_id,period,artist,amount,currency\n1,2026-01,Ana,100,EUR\n2,2026-02,Ana,10.01,EUR\n"


def _run(*arguments: str | Path) -> tuple[int, Any]:
    """Exit code and JSON of a command, run in a process of its own."""
    program = "import sys; from lakehouse.cli import main; sys.argv[0] = 'lakehouse'; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "contracts", *map(str, arguments), "--json"],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "book.yaml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "usage.csv").write_text(USAGE, encoding="utf-8")
    return tmp_path


def test_try_answers_with_lines_movements_and_statements(desk: Path) -> None:
    code, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert code == 0
    assert [(s["period"], s["payee"], s["earned"], s["payable"]) for s in report["statements"]] == [
        ("2026-01", "P-ANA", "50", "50.00"), ("2026-02", "P-ANA", "5.005", "5.00"),
    ]  # fmt: skip
    assert report["lines"][0] == {
        "line_id": "1", "period": "2026-01", "contract": "C-1", "version": "1", "payee": "P-ANA", "role": "artist", "category": "payable",
        "amount": "50", "currency": "EUR", "stages": [{"stage": "master_share", "in": "100", "out": "50", "term": "C-1/1"}],
    }  # fmt: skip
    assert {m["account"] for m in report["movements"]} == {
        "expenses:royalties:C-1", "liabilities:accrued:P-ANA", "liabilities:payable:P-ANA", "income:rounding",
    }  # fmt: skip


@pytest.mark.parametrize("territory", ["US", "us", "USA", "United States"])
def test_a_territory_may_be_written_as_people_write_it(desk: Path, territory: str) -> None:
    book = (
        (desk / "book.yaml")
        .read_text(encoding="utf-8")
        .replace("terms:", "terms:\n  - {clause: master_share, rate: 20%, to: P-ANA, when: {territory: US}}")
    )
    (desk / "book.yaml").write_text(book, encoding="utf-8")
    (desk / "usage.csv").write_text(f"Artist,Territory,Amount,Currency\nAna,{territory},100,EUR\n", encoding="utf-8")
    _, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert [(line["payee"], line["amount"]) for line in report["lines"] if line["payee"] == "P-ANA"] == [("P-ANA", "20")]


@pytest.mark.parametrize("isrc", ["USRC17607839", "US-RC1-76-07839", "us-rc1-76-07839"])
def test_an_isrc_may_be_written_with_hyphens_in_the_book_and_in_the_table(desk: Path, isrc: str) -> None:
    book = (desk / "book.yaml").read_text(encoding="utf-8")
    own = "terms:\n  - {clause: master_share, rate: 20%, to: P-ANA, when: {recording: US-RC1-76-07839}}"
    book = book.replace("artists: [Ana]", "recordings: [US-RC1-76-07839]").replace("terms:", own)
    (desk / "book.yaml").write_text(book, encoding="utf-8")
    (desk / "usage.csv").write_text(f"isrc,amount,currency\n{isrc},100,EUR\n", encoding="utf-8")
    _, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert [line["amount"] for line in report["lines"] if line["payee"] == "P-ANA"] == ["20"]


def test_a_line_without_a_contract_is_held_and_told(desk: Path) -> None:
    (desk / "usage.csv").write_text("artist,amount,currency\nBen,100,EUR\n", encoding="utf-8")
    code, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert code == 1
    assert [(line["line_id"], line["amount"], line["reason"]) for line in report["unresolved"]] == [
        ("2", "100", "no contract covers it in 2026-01")
    ]


@pytest.mark.parametrize(
    ("usage", "line", "said"),
    [
        ("amuont,currency\n1,EUR\n", 1, "'amuont' is not a column"),
        ("amount,Amount,currency\n1,2,EUR\n", 1, "'amount' is the name of 2 columns"),
        (
            "territory,amount,currency\nNarnia,1,EUR\n",
            2,
            "territory: 'Narnia' is neither an ISO 3166-1 code nor the name of a country",
        ),
        ("amount,currency\n1,EUR\nmany,EUR\n", 3, "amount: 'many' is not an amount"),
        ("amount,currency\n1,EURO\n", 2, "currency: 'EURO' is not an ISO 4217 currency code"),
        ("period,amount,currency\n2026-13,1,EUR\n", 2, "period: '2026-13' is not a month, YYYY-MM"),
        ("line_id,amount,currency\na,1,EUR\na,1,EUR\n", 3, "line_id 'a' is on line 2 too"),
        ("event,amount,currency\ngift,1,EUR\n", 2, "event: 'gift' is not one of cost, advance"),
        ("event,payee,amount,currency\nadvance,P-X,1,EUR\n", 2, "payee: P-X is not a party of the book"),
        ("event,contract,amount,currency\nadvance,C-9,1,EUR\n", 2, "contract: C-9 is not a contract of the book"),
        (
            "amount,currency\n0.1234567890123456789,EUR\n",
            2,
            "amount: '0.1234567890123456789' is not an amount of at most 18 decimals",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(desk: Path, usage: str, line: int, said: str) -> None:
    (desk / "usage.csv").write_text(usage, encoding="utf-8")
    code, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert code == 1
    assert report["statements"] == []
    assert [(f["file"], f["line"]) for f in report["findings"]] == [("usage.csv", line)]
    assert said in report["findings"][0]["message"]


def test_a_broken_book_is_not_tried(desk: Path) -> None:
    (desk / "book.yaml").write_text(BOOK.replace("to: P-ANA", "to: P-X"), encoding="utf-8")
    code, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert (code, report["lines"]) == (1, [])
    assert [(f["line"], f["rule"]) for f in report["findings"]] == [(8, "unknown-party")]


def test_a_missing_rate_of_exchange_is_misuse_and_not_a_guess(desk: Path) -> None:
    (desk / "book.yaml").write_text(BOOK.replace("{name: Ana}", "{name: Ana, currency: USD}"), encoding="utf-8")
    code, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert code == 2
    assert "the book has no rate from EUR to USD in 2026-01" in report["error"]


def test_a_subscriber_who_listened_to_nothing_is_named(desk: Path) -> None:
    pools = "pools:\n  - {name: premium, method: user_centric}\n---\n"
    (desk / "book.yaml").write_text(pools + BOOK, encoding="utf-8")
    (desk / "usage.csv").write_text(
        "line_id,artist,subscriber,units,amount,currency\n1,Ana,joe,3,10,EUR\n2,Ana,ann,0,9.5,EUR\n", encoding="utf-8"
    )
    code, report = _run("try", desk / "book.yaml", desk / "usage.csv")
    assert code == 2
    assert "pool:premium:ann has 9.5 EUR and no units to divide them by: see line 2" in report["error"]


def test_names_are_held_against_a_catalog_where_one_is_given(desk: Path) -> None:
    (desk / "catalog.csv").write_text("title,artist,isrc\nHarbour,Anna,QZABC2600001\n", encoding="utf-8")
    assert _run("lint", desk / "book.yaml") == (0, [])
    code, found = _run("lint", desk / "book.yaml", "--catalog", desk / "catalog.csv")
    assert code == 0
    assert [(f["line"], f["rule"], f["severity"]) for f in found] == [(6, "unknown-artist", "warn")]


def test_diff_tells_what_changes_for_whom(desk: Path) -> None:
    (desk / "new.yaml").write_text(BOOK.replace("50%", "60%"), encoding="utf-8")
    code, report = _run("diff", desk / "book.yaml", desk / "new.yaml", desk / "usage.csv", "--period", "2026-01")
    assert code == 0
    ten = {"old": "50", "new": "60", "difference": "10"}
    assert report == {
        "changes": [{"period": "2026-01", "currency": "EUR", "payee": "P-ANA", "amounts": {"earned": ten, "payable": ten}}],
        "unresolved": [],
    }


def test_a_book_does_not_differ_from_itself(desk: Path) -> None:
    assert _run("diff", desk / "book.yaml", desk / "book.yaml", desk / "usage.csv") == (0, {"changes": [], "unresolved": []})


def test_the_desk_needs_neither_spark_nor_a_lake(desk: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from lakehouse.runs.trial import try_contracts; "
        f"try_contracts(Path({str(desk / 'book.yaml')!r}), Path({str(desk / 'usage.csv')!r})); "
        "print([m for m in ('pyspark', 'deltalake', 'duckdb', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
