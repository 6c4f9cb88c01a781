"""Shares of usage by outcome, and how far they have moved since the source last reported (F-27)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lakehouse.model.outcomes import match_rates, share, with_trends


def outcome(period: str, status: str, lines: int, amount: str, source: str = "fuga", currency: str = "EUR") -> dict[str, Any]:
    tier, gap = ("isrc", None) if status == "MATCHED" else ("none", "DELAYED")
    return {
        "period": period, "source": source, "currency": currency, "tier": tier, "status": status, "gap": gap, "keys": 1, "lines": lines,
        "amount": Decimal(amount),
    }  # fmt: skip


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("status", "lines", "line_share", "money_share", "compared_with", "line_trend", "money_trend")
    return [tuple(str(row[name]) if isinstance(row[name], Decimal) else row[name] for name in names) for row in rows]


MAY = with_trends([outcome("2026-05", "MATCHED", 3, "9"), outcome("2026-05", "UNCLAIMED", 1, "3")], [])


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 4, "0.2500"),
        (2, 3, "0.6667"),
        (Decimal("0.000000000000000001"), Decimal("99999999999999999999.999999999999999999"), "0.0000"),
        # A refund is a negative part; more refunds than sales make parts beyond the whole.
        (Decimal(-1), Decimal(4), "-0.2500"),
        (Decimal(12), Decimal(4), "3.0000"),
        # Refunds have left nothing, or next to nothing: a part of that tells nobody anything.
        (Decimal(12), Decimal(0), None),
        (Decimal("99999999999999999999"), Decimal("0.000000000000000001"), None),
        (Decimal(10_000), Decimal(1), None),
    ],
)
def test_a_share_has_four_places_or_says_nothing(part: Decimal, whole: Decimal, expected: str | None) -> None:
    found = share(part, whole)
    assert (None if found is None else str(found)) == expected


def test_a_source_that_reports_for_the_first_time_has_shares_and_no_trend() -> None:
    assert told(MAY) == [
        ("MATCHED", 3, "0.7500", "0.7500", None, None, None),
        ("UNCLAIMED", 1, "0.2500", "0.2500", None, None, None),
    ]


def test_trends_are_against_the_period_in_which_the_source_last_reported_in_that_currency() -> None:
    """FUGA says nothing in June. In July 9 of 10 lines are matched, where it was 3 of 4; in yen it never was."""
    june = with_trends([outcome("2026-06", "MATCHED", 1, "1", source="believe")], MAY)
    july = [
        outcome("2026-07", "MATCHED", 9, "5"),
        outcome("2026-07", "UNCLAIMED", 1, "5"),
        outcome("2026-07", "MATCHED", 1, "7", currency="JPY"),
    ]
    assert told(with_trends(july, [*MAY, *june])) == [
        ("MATCHED", 9, "0.9000", "0.5000", "2026-05", "0.1500", "-0.2500"),
        ("UNCLAIMED", 1, "0.1000", "0.5000", "2026-05", "-0.1500", "0.2500"),
        ("MATCHED", 1, "1.0000", "1.0000", None, None, None),
    ]


def test_an_outcome_that_is_new_was_nothing_and_one_that_is_gone_is_told_once() -> None:
    june = with_trends([outcome("2026-06", "MATCHED", 2, "2"), outcome("2026-06", "AMBIGUOUS", 2, "2")], MAY)
    assert told(june) == [
        ("MATCHED", 2, "0.5000", "0.5000", "2026-05", "-0.2500", "-0.2500"),
        ("AMBIGUOUS", 2, "0.5000", "0.5000", "2026-05", "0.5000", "0.5000"),
        ("UNCLAIMED", 0, "0.0000", "0.0000", "2026-05", "-0.2500", "-0.2500"),
    ]
    july = with_trends([outcome("2026-07", "MATCHED", 4, "4")], [*MAY, *june])
    assert [(row["status"], row["lines"]) for row in july] == [("MATCHED", 4), ("AMBIGUOUS", 0)]
    assert all(sum(row["line_trend"] for row in rows) == 0 for rows in (june, july))


def test_money_that_came_to_nothing_has_no_trend_and_lines_have() -> None:
    """A refund took back May's sale."""
    may = with_trends([outcome("2026-05", "MATCHED", 1, "3"), outcome("2026-05", "UNCLAIMED", 1, "-3")], [])
    june = with_trends([outcome("2026-06", "MATCHED", 1, "3"), outcome("2026-06", "AMBIGUOUS", 3, "3")], may)
    assert told(june) == [
        ("MATCHED", 1, "0.2500", "0.5000", "2026-05", "-0.2500", None),
        ("AMBIGUOUS", 3, "0.7500", "0.5000", "2026-05", "0.7500", None),
        ("UNCLAIMED", 0, "0.0000", "0.0000", "2026-05", "-0.5000", None),
    ]
    rates = match_rates(may)
    assert (rates["line_rate"], rates["amount"], rates["money_rate"]) == (Decimal("0.5"), 0, None)
