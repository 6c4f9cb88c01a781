"""Each clause by its worked example, and the laws that all of them keep. W numbers are the ids of the worked examples."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lakehouse.model.clauses import CLAUSES, STAGES, AnyClause, Clause, Condition, Flow, Stream
from lakehouse.model.money import to_units
from tests.support.books import amounts, contract, paid, rates, usage

_CLAUSE: TypeAdapter[Clause] = TypeAdapter(AnyClause)


def _term(**fields: Any) -> Clause:
    return _CLAUSE.validate_python(fields)


def test_a_deduction_is_taken_before_the_rate() -> None:
    """W01: receipts 100, deduction 33 %, rate 50 %: base 67, royalty 33.50."""
    parts = contract(
        """\
  - {clause: territory_deduction, rate: 33%}
  - {clause: master_share, rate: 50%, to: P-A}
"""
    ).split(usage(), Decimal(100))
    artist = next(part for part in parts if part.role == "artist")
    assert artist.stream.amount == Decimal("33.5")
    assert [(step.stage, step.amount_in, step.amount_out) for step in artist.stream.steps] == [
        ("territory_deduction", Decimal(100), Decimal(67)), ("master_share", Decimal(67), Decimal("33.5")),
    ]  # fmt: skip
    # 33.00 deducted, and the other half of 67.00
    assert paid(parts, "retained") == {"P-LABEL": Decimal("66.5")}


def test_the_distribution_fee_comes_first() -> None:
    """W09, the net parts: dealer gross 6.00, fee 20 %, net 4.80; 25 % of net is 1.20."""
    parts = contract(
        """\
  - {clause: master_share, rate: 25%, to: P-A}
  - {clause: distribution_fee, rate: 20%, to: P-B}
"""
    ).split(usage(), Decimal("6.00"))
    # of the net 4.80 the label keeps 3.60
    assert paid(parts) == {"P-B": Decimal("1.2"), "P-A": Decimal("1.2"), "P-LABEL": Decimal("3.6")}
    assert next(part.category for part in parts if part.party == "P-B") == "fee"


@pytest.mark.parametrize(("gross", "net"), [("9.1", "7.28"), ("-9.5", "-7.6"), ("6.49", "5.192")])
def test_a_return_gives_its_fee_back(gross: str, net: str) -> None:
    """W62: 80 % of each line is left after the fee, of returns too."""
    parts = contract("  - {clause: distribution_fee, rate: 20%, to: P-B}\n").split(usage(), Decimal(gross))
    assert paid(parts)["P-LABEL"] == Decimal(net)


def test_a_profit_share_takes_part_in_losses() -> None:
    parts = contract("  - {clause: master_share, rate: 80%, to: P-A}\n").split(usage(), Decimal(-1000))
    assert paid(parts) == {"P-A": Decimal(-800), "P-LABEL": Decimal(-200)}


def test_points_from_the_artist_reduce_the_all_in_rate() -> None:
    """W20: an all-in rate of 60 % with 10 points to the producer is a net artist rate of 50 %."""
    parts = contract(
        """\
  - {clause: master_share, rate: 60%, to: P-A}
  - {clause: producer_points, points: 10%, to: P-B}
"""
    ).split(usage(), Decimal(100))
    assert paid(parts) == {"P-A": Decimal(50), "P-B": Decimal(10), "P-LABEL": Decimal(40)}


def test_points_from_the_label_leave_the_artist_whole() -> None:
    parts = contract(
        """\
  - {clause: master_share, rate: 60%, to: P-A}
  - {clause: producer_points, points: 10%, to: P-B, from: label}
"""
    ).split(usage(), Decimal(100))
    assert paid(parts) == {"P-A": Decimal(60), "P-B": Decimal(10), "P-LABEL": Decimal(30)}


@pytest.mark.parametrize(("rate", "source"), [("0%", "artist"), ("100%", "label")])
def test_no_points_can_be_taken_from_nothing(rate: str, source: str) -> None:
    terms = f"""\
  - {{clause: master_share, rate: {rate}, to: P-A}}
  - {{clause: producer_points, points: 0%, to: P-B, from: {source}}}
"""
    assert "P-B" not in paid(contract(terms).split(usage(), Decimal(100)))


def test_the_letter_of_direction_takes_from_the_featured_share() -> None:
    """W36, 17 USC 114(g)(5): of 100, featured 45; 10 % of it to the producer is 4.50, the artist keeps 40.50."""
    parts = contract(
        """\
  - {clause: master_share, rate: 45%, to: P-A}
  - {clause: producer_points, points: 4.5%, to: P-B}
