"""A split worked out once gives what following every term gives: the same parts, in the same order, by the same steps."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings

from lakehouse.model.clauses import Flow, Part, Stream, Usage
from lakehouse.model.contracts import Contract
from tests.support.books import HEAD, amounts, contract, contracts, usage, usages


def _term_by_term(of: Contract, use: Usage, base: Decimal) -> tuple[Part, ...]:
    parts = of._parts(Flow({"net": Stream(base)}, usage=use, received=base), of._queue(use))
    return tuple(part for part in parts if part.stream.amount or not base)


@pytest.mark.slow
@given(contracts(), usages, amounts)
@settings(max_examples=150, deadline=None)
def test_a_recipe_gives_what_the_terms_give(of: Contract, use: Usage, base: Decimal) -> None:
    assert of._recipe(of._queue(use), use) is not None
    assert of.split(use, base) == _term_by_term(of, use, base)


def test_terms_that_ask_for_more_than_the_amount_have_none() -> None:
    asking = {
        "{clause: master_share, unit_rate: 0.1, to: P-A}", "{clause: master_share, rate: 10%, minimum_per_unit: 0.1, to: P-A}",
        "{clause: master_share, rate: 10%, basis: gross, to: P-A}", "{clause: fixed_fee, amount: 1, to: P-A}",
        "{clause: master_share, rate: 10%, to: P-A, escalation: {by: units, steps: [{above: 5, rate: 20%}]}}",
        "{clause: reserve, rate: 10%, release: [{after: 1, share: 100%}]}", "{clause: free_goods, per_unit: 0.1}",
    }  # fmt: skip
    for term in asking:
        more = "" if "master" in term else "  - {clause: master_share, rate: 10%, to: P-B}\n"
        of = contract(f"  - {term}\n{more}", HEAD.replace("label: P-LABEL", "label: P-LABEL\ncurrency: EUR"))
        assert of._recipe(of._queue(usage()), usage()) is None, term


def test_usage_that_no_term_tells_apart_shares_a_queue() -> None:
    of = contract(
        "  - {clause: master_share, rate: 10%, to: P-A}\n  - {clause: master_share, rate: 20%, to: P-A, when: {territory: JP}}\n"
    )
    for place in ("DE", "FR", "US", "JP"):
        for channel in ("Spotify", "Deezer"):
            share = Decimal(2) if place == "JP" else Decimal(1)
            (first, *_) = of.split(usage(territory=place, channel=channel), Decimal(10))
            assert first.stream.amount == share
    assert len(of._queues) == 2
    assert len(of._recipes) == 2
