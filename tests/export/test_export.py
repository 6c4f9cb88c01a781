"""Exports: the same bytes every time, every digit kept, accepted by the accounting tools themselves."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import subprocess
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from lakehouse.errors import Findings, Misuse
from lakehouse.export import FORMATS, export
from lakehouse.export.journal import _beancount_account, _hledger_account
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, silver
from tests.support.lake import append
from tests.support.published import june, may, postings, publish, published_lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("export") / "lake"
    append(root, silver.catalog, [{"recording_id": "QZABC2600001", "title": '=HYPERLINK("x")', "artist": "Lu,na", "upc": ""}])
    for table in gold.DRAFTS:
        append(root, table, [])
    return published_lake(root)


def exported(lake: Path, period: str, fmt: str, out: Path) -> dict[str, dict[str, Any]]:
    """{file name: what export says of it}, checked against the file."""
    answer = export(LakeReader(str(lake)), period, fmt, out)
    assert answer["format"] == fmt
    for file in answer["files"]:
        assert hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"]
    return {Path(file["path"]).name: file for file in answer["files"]}


@pytest.mark.slow
@pytest.mark.parametrize("fmt", FORMATS)
def test_the_same_period_gives_the_same_bytes_at_another_moment(lake: Path, tmp_path: Path, fmt: str) -> None:
    first = exported(lake, "2026-05", fmt, tmp_path / "one")
    time.sleep(2.1)  # ZIP archives tell time in steps of two seconds
    second = exported(lake, "2026-05", fmt, tmp_path / "two")
    assert [file["sha256"] for file in first.values()] == [file["sha256"] for file in second.values()]


def test_csv_statements_keep_every_digit_and_disarm_formulas(lake: Path, tmp_path: Path) -> None:
    files = exported(lake, "2026-06", "statements-csv", tmp_path)
    assert files["statements-2026-06.csv"]["totals"] == {"EUR": "4.00"}
    # 4.001 to A-LUNA and -0.001 to B-SOL
    assert (files["statement-lines-2026-06.csv"]["rows"], files["statement-lines-2026-06.csv"]["totals"]) == (2, {"EUR": "4.00"})
    summary = read_csv(tmp_path / "statements-2026-06.csv")
    assert [(row["payee"], row["earned"], row["payable"], row["carried"], row["rounding"]) for row in summary] == [
        ("A-LUNA", "4.001", "4.00", "0.00", "-0.001"),
        ("B-SOL", "-0.001", "0.00", "-0.001", "0.00"),
    ]
    assert summary[0]["payee_name"] == "'=A-LUNA & Co"
    lines = read_csv(tmp_path / "statement-lines-2026-06.csv")
    assert [(row["title"], row["artist"], row["amount"]) for row in lines] == [
        ('\'=HYPERLINK("x")', "Lu,na", "4.001"),
        ('\'=HYPERLINK("x")', "Lu,na", "-0.001"),
    ]


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_xlsx_statements_hold_no_formula_and_the_exact_amounts(lake: Path, tmp_path: Path) -> None:
    exported(lake, "2026-06", "statements-xlsx", tmp_path)
    book = openpyxl.load_workbook(tmp_path / "statements-2026-06.xlsx")
    assert book.sheetnames == ["Summary", "Lines"]
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    head, *rows = list(book["Summary"].iter_rows(values_only=True))
    summary = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["payee_name"] for row in summary] == ["=A-LUNA & Co", "=B-SOL & Co"]
    assert [row["earned"] for row in summary] == ["4.001", "-0.001"]
    assert sum(row["payable"] for row in summary) == 4
    head, *rows = list(book["Lines"].iter_rows(values_only=True))
    assert [dict(zip(head, row, strict=True))["amount"] for row in rows] == ["4.001", "-0.001"]


def run(tool: str, package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The real tool; its absence is a failure, since a skipped proof proves nothing."""
    if shutil.which(tool) is None:
        pytest.fail(f"{tool} is not installed: apt-get install {package}")
    return subprocess.run([tool, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("period", ["2026-05", "2026-06"])
def test_bean_check_accepts_the_journal(lake: Path, tmp_path: Path, period: str) -> None:
    exported(lake, period, "journal-beancount", tmp_path)
    said = run("bean-check", "beancount", str(tmp_path / f"journal-{period}.beancount"))
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.parametrize("period", ["2026-05", "2026-06"])
def test_hledger_accepts_the_journal_in_strict_mode(lake: Path, tmp_path: Path, period: str) -> None:
    exported(lake, period, "journal-hledger", tmp_path)
    said = run("hledger", "hledger", "check", "--strict", "ordereddates", "-f", str(tmp_path / f"journal-{period}.journal"))
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_the_balances_hledger_computes_are_those_of_the_ledger(lake: Path, tmp_path: Path) -> None:
    exported(lake, "2026-05", "journal-hledger", tmp_path)
    said = run(
        "hledger", "hledger", "balance", "--flat", "--no-total", "-O", "csv", "-f", str(tmp_path / "journal-2026-05.journal")
    )
    found = {row["account"]: Decimal(row["balance"].split()[0]) for row in csv.DictReader(io.StringIO(said.stdout))}
    assert found == {
        "assets:receivable:distrokid_13": Decimal("9.5"),
        "income:royalties:C-1": Decimal("-6"),
        "expenses:royalties:C-1": Decimal("6"),
        "income:retained:P-LABEL": Decimal("-1.5"),
        "liabilities:fees:P-DIST": Decimal("-1.000000000000000001"),
        "liabilities:holding": Decimal("-0.999999999999999999"),
        "liabilities:payable:A-LUNA": Decimal("-6"),
    }


BEAN_CHECK = ("bean-check", "beancount")
HLEDGER_CHECK = ("hledger", "hledger", "check", "--strict", "-f")


@pytest.mark.parametrize(
    ("fmt", "suffix", "check"), [("journal-beancount", "beancount", BEAN_CHECK), ("journal-hledger", "journal", HLEDGER_CHECK)]
)
def test_the_tools_refuse_a_journal_off_by_the_last_digit(
    lake: Path, tmp_path: Path, fmt: str, suffix: str, check: tuple[str, ...]
) -> None:
    """The checks above can fail: 10**-18 more on one posting is refused by both."""
    exported(lake, "2026-05", fmt, tmp_path)
    file = tmp_path / f"journal-2026-05.{suffix}"
    before = file.read_text()
    file.write_text(before.replace("1.000000000000000001", "1.000000000000000002", 1))
    assert file.read_text() != before
    assert run(*check, str(file)).returncode != 0


def test_names_that_would_break_a_journal_do_not(tmp_path: Path) -> None:
    """Quotes, comments, blanks, letters of any script, currencies without and with three decimals."""
    tables = june()
    memo = 'He said "x\\"; then |\n  Assets:Cash  5 EUR'
    tables["gold.ledger"] += postings("2026-06", "odd", memo, {"liabilities:payable:Ólafur ; Ö  [x]": "1", "assets:bank": "-1"})
    for currency, amount in (("JPY", "12"), ("KWD", "0.125")):
        tables["gold.ledger"] += [
            posting | {"currency": currency, "transaction_id": f"2026-06-{currency}-odd"}
            for posting in postings(
                "2026-06", "odd", "漢字", {"liabilities:payable:漢": amount, "liabilities:payable:": f"-{amount}"}
            )
        ]
    append(tmp_path, silver.catalog, [])
    append(tmp_path, gold.periods, [])
    publish(tmp_path, "2026-05", may())
    publish(tmp_path, "2026-06", tables)
    exported(tmp_path, "2026-06", "journal-beancount", tmp_path)
    exported(tmp_path, "2026-06", "journal-hledger", tmp_path)
    said = run("bean-check", "beancount", str(tmp_path / "journal-2026-06.beancount"))
    assert (said.returncode, said.stderr) == (0, "")
    said = run("hledger", "hledger", "check", "--strict", "-f", str(tmp_path / "journal-2026-06.journal"))
    assert (said.returncode, said.stderr) == (0, "")


def test_accounts_that_differ_keep_different_names() -> None:
    accounts = [f"liabilities:payable:{party}" for party in ("A-LUNA", "Ä", "Ö", "a;b", "a,b", "漢", "字", "")]
    for rename in (_beancount_account, _hledger_account):
        assert len({rename(account) for account in accounts}) == len(accounts)
    assert _beancount_account("assets:receivable:distrokid_13") == "Assets:Receivable:Distrokid-13"
    assert _hledger_account("assets:receivable:distrokid_13") == "assets:receivable:distrokid_13"


def test_a_ledger_off_balance_is_not_exported(tmp_path: Path) -> None:
    tables = may()
    tables["gold.ledger"][0]["amount"] = "-6.000000000000000001"
    append(tmp_path, gold.periods, [])
    publish(tmp_path, "2026-05", tables)
    with pytest.raises(Findings, match="2026-05-EUR-report-R1 is off balance"):
        export(LakeReader(str(tmp_path)), "2026-05", "journal-hledger", tmp_path)


def test_an_unknown_format_and_an_open_period_are_misuse(lake: Path, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="Formats are statements-csv"):
        export(LakeReader(str(lake)), "2026-05", "pdf", tmp_path)
    with pytest.raises(Misuse, match="lakehouse close --period 2026-07"):
        export(LakeReader(str(lake)), "2026-07", "statements-csv", tmp_path)
