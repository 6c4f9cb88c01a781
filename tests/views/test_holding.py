"""The balance held is what the entries of the holding ledger add up to, at the end of every period."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lakehouse.tables import gold
from lakehouse.views.holding import holding, months_between
from tests.support.doubt import JUNE, MAY, hold, lake_in_doubt, release
from tests.support.lake import append

JULY = "2026-07"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """June and July are open; both drafts release Harbour's 3 EUR, June's also holds 2 EUR of its own, July's takes back Zanzibar."""
    root = tmp_path / "lake"
    lake_in_doubt(root)
    harbour, zanzibar = hold("Harbour", "3"), hold("Zanzibar", "1.25", reason="UNCLAIMED")
    entries = [
        release(harbour, JUNE), hold("Intro", "2", period=JUNE), release(harbour, JULY), release(zanzibar, JULY, "reversal"),
    ]  # fmt: skip
    append(root, gold.holding.draft(), entries)
    return root


@pytest.mark.parametrize(
    ("period", "euros"),
    [
        (MAY, "16.75"),  # 12.5 + 3 + 1.25
        (JUNE, "15.75"),  # - 3 released, + 2 held
        (JULY, "14.50"),  # - 1.25 taken back; the 3 of Harbour are gone once, not twice
        (None, "14.50"),
    ],
)
def test_the_balance_at_the_end_of_a_period(root: Path, period: str | None, euros: str) -> None:
    from lakehouse.store.reader import LakeReader

    found = holding(LakeReader(str(root)), period)
    assert found["balances"] == [{"currency": "EUR", "amount": euros}, {"currency": "JPY", "amount": "900"}]
    assert sum(Decimal(row["amount"]) for row in found["held"] if row["currency"] == "EUR") == Decimal(euros)
    assert found["period"] == (period or JULY)


def test_age_is_counted_from_the_first_arrival(root: Path) -> None:
    from lakehouse.store.reader import LakeReader

    ages = {(row["held_since"], row["age"]) for row in holding(LakeReader(str(root)), JULY)["held"]}
    assert ages == {(MAY, 2), (JUNE, 1)}
    assert months_between("2025-11", "2026-02") == 3