"""
    ).split(usage(), Decimal(100))
    assert paid(parts) == {"P-B": Decimal("4.5"), "P-A": Decimal("40.5"), "P-LABEL": Decimal(55)}


def test_writers_divide_what_publishing_is_given() -> None:
    # 12 % of 100 is 12: 6 + 4 + 2; the master is cut from 88
    parts = contract(
        """\
  - {clause: publishing_share, rate: 12%, to: {P-B: 1/2, P-C: 1/3, P-D: 1/6}}
  - {clause: master_share, rate: 50%, to: P-A}
"""
    ).split(usage(), Decimal(100))
    assert paid(parts) == {"P-B": Decimal(6), "P-C": Decimal(4), "P-D": Decimal(2), "P-A": Decimal(44), "P-LABEL": Decimal(44)}


def test_writers_that_do_not_share_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="the writers' shares add up to 90%, not 100%"):
        _term(clause="publishing_share", rate="10%", to={"P-A": "50%", "P-B": "40%"})


_TERMS = st.one_of(
    st.builds(lambda rate: _term(clause="distribution_fee", rate=rate, to="P-A"), rates),
    st.builds(lambda rate: _term(clause="territory_deduction", rate=rate), rates),
    st.builds(lambda rate: _term(clause="publishing_share", rate=rate, to={"P-A": Fraction(1, 3), "P-B": Fraction(2, 3)}), rates),
    st.builds(lambda rate: _term(clause="master_share", rate=rate, to="P-A"), rates),
    st.builds(lambda part: _term(clause="producer_points", points=part * Fraction(2, 5), to="P-B", **{"from": "artist"}), rates),
    st.builds(lambda part: _term(clause="producer_points", points=part * Fraction(3, 5), to="P-B", **{"from": "label"}), rates),
)


def _flow(amount: Decimal) -> Flow:
    """Money on its way through every pool that a clause may take from, after a master share of 40 %."""
    pools = {"net": Stream(amount), "artist": Stream(amount), "label": Stream(amount)}
    return Flow(pools, rates={"artist": Fraction(2, 5), "label": Fraction(3, 5)})


@given(_TERMS, amounts)
def test_no_clause_makes_or_loses_money(term: Clause, amount: Decimal) -> None:
    flow = _flow(amount)
    # a master share is cut from the net alone: it replaces the other pools
    before = amount if term.kind() == "master_share" else flow.total()
    assert to_units(term.apply(flow, "C-1/1", "P-LABEL").total()) == to_units(before)


@given(_TERMS, amounts)
def test_every_clause_mirrors_a_reversal_exactly(term: Clause, amount: Decimal) -> None:
    forth, back = (term.apply(_flow(given), "C-1/1", "P-LABEL") for given in (amount, amount.copy_negate()))
    assert {name: s.amount for name, s in back.pools.items()} == {name: s.amount.copy_negate() for name, s in forth.pools.items()}
    assert [part.stream.amount for part in back.parts] == [part.stream.amount.copy_negate() for part in forth.parts]


@given(_TERMS, amounts)
def test_the_trail_of_every_part_leads_from_what_was_given_to_what_it_is(term: Clause, amount: Decimal) -> None:
    done = term.apply(_flow(amount), "C-1/1", "P-LABEL")
    for stream in (*(part.stream for part in done.parts), *done.pools.values()):
        for step, after in zip(stream.steps, stream.steps[1:], strict=False):
            assert after.amount_in == step.amount_out
        if stream.steps:
            assert (stream.steps[0].amount_in, stream.steps[-1].amount_out) == (amount, stream.amount)
            assert {step.term for step in stream.steps} == {"C-1/1"}


def test_every_clause_on_lines_has_its_place_among_the_stages() -> None:
    kinds = [clause.kind() for clause in CLAUSES]
    assert len(kinds) == len(set(kinds))
    # stages that several clauses share, or that a clause has besides its own
    shared = {"rate", "base", "base_reserve", "deduction_after"}
    assert set(STAGES) - shared <= set(kinds)


@given(st.lists(st.sampled_from(["US", "CA", "DE"]), min_size=1, unique=True), st.sampled_from(["US", "CA", "DE", "FR"]))
def test_a_condition_fits_the_values_it_names_and_no_others(named: list[str], territory: str) -> None:
    assert Condition(territory=tuple(named)).fits(usage(territory=territory)) is (territory in named)


def test_a_condition_on_months_includes_its_first_and_its_last() -> None:
    spring = Condition(**{"from": "2026-03", "to": "2026-05"})  # type: ignore[arg-type]
    fitting = [month for month in ("2026-02", "2026-03", "2026-05", "2026-06") if spring.fits(usage(usage_period=month))]
    assert fitting == ["2026-03", "2026-05"]


def test_a_group_of_one_is_a_direct_condition() -> None:
    assert Condition(territory=("US",)).specificity() == Condition(territory="US").specificity()  # type: ignore[arg-type]
