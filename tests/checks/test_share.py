"""When a report is held for its refused lines, and when it goes on."""

from __future__ import annotations

from fractions import Fraction

from lakehouse.checks.share import Judged, judge

OLD, NEW = "old dialect", "new dialect"
FIVE = Fraction(1, 20)


def test_without_a_limit_and_without_a_hold_everything_goes_on() -> None:
    assert judge(1, 1, OLD, None, {}) == (False, None)


def test_a_share_above_the_limit_holds_and_one_that_meets_it_does_not() -> None:
    assert judge(100, 6, OLD, FIVE, {}) == (True, Judged("hold", OLD, "5%", 100, 6))
    assert judge(100, 5, OLD, FIVE, {}) == (False, None)
    assert judge(0, 0, OLD, Fraction(0), {}) == (False, None)
    # A third is no share that a decimal could hold: 1 of 3 meets it exactly.
    assert judge(3, 1, OLD, Fraction(1, 3), {}) == (False, None)


def test_a_hold_stays_as_it_is_until_the_limit_or_the_dialect_lets_it_go() -> None:
    held = {(OLD, "5%"): 0}
    assert judge(100, 6, OLD, None, held) == (True, None)
    assert judge(100, 6, OLD, Fraction(6, 100), held) == (False, Judged("clear", OLD, "6%", 100, 6))
    assert judge(100, 2, NEW, None, held) == (False, Judged("clear", NEW, "5%", 100, 2))
    assert judge(100, 9, NEW, None, held) == (True, Judged("hold", NEW, "5%", 100, 9))
    # Of several holds the latest gives the limit.
    assert judge(100, 6, NEW, None, {(OLD, "10%"): 0, (OLD, "5%"): 1}) == (True, Judged("hold", NEW, "5%", 100, 6))
