"""Escalations that count: what lines of one day or one counter do to each other, and what a period leaves to the next."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from lakehouse.model.accounts import Balance
from lakehouse.model.clauses import Usage
from lakehouse.model.contracts import Contract
from lakehouse.model.counting import Due, balances_of, counting_groups, counts_of, divide_in_order
from lakehouse.model.lint import read_book
from lakehouse.model.trial import try_book
from lakehouse.model.trial_rows import UsageRow
from tests.support.books import HEAD, book_of, contract, paid

RISING = "  - {clause: master_share, rate: 10%, to: P-A, escalation: {by: units, MODE steps: [{above: 100, rate: 20%}]}}\n"


def _due(of: Contract, line_id: str, units: int, day: str = "2026-03-05", currency: str = "EUR", amount: int = 100) -> Due:
    usage = Usage(
        "R-1", "DE", "Spotify", "stream", None, "believe", day[:7], sale_date=day, units=Decimal(units), currency=currency
    )
    return Due(line_id, of, usage, Decimal(amount))


def _royalties(of: Contract, dues: list[Due], before: int = 0) -> dict[str, Decimal]:
    counter = (next(iter(of.counters)), "XXX")
    return {one.due.line_id: paid(one.parts).get("P-A", Decimal(0)) for one in divide_in_order(dues, {counter: Fraction(before)})}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        # 80 come first, by the day; the 40 of the later day cross the step in their middle: 20 at 10 % and 20 at 20 %
        ("", {"a": "15", "b": "10"}),
        ("mode: whole_period,", {"a": "20", "b": "20"}),
        ("mode: next_period,", {"a": "10", "b": "10"}),
    ],
)
def test_lines_count_in_the_order_of_their_days(mode: str, expected: dict[str, str]) -> None:
    of = contract(RISING.replace("MODE ", mode))
    assert of.asks_for_days is (mode == "")
    dues = [_due(of, "a", 40, "2026-03-09"), _due(of, "b", 80, "2026-03-02")]
    assert _royalties(of, dues) == {line: Decimal(amount) for line, amount in expected.items()}


def test_what_was_counted_before_goes_on_counting() -> None:
    of = contract(RISING.replace("MODE ", ""))
    assert _royalties(of, [_due(of, "a", 40)], before=100) == {"a": Decimal(20)}
    # 50 returns from 120 take 20 units at 20 % back and 30 at 10 %: 14 of 100
    assert _royalties(of, [_due(of, "a", -50, amount=-100)], before=120) == {"a": Decimal(-14)}


def test_a_line_that_waits_has_not_counted() -> None:
    of = contract(RISING.replace("MODE ", "") + "  - {clause: packaging, rate: 5%, of: retail}\n")
    dues = [_due(of, "a", 90), replace(_due(of, "b", 90), usage=replace(_due(of, "b", 90).usage, retail=Decimal(1)))]
    found = divide_in_order(dues, {})
    assert {one.due.line_id: bool(one.refusal) for one in found} == {"a": True, "b": False}
    assert balances_of(one.counted for one in found) == [Balance("count", "", "", "XXX", "C-1/1", Decimal(90))]


def test_income_of_two_currencies_is_never_added_up() -> None:
    of = contract(RISING.replace("MODE ", "").replace("by: units", "by: income"))
    found = divide_in_order([_due(of, "a", 1), _due(of, "b", 1, currency="USD")], {})
    assert [(b.currency, b.amount) for b in balances_of(one.counted for one in found)] == [("EUR", 100), ("USD", 100)]


def test_counts_are_kept_as_balances_to_the_last_digit() -> None:
    """A third of a unit has no decimal: the increment is cut once, at the line, and then added exactly."""
    of = contract(RISING.replace("MODE ", "equivalents: {stream: 1/3}, "))
    balances = balances_of(one.counted for one in divide_in_order([_due(of, "a", 1), _due(of, "b", 1)], {}))
    assert [b.amount for b in balances] == [Decimal("0.666666666666666666")]
    assert counts_of(balances) == {("C-1/1", "XXX"): Fraction(666666666666666666, 10**18)}


def test_the_trial_keeps_counts_between_periods() -> None:
    book = book_of({"c.yaml": HEAD + "terms:\n" + RISING.replace("MODE ", "")})
    of = book.contracts[0]
    rows = [
        UsageRow(
            f"{month}",
            f"2026-0{month}",
            Decimal(100),
            "EUR",
            "Mira Okoye",
            None,
            "",
            _due(of, "x", 80, f"2026-0{month}-01").usage,
        )
        for month in (3, 4)
    ]
    trial = try_book(book, rows, [])
    # 80 at 10 %; then 20 at 10 % and 60 at 20 %: 17.5 of 100
    assert [s.earned for s in trial.statements] == [Decimal(10), Decimal("17.5")]
    assert [b.amount for b in trial.closing if b.kind == "count"] == [160]


def test_contracts_that_share_a_counter_are_one_group() -> None:
    def of(name: str, counter: str) -> str:
        escalation = RISING.replace("MODE ", f"counter: {counter}, " if counter else "")
        return HEAD.replace("C-1", name).replace("[Mira Okoye]", f"[{name}]") + "terms:\n" + escalation

    texts = {"C-1": "both", "C-2": "", "C-3": "both", "C-4": "own"}
    book, _ = read_book({f"{name}.yaml": of(name, counter) for name, counter in texts.items()})
    assert counting_groups(book) == {"C-1": "C-1", "C-2": "C-2", "C-3": "C-1", "C-4": "C-4"}


def test_lines_of_a_day_count_by_the_size_of_their_numbers() -> None:
    of = contract(RISING.replace("MODE ", ""))
    # the hundred that are at 10 % are those of line 9
    assert _royalties(of, [_due(of, "10", 100), _due(of, "9", 100)]) == {"9": Decimal(10), "10": Decimal(20)}


def test_an_amendment_goes_on_with_the_count_of_the_same_term() -> None:
    """Wherever it writes it; and a term that comes into its place begins a count of its own."""
    at_home = RISING.replace("MODE ", "").replace("to: P-A", "to: P-A, when: {territory: DE}")
    abroad = at_home.replace("territory: DE", "territory: FR")
    later = HEAD.replace('"1"', '"2"').replace("2026-01", "2026-07")
    first = HEAD.replace("2026-01", "2026-01, to: 2026-06") + f"terms:\n{at_home}"
    book = book_of({"1.yaml": first, "2.yaml": f"{later}terms:\n{abroad}{at_home}"})
    assert [sorted(each.counters) for each in book.contracts] == [["C-1/1"], ["C-1/1", "C-1/1/2"]]
    assert {home for each in book.contracts for home in each.counted(replace(_due(each, "a", 1).usage), Decimal(1))} == {
        ("C-1/1", "XXX")
    }


def test_a_counter_with_a_name_keeps_it_in_every_version() -> None:
    named = RISING.replace("MODE ", "counter: album, ")
    later = HEAD.replace('"1"', '"2"').replace("2026-01", "2026-07")
    book = book_of(
        {"1.yaml": HEAD.replace("2026-01", "2026-01, to: 2026-06") + f"terms:\n{named}", "2.yaml": f"{later}terms:\n{named}"}
    )
    assert {counter for each in book.contracts for counter in each.counters} == {"album"}
