"""Figures that are declared about a file are held against its rows, to the digits in which they are printed."""

from __future__ import annotations

from dataclasses import astuple
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.settings import conf_dir
from lakehouse.sources.beside import beside_reader
from lakehouse.sources.controls import agrees, check_controls, money_differences
from lakehouse.sources.dialect import Check, Condition, Control, Dialect, Grammar, SumRows
from lakehouse.sources.grammar import cut, plain_number
from lakehouse.sources.mapping import RowReader
from lakehouse.sources.recognise import load_dialects
from lakehouse.sources.records import read_records

KNOWN = load_dialects([conf_dir() / "sources"])
PRS = KNOWN["prs_short"]
SUMS = PRS.model_copy(
    update={
        "sum_rows": SumRows(
            when=(Condition(column="Work Title", blank=True), Condition(column="CAE Number", blank=True)),
            columns=("Amount (performance revenue)",),
        )
    }
)
HEADER = "Record Number,CAE Number,Work Title,Amount (performance revenue),IP1\n"


def controls(text: str, dialect: Dialect = PRS, **captured: str) -> list[tuple[str, str, str, bool]]:
    given = {f"control.{name}": figure for name, figure in captured.items()}
    records = list(read_records((HEADER + text).encode(), dialect, "utf-8"))
    told = {"report_period": "2026-05", **given}
    return [astuple(result) for result in check_controls(records, dialect, captured=told)]


def test_a_sum_row_is_held_against_its_section_and_is_no_income() -> None:
    rows = "1,9,a,1.25,\n2,9,b,2.25,\n,,,3.50,\n3,9,c,10,\nGBP,,,10,\n,,,13.5,\n"
    assert controls(rows, SUMS) == [
        ("line 4, Amount (performance revenue)", "3.50", "3.50", True),
        ("line 6, Amount (performance revenue)", "10", "10", True),
        # A sum after a sum is that of the whole.
        ("line 7, Amount (performance revenue)", "13.5", "13.50", True),
    ]
    reader, meanings = RowReader(SUMS), []
    for record in read_records((HEADER + rows).encode(), SUMS, "utf-8"):
        if record.cells is not None:
            meanings.append(reader.read(record.cells, {"report_period": "2026-05"}, None)[0][2])
    assert meanings == ["generation", "generation", "summary", "generation", "summary", "summary"]


def test_a_sum_row_that_does_not_add_up_is_a_broken_control() -> None:
    assert controls("1,9,a,1.25,\n,,,1.26,\n", SUMS) == [("line 3, Amount (performance revenue)", "1.26", "1.25", False)]
    assert controls("1,9,a,1.25,\n,,,lots,\n", SUMS) == [("line 3, Amount (performance revenue)", "lots", "1.25", False)]


def test_a_given_figure_is_held_against_what_is_income() -> None:
    rows = "1,9,a,0.0051,\n2,9,b,n/a,\n"
    assert controls(rows, revenue="0.0051", rows="2", units="0") == [
        ("given revenue", "0.0051", "0.0051", True),
        ("given rows", "2", "2", True),
        ("given units", "0", "0", True),
    ]
    assert controls(rows, revenue="0.01")[0][3]
    assert controls(rows, revenue="0.02") == [("given revenue", "0.02", "0.0051", False)]
    assert controls(rows, rows="3") == [("given rows", "3", "2", False)]


def test_a_given_revenue_of_several_currencies_names_one() -> None:
    bandcamp = KNOWN["bandcamp_17"]
    names = bandcamp.header.columns
    base = {"date": "5/3/26 9:15am", "item type": "track", "currency": "GBP", "quantity": "1", "net amount": "1.5"}
    rows = [base, {**base, "currency": "EUR", "net amount": "2"}, {**base, "item type": "payout", "net amount": "-3"}]
    text = ",".join(names) + "\n" + "".join(",".join(row.get(name, "") for name in names) + "\n" for row in rows)
    records = list(read_records(text.encode(), bandcamp, "utf-8"))
    results = check_controls(records, bandcamp, captured={"control.revenue": "3.5", "control.revenue.GBP": "1.5"})
    assert [astuple(result) for result in results] == [
        ("given revenue", "3.5", "2 EUR, 1.5 GBP: give one figure for each, as revenue.EUR", False),
        ("given revenue.GBP", "1.5", "1.5", True),
    ]


@pytest.mark.parametrize(
    ("declared", "found", "holds"),
    [
        ("3.50", "3.5", True),
        ("3.50", "3.5049", True),
        ("3.50", "3.5051", False),
        ("3.5", "3.49", False),
        ("24", "24.3", False),
        ("24", "24.000", True),
        ("25556.072199154", "25556.0721991540000001", True),
    ],
)
def test_a_figure_with_two_decimals_or_more_may_be_rounded_to_them(declared: str, found: str, holds: bool) -> None:
    assert agrees(Decimal(declared), Decimal(found)) is holds


def test_decimals_beyond_the_18th_are_cut_and_the_exact_total_is_kept() -> None:
    long = "0." + "9" * 34
    assert controls(f"1,9,a,{long},\n2,9,b,-{long},\n3,9,c,0.0000000000000000019,\n") == [
        ("exact total", "0.0000000000000000019", "0.000000000000000001", True),
        ("residue beyond 18 decimals", "0.0000000000000000009", "0", True),
    ]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=34, min_value=-10, max_value=10))
