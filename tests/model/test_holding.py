"""Holding policies: what is held, what is due, and the exact release by market share."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.documents import Document, read_document
from lakehouse.model.holding import (
    HeldItem,
    by_market_share,
    due_month,
    policy_of,
    read_policies,
    statutory_report,
    with_interest,
)  # fmt: skip
from lakehouse.model.money import add, from_units

FILE = Path(__file__).parents[2] / "conf/presets/holding.yaml"
_DOCUMENT = read_document(FILE.read_text(encoding="utf-8"), FILE.name)
assert isinstance(_DOCUMENT, Document)
POLICIES = read_policies(_DOCUMENT)
ITEM = HeldItem("h1", "QZ1", "Blue Window", "Ana", "US", "mechanical", "2021-01", "2021-03", Decimal(100), "USD")


def test_the_shipped_policies_name_their_authority() -> None:
    assert len({policy.policy for policy in POLICIES}) == len(POLICIES)
    assert all(policy.authority for policy in POLICIES)


@pytest.mark.parametrize(
    ("territory", "right", "policy"),
    [
        ("US", "mechanical", "us-115-unclaimed"), ("US", "performance", "us-114-unclaimed"), ("DE", "performance", "eu-2014-26"),
        ("GB", "mechanical", "uk-extended-licensing"), ("JP", "mechanical", "hold-and-show"), ("US", "master", "hold-and-show"),
    ],
)  # fmt: skip
def test_the_policy_that_names_most_of_an_item_holds_it(territory: str, right: str, policy: str) -> None:
    assert policy_of(replace(ITEM, territory=territory, right=right), POLICIES).policy == policy
    assert policy_of(replace(ITEM, territory=territory, right=right), reversed(POLICIES)).policy == policy


def test_an_item_that_no_policy_covers_is_an_error() -> None:
    with pytest.raises(ValueError, match="no holding policy covers JP, mechanical"):
        policy_of(replace(ITEM, territory="JP"), [policy for policy in POLICIES if policy.territories])


def test_the_clock_runs_from_receipt_or_from_the_end_of_the_financial_year() -> None:
    assert due_month(ITEM, policy_of(ITEM, POLICIES)) == "2024-03"
    german = replace(ITEM, territory="DE", right="performance")
    assert due_month(german, policy_of(german, POLICIES)) == "2024-12"
    # a financial year to June: what came in March belongs to the year that ends in June
    assert due_month(german, policy_of(german, POLICIES), year_ends=6) == "2024-06"
    assert due_month(replace(german, received="2021-08"), policy_of(german, POLICIES), year_ends=6) == "2025-06"
    japanese = replace(ITEM, territory="JP")
    assert due_month(japanese, policy_of(japanese, POLICIES)) is None


def test_what_is_younger_than_its_hold_is_held_and_what_is_older_is_due() -> None:
    items = [ITEM, replace(ITEM, entry_id="h2", received="2021-04"), replace(ITEM, entry_id="h3", territory="JP")]
    report = statutory_report(items, POLICIES, "2024-03")
    assert [(held.item.entry_id, held.due, held.status) for held in report] == [
        ("h1", "2024-03", "due"), ("h2", "2024-04", "held"), ("h3", None, "held"),
    ]  # fmt: skip


def test_a_report_may_be_of_one_territory_or_group() -> None:
    items = [ITEM, replace(ITEM, entry_id="h2", territory="FR", right="performance")]
    assert [held.item.entry_id for held in statutory_report(items, POLICIES, "2026-01", "EU")] == ["h2"]
    assert [held.item.entry_id for held in statutory_report(items, POLICIES, "2026-01", "US")] == ["h1"]


def test_a_release_by_market_share_is_exact() -> None:
    # 100 by 1 : 1 : 1
    assert by_market_share(Decimal(100), dict.fromkeys("abc", Decimal(5))) == {
        "a": Decimal("33.333333333333333334"), "b": Decimal("33.333333333333333333"), "c": Decimal("33.333333333333333333"),
    }  # fmt: skip
    with pytest.raises(ValueError, match="market shares are not negative"):
        by_market_share(Decimal(100), {"a": Decimal(0)})


@given(st.integers(0, 10**30).map(from_units), st.lists(st.integers(1, 10**24).map(from_units), min_size=1, max_size=6))
def test_nothing_of_a_release_is_lost(amount: Decimal, earned: list[Decimal]) -> None:
    parts = by_market_share(amount, {str(owner): share for owner, share in enumerate(earned)})
    assert add(*parts.values()) == amount


def test_interest_is_simple_and_by_the_month() -> None:
    assert with_interest(Decimal(100), Fraction(6, 100), 18) == Decimal(109)
