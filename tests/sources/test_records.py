"""Every line of a file is part of exactly one record, whatever quotes and line ends do."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from lakehouse.sources.dsr_money import allocate
from lakehouse.sources.grammar import read_month, read_number
from lakehouse.sources.records import MAX_RECORD_LINES, Record, read_records
from tests.support.reports import dialects

KNOWN = dialects()
CDBABY = KNOWN["cdbaby"]
HEADER = "\t".join(CDBABY.fields) + "\n"


def records_of(rows: str) -> list[Record]:
    return list(read_records((HEADER + rows).encode(), CDBABY, "utf-8"))[1:]


def row(title: str) -> str:
    return "\t".join(["x"] * 10 + [title] + ["x"] * 3) + "\n"


def test_half_a_quote_costs_its_own_row_only() -> None:
    first, second, third = records_of(row('"half a quote') + row("second") + row("third"))
    assert first.error is not None
    assert first.cells is None
    assert [second.cells and second.cells[10], third.cells and third.cells[10]] == ["second", "third"]


def test_two_half_quotes_do_not_join_rows_into_one() -> None:
    (joined,) = records_of(row('"one') + row('two"'))
    assert joined.error == "a cell spans lines that look like rows of their own: a quote is missing or too many"


def test_a_quoted_line_break_is_one_record() -> None:
    first, second = records_of(row('"two\nlines"') + row("next"))
    assert first.cells is not None
    assert first.cells[10] == "two\nlines"
    assert second.line_no == 4


def test_a_cell_that_never_closes_is_given_up_after_some_lines() -> None:
    found = records_of(row('"open') + row("plain") * (MAX_RECORD_LINES + 10))
    assert len(found) == MAX_RECORD_LINES + 11
    assert found[0].error is not None
    assert all(record.error is None for record in found[1:])


def test_a_row_with_too_few_cells_is_refused_and_kept() -> None:
    (short,) = records_of("a\tb\n")
    assert (short.text, short.error) == ("a\tb", "the row has 2 cells where the header has 14")


def test_a_full_row_after_the_footer_is_data_again() -> None:
    apple = KNOWN["itunes_financial"]
    full = "\t".join(["x"] * 22)
    text = "\t".join(apple.fields) + f"\n{full}\nTotal_Rows\t2\na\tb\n{full}\n"
    assert [record.kind for record in read_records(text.encode(), apple, "utf-8")] == [
        "header",
        "data",
        "footer",
        "footer",
        "data",
    ]


@given(st.text(alphabet='ab\t"\n\r', max_size=200))
def test_joining_the_records_gives_the_text_again(rows: str) -> None:
    found = records_of(rows)
    assert "".join(record.text + record.eol for record in found) == rows
    assert all((record.cells is None) == (record.kind != "data" or record.error is not None) for record in found)


@given(st.integers(-(10**30), 10**30), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_parts_of_a_summary_sum_to_it_and_none_is_off_by_a_whole_unit(amount: int, weights: list[int]) -> None:
    assume(sum(weights) > 0)
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    assert all(abs(part - Fraction(amount * weight, sum(weights))) < 1 for part, weight in zip(parts, weights, strict=True))


def test_a_dot_is_no_decimal_mark_where_the_comma_is() -> None:
    comma = KNOWN["believe"].under("comma").grammar
    assert read_number("1,5", comma) == "1.5"
    assert read_number("1.000", comma) == "'1.000'"


def test_a_month_that_does_not_exist_is_none() -> None:
    assert read_month("13/3/26 9:15pm", KNOWN["bandcamp_sales_52"].grammar) is None
    assert read_month("Sept 2024", KNOWN["symphonic"].grammar) == "2024-09"
