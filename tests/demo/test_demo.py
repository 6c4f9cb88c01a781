"""The synthetic label: repeatable, in balance, and strange in every way that it promises."""

from __future__ import annotations

import ast
import gzip
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.demo import write_demo
from lakehouse.demo.deals import DEALS, Deal
from lakehouse.errors import Misuse
from lakehouse.sources.catalog import read_catalog

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def label(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("label")
    write_demo(folder, lines=3000, months=2, seed=7)
    return folder


@pytest.fixture(scope="module")
def periods(label: Path) -> dict[str, Any]:
    return json.loads((label / "expected.json").read_text(encoding="utf-8"))["periods"]


def test_the_same_arguments_write_the_same_bytes_and_another_seed_others(label: Path, tmp_path: Path) -> None:
    write_demo(tmp_path / "again", lines=3000, months=2, seed=7)
    write_demo(tmp_path / "other", lines=3000, months=2, seed=8)

    def contents(folder: Path) -> dict[str, bytes]:
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}

    assert contents(label) == contents(tmp_path / "again")
    assert contents(label) != contents(tmp_path / "other")


def test_every_record_of_every_new_report_is_counted_once(label: Path, periods: dict[str, Any]) -> None:
    for period, truth in periods.items():
        reports = [f for f in (label / "dumps" / period).iterdir() if f.suffix != ".gz" and not f.name.startswith("expenses")]
        encodings = {f: "utf-16" if f.name.startswith("bandcamp") else "utf-8" for f in reports}
        records = sum(len(f.read_bytes().decode(encodings[f]).splitlines()) for f in reports)
        lines = truth["lines"]
        assert lines["read"] == records == lines["accepted"] + lines["ignored"] + lines["quarantined"]
        assert truth["files"] == {"landed": len(reports), "duplicate": 1, "rejected": 1}


def test_the_money_of_every_period_and_currency_is_conserved(periods: dict[str, Any]) -> None:
    for truth in periods.values():
        assert [row["currency"] for row in truth["money"]] == ["EUR", "GBP", "JPY", "USD"]
        for row in truth["money"]:
            places = ("payable", "retained", "fees", "tax", "held", "quarantined")
            assert Decimal(row["revenue"]) == sum(Decimal(row[place]) for place in places)
            earned = sum(Decimal(payee["earned"]) for payee in truth["payees"] if payee["currency"] == row["currency"])
            assert earned == Decimal(row["payable"])


def test_the_money_that_was_printed_is_the_revenue_of_the_truth(label: Path, periods: dict[str, Any]) -> None:
    """GBP comes from two reports only; both can be added up by hand."""
    for period, truth in periods.items():
        spotify = (label / f"dumps/{period}/spotify_{period}.txt").read_text(encoding="utf-8").splitlines()[3:]
        printed = sum(Decimal(line.split("\t")[12]) for line in spotify)
        bandcamp = (label / f"dumps/{period}/bandcamp_{period}.csv").read_text(encoding="utf-16").splitlines()
        header, rows = bandcamp[0].split(","), [line.split(",") for line in bandcamp[1:-1]]
        sub, fee, share = (header.index(name) for name in ("sub total", "transaction fee", "assessed revenue share"))
        printed += sum(Decimal(row[sub]) - Decimal(row[fee]) - Decimal(row[share]) for row in rows)
        [gbp] = [row for row in truth["money"] if row["currency"] == "GBP"]
        assert Decimal(gbp["revenue"]) == printed


def test_all_kinds_of_dirt_are_there(label: Path, periods: dict[str, Any]) -> None:
    for period, truth in periods.items():
        assert truth["lines"]["quarantined"] >= 10
        assert all(truth["matching"][status] > 0 for status in ("matched", "ambiguous", "unclaimed", "drift_flagged"))
        assert (
            sum(truth["matching"][s] for s in ("matched", "ambiguous", "unclaimed", "drift_flagged")) == truth["matching"]["keys"]
        )
        assert all(Decimal(row["held"]) > 0 for row in truth["money"])
        folder = label / "dumps" / period
        assert (
            gzip.decompress((folder / f"bank-details-{period}.tsv.gz").read_bytes())
            == (folder / f"distrokid_{period}.tsv").read_bytes()
        )
        first, second = ((folder / f"cdbaby_{period}{mark}.txt").read_text(encoding="utf-8").splitlines() for mark in ("", "_v2"))
        assert len(first) < len(second)
        assert first[2:] != second[2 : len(first)]
        bandcamp = (folder / f"bandcamp_{period}.csv").read_text(encoding="utf-16")
        assert ",payout," in bandcamp
        assert ",refund," in bandcamp


def test_the_catalog_loads_without_a_finding(label: Path) -> None:
    loaded = read_catalog([label / "catalog" / "recordings.csv"])
    assert loaded.findings == []
    assert len({row["recording_id"] for row in loaded.recordings}) < len(loaded.recordings)


def test_the_contracts_lint_without_a_finding(label: Path) -> None:
    from lakehouse.model.lint import read_book

    documents = {file.name: file.read_text(encoding="utf-8") for file in (label / "contracts").iterdir()}
    book, findings = read_book(documents)
    assert findings == []
    assert len(book.contracts) == len(DEALS)


@given(
    deal=st.sampled_from(DEALS),
    source=st.sampled_from(["distrokid_13", "fuga", "spotify_a"]),
    territory=st.sampled_from(["JP", "KR", "DE"]),
    amount=st.integers(-(10**16), 10**16),
)
def test_a_deal_gives_away_exactly_what_came_in(deal: Deal, source: str, territory: str, amount: int) -> None:
    money = Fraction(amount, 10**10)
    parts = [part for _, _, part in deal.split(source, territory, money)]
    assert sum(parts) == money
    # No part needs more than 18 decimals: the truth is never rounded.
    assert all((part * 10**18).denominator == 1 for part in parts)


def test_the_truth_is_worked_out_without_the_engine() -> None:
    imported = set()
    for file in (CHECKOUT / "lakehouse" / "demo").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
    assert {name for name in imported if name.startswith("lakehouse.") and not name.startswith("lakehouse.demo")} == {
        "lakehouse.errors"
    }


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(Misuse, match="other things"):
        write_demo(tmp_path)


@pytest.mark.parametrize(("lines", "months"), [(10, 1), (6000, 0), (6000, 99)])
def test_numbers_that_make_no_label_are_refused(tmp_path: Path, lines: int, months: int) -> None:
    with pytest.raises(Misuse, match="lines"):
        write_demo(tmp_path, lines=lines, months=months)