def test_what_is_cut_is_less_than_the_last_digit_and_never_more_is_paid(amount: Decimal) -> None:
    kept = Decimal(cut(f"{amount:f}"))
    assert abs(kept) <= abs(amount)
    assert abs(amount - kept) < Decimal("1E-18")
    assert cut(f"{kept:f}") == f"{kept:f}" or kept == 0


@pytest.mark.parametrize("text", ["-0.0000000000000000009", "-0.0"])
def test_what_is_cut_to_nothing_is_zero_without_a_sign(text: str) -> None:
    assert cut(text) in ("0", text)
    assert plain_number("0E-18", Grammar()) == 0


def test_0_258_is_not_258_where_commas_part_thousands() -> None:
    assert plain_number("0,258", Grammar(thousands=",")) is None
    assert plain_number("1,258.5", Grammar(thousands=",")) == Decimal("1258.5")


def row_of(dialect: Dialect, **cells: str) -> list[str | None]:
    return [cells.get(column.replace(" ", "_")) for column in dialect.fields]


@pytest.mark.parametrize(
    ("receipts", "term", "royalty", "broken"),
    [
        ("10", "85%", "8.5", False),
        ("10", "0.85", "8.50", False),
        ("10", "85", "8.5", True),
        ("0.00164130103450794", "85%", "0.00139510587933175", False),
        ("0.00164130103450794", "85%", "0.00139510587933275", True),
        ("-10", "85%", "-8.5", False),
        ("10", "85%", "9", True),
        ("10", "", "9", False),
        ("10", "n/a", "9", False),
    ],
)
def test_arithmetic_is_held_to_the_digits_that_were_printed(receipts: str, term: str, royalty: str, broken: bool) -> None:
    cargo = KNOWN["cargo_royalty_extended"]
    read = beside_reader(cargo)
    assert read is not None
    cells = row_of(cargo, Sale_net_receipts=receipts, Contract_deal_term=term, Reported_Royalty=royalty)
    _, warnings = read(cells)
    assert bool(warnings) is broken


def test_a_sum_is_checked_and_a_further_amount_that_is_no_number_is_shown() -> None:
    dialect = KNOWN["wmg_ada"]
    read = beside_reader(dialect)
    assert read is not None
    cells = row_of(dialect, Royalty_Payable="1,250.5", Deductible_Fees="many", Net_Royalty_Payable="1000")
    assert read(cells) == ({}, ["Deductible Fees is 'many', which is no number"])
    cells = row_of(dialect, Royalty_Payable='="1,250.5"', Deductible_Fees="250.25", Net_Royalty_Payable="1000")
    assert read(cells) == (
        {"Deductible Fees": "250.25"},
        ["Net Royalty Payable is 1000, where Royalty Payable - Deductible Fees is 1000.25"],
    )


def test_a_rate_that_is_printed_rounded_leaves_that_much_room() -> None:
    dialect = KNOWN["tunecore"]
    read = beside_reader(dialect)
    assert read is not None
    # 0.000684 x 0.79 is 0.00054036; at 0.7925 it would be 0.00054207.
    figures = {"Net Sales": "0.000684", "Exchange Rate": "0.79"}
    cells = [{**figures, "Total Earned": "0.000542"}.get(column) for column in dialect.fields]
    assert read(cells)[1] == []
    cells = [{**figures, "Total Earned": "0.000552"}.get(column) for column in dialect.fields]
    assert read(cells)[1] == ["Total Earned is 0.000552, where Net Sales x Exchange Rate is 0.00054036"]


def test_a_check_is_one_formula() -> None:
    with pytest.raises(ValueError, match="give product, or plus"):
        Check(equals="a", product=("b",), plus=("c",))


@pytest.mark.parametrize(
    ("source", "name", "declared", "found", "difference"),
    [
        ("fuga", "given revenue.EUR", "10.5", "10.25", ("EUR", "0.25")),
        ("fuga", "given revenue", "10", "10.25", (None, "-0.25")),
        ("fuga", "given units", "10", "11", None),
        ("fuga", "given rows", "10", "11", None),
    ],
)
def test_the_money_that_a_broken_control_declares_is_told_from_counts(
    source: str, name: str, declared: str, found: str, difference: tuple[str | None, str] | None
) -> None:
    (control,) = [{"name": name, "declared": declared, "found": found}]
    told = [(d.currency, d.amount) for d in money_differences(KNOWN[source], [control])]
    assert told == ([(difference[0], Decimal(difference[1]))] if difference else [])


def test_a_sum_of_the_payable_column_is_money_and_that_of_another_is_not() -> None:
    payable = "Amount (performance revenue)"
    total = SUMS.model_copy(update={"controls": (Control(name="total", captured="total", found="sum", column=payable),)})
    for name in ("total", f"line 4, {payable}"):
        broken = [{"name": name, "declared": "3", "found": "1"}, {"name": "line 4, CAE Number", "declared": "3", "found": "1"}]
        assert money_differences(total, broken) == [(name, None, Decimal(2))]
    assert money_differences(total, [{"name": "total", "declared": "", "found": "1"}]) == [("total", None, None)]


def test_a_total_of_a_summary_is_money_that_does_not_say_how_much_is_owed() -> None:
    dialect = next(d for d in KNOWN.by_id.values() if d.dsr and d.dsr.totals)
    assert dialect.dsr
    name = f"{next(iter(dialect.dsr.totals))} of summary 1"
    assert money_differences(dialect, [{"name": name, "declared": "3", "found": "1"}]) == [(name, None, None)]
    assert money_differences(dialect, [{"name": "NumberOfLinesInFile", "declared": "3", "found": "1"}]) == []
