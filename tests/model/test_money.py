"""The laws of exact money."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.money import from_units, minor_digits, parse_rate, round_together, split, to_units, write_rate

# Up to 20 digits before the point and 18 after it: everything a column of money can hold.
amounts = st.integers(-(10**38) + 1, 10**38 - 1).map(from_units)
positive = st.integers(1, 10**36).map(from_units)
weights = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 10**6), min_size=1, max_size=8)


@st.composite
def shares(draw: st.DrawFn) -> dict[str, Fraction]:
    drawn = draw(weights.filter(lambda w: sum(w.values()) > 0))
    return {key: Fraction(weight, sum(drawn.values())) for key, weight in drawn.items()}


@given(amounts, shares())
def test_the_parts_of_a_split_add_up_to_the_whole(total: Decimal, parts: dict[str, Fraction]) -> None:
    cut = split(total, parts)
    assert sum(to_units(part) for part in cut.values()) == to_units(total)
    assert set(cut) == set(parts)


@given(amounts, shares())
def test_every_part_is_within_one_unit_of_its_exact_share(total: Decimal, parts: dict[str, Fraction]) -> None:
    for key, part in split(total, parts).items():
        assert abs(to_units(part) - to_units(total) * parts[key]) < 1


@given(amounts, shares())
def test_the_split_of_a_reversal_is_the_exact_mirror(total: Decimal, parts: dict[str, Fraction]) -> None:
    assert split(total.copy_negate(), parts) == {key: part.copy_negate() for key, part in split(total, parts).items()}


@given(amounts, shares(), st.randoms())
def test_the_order_in_which_shares_are_written_does_not_matter(total: Decimal, parts: dict[str, Fraction], random) -> None:  # type: ignore[no-untyped-def]
    keys = list(parts)
    random.shuffle(keys)
    assert split(total, {key: parts[key] for key in keys}) == split(total, parts)


def test_thirds_of_a_hundred_leave_one_unit_to_the_first_party() -> None:
    """W65, at the scale of the cent: 33.34 + 33.33 + 33.33 = 100.00."""
    third = Fraction(1, 3)
    cut = split(Decimal("100.00"), {"c": third, "b": third, "a": third}, scale=2)
    assert cut == {"a": Decimal("33.34"), "b": Decimal("33.33"), "c": Decimal("33.33")}


@pytest.mark.parametrize(
    ("total", "digits", "expected"),
    # W67: the yen has no decimals, the Kuwaiti dinar three.
    [("100", minor_digits("JPY"), ["34", "33", "33"]), ("1.000", minor_digits("KWD"), ["0.334", "0.333", "0.333"])],
)
def test_currencies_without_and_with_three_decimals_are_split_in_their_own_coins(
    total: str, digits: int, expected: list[str]
) -> None:
    parts = split(Decimal(total), dict.fromkeys("abc", Fraction(1, 3)), scale=digits)
    assert list(parts.values()) == [Decimal(part) for part in expected]


def test_a_smart_contract_split_in_percent_is_exact() -> None:
    """W59: 1250 by 50, 30 and 20 percent."""
    cut = split(Decimal(1250), {"a": Fraction(50, 100), "b": Fraction(30, 100), "c": Fraction(20, 100)})
    assert list(cut.values()) == [Decimal(625), Decimal(375), Decimal(250)]


def test_the_statutory_division_of_digital_performance_adds_up() -> None:
    """W35, 17 USC 114(g)(2): 50 owner, 45 featured, 2.5 and 2.5 non-featured of 100."""
    law = {"owner": Fraction(50, 100), "featured": Fraction(45, 100), "musicians": Fraction(1, 40), "vocalists": Fraction(1, 40)}
    assert list(split(Decimal(100), law).values()) == [Decimal(50), Decimal(45), Decimal("2.5"), Decimal("2.5")]


def test_shares_that_do_not_make_a_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="shares add up to 5/6, not 1"):
        split(Decimal(1), {"a": Fraction(1, 2), "b": Fraction(1, 3)})


def test_an_amount_with_more_decimals_than_money_has_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 18 decimals"):
        split(Decimal("1E-19"), {"a": Fraction(1)})


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), positive, max_size=8), st.sampled_from([0, 2, 3]))
def test_amounts_rounded_together_add_up_to_their_rounded_sum(given_amounts: dict[str, Decimal], digits: int) -> None:
    rounded = round_together(given_amounts, digits)
    exact = sum(to_units(amount) for amount in given_amounts.values())
    # Fraction rounds half to even, as the rule does.
    assert sum(to_units(amount, digits) for amount in rounded.values()) == round(Fraction(exact, 10 ** (18 - digits)))


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), positive, min_size=1, max_size=8), st.sampled_from([0, 2, 3]))
def test_no_amount_moves_by_a_whole_coin_when_rounded(given_amounts: dict[str, Decimal], digits: int) -> None:
    step = 10 ** (18 - digits)
    for key, rounded in round_together(given_amounts, digits).items():
        assert abs(to_units(rounded) - to_units(given_amounts[key])) < step


def test_the_coin_that_is_left_goes_to_the_largest_remainder_then_to_the_first_party() -> None:
    # 0.014 + 0.016 = 0.03: cut to 0.01 + 0.01, and the cent left goes to b
    assert round_together({"a": Decimal("0.014"), "b": Decimal("0.016")}, 2) == {"a": Decimal("0.01"), "b": Decimal("0.02")}
    # 0.005 + 0.015 = 0.02: equal remainders, and a comes first
    assert round_together({"b": Decimal("0.015"), "a": Decimal("0.005")}, 2) == {"a": Decimal("0.01"), "b": Decimal("0.01")}


def test_nothing_to_round_is_nothing() -> None:
    assert round_together({}, 2) == {}


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("15%", Fraction(15, 100)),
        ("3.5%", Fraction(35, 1000)),
        ("1/3", Fraction(1, 3)),
        ("0.15", Fraction(15, 100)),
        (1, Fraction(1)),
        ("100%", Fraction(1)),
    ],
)
def test_rates_are_read_as_people_write_them(written: object, rate: Fraction) -> None:
    assert parse_rate(written) == rate


@pytest.mark.parametrize("written", ["", "%", "15%%", "nan", "inf", "half", "1/0", 0.15, True, None, ["15%"]])
def test_what_is_not_a_rate_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        parse_rate(written)


@pytest.mark.parametrize("written", ["101%", "-1%", 15, "1.0001"])
def test_a_rate_beyond_the_whole_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not between 0% and 100%"):
        parse_rate(written)


@given(st.fractions(0, 1, max_denominator=10**6))
def test_a_rate_that_is_written_is_read_back_the_same(rate: Fraction) -> None:
    assert parse_rate(write_rate(rate)) == rate
