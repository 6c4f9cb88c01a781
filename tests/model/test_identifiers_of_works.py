"""ISWC: one spelling, and a check digit that real files break."""

from __future__ import annotations

import pytest

from lakehouse.model.identifiers import iswc_check_digit_holds, plain_iswc


@pytest.mark.parametrize(("iswc", "holds"), [
    ("T0345246801", True), ("T9109247316", True), ("T0702472794", True),
    ("T3452468001", False),  # met in a real report
    ("T1234567890", False), ("T034524680", False), ("", False), ("X0345246801", False),
])  # fmt: skip
def test_the_check_digit(iswc: str, holds: bool) -> None:
    assert iswc_check_digit_holds(iswc) is holds


def test_one_spelling() -> None:
    assert {plain_iswc(text) for text in ("T-034.524.680-1", "t 034 524 680 1", "T0345246801")} == {"T0345246801"}
    assert plain_iswc(None) == ""
