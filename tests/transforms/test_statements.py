"""Statements: opening and earned balances, rounded once, carried where they are negative."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.model.contracts import ContractBook, Party
from lakehouse.tables import gold
from tests.support.frames import dicts, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
BOOK = ContractBook((), {"P-A": Party(name="Ana")}, "0" * 64)
_OPENING = "currency string, payee string, opening decimal(38,18)"


def _line(payee: str, amount: str, currency: str = "EUR", category: str = "payable") -> dict[str, Any]:
    return {"payee": payee, "amount": amount, "currency": currency, "category": category}


def test_each_account_has_one_statement_rounded_together_with_its_currency(spark: SparkSession) -> None:
    from lakehouse.transforms.statements import state

    big = "98765432109876543210.123456789012345678"
    lines = [
        _line("P-A", "33.333333333333333334"), _line("P-B", "33.333333333333333333"), _line("P-C", "33.333333333333333333"),
        _line("P-LABEL", "900", category="retained"), _line("P-DIST", "80", category="fee"),
        _line("P-A", "0.4", "JPY"), _line("P-B", "0.6", "JPY"),
        _line("P-A", big, "KWD"),
        _line("P-N", "-3", "USD"), _line("P-N", "1", "USD"),
    ]  # fmt: skip
    opening = [
        {"currency": "USD", "payee": "P-OLD", "opening": "-5"},
        {"currency": "USD", "payee": "P-N", "opening": "-1"},
        {"currency": "KWD", "payee": "P-A", "opening": "-0.000000000000000001"},
    ]
    found = dicts(state(frame(spark, gold.royalty_lines, lines), frame(spark, _OPENING, opening), BOOK, "2026-06"))
    rows = {(row["currency"], row["payee"]): row for row in found}
    assert len(rows) == len(found) == 8
    # 33.34 + 33.33 + 33.33 = 100.00; the label's and the distributor's parts are on no statement
    assert [rows["EUR", p]["payable"] for p in ("P-A", "P-B", "P-C")] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    # 0.4 + 0.6 yen are one yen, which goes to the larger remainder
    assert [rows["JPY", p]["payable"] for p in ("P-A", "P-B")] == [0, 1]
    assert rows["JPY", "P-A"]["rounding"] == Decimal("-0.4")
    # exact far beyond the 28 digits of Python's own arithmetic
    assert rows["KWD", "P-A"]["payable"] == Decimal("98765432109876543210.123")
    assert rows["KWD", "P-A"]["rounding"] == Decimal("-0.000456789012345677")
    # -1 - 3 + 1 = -3 is carried, and so is what nothing was added to
    assert (rows["USD", "P-N"]["carried"], rows["USD", "P-N"]["payable"], rows["USD", "P-N"]["lines"]) == (-3, 0, 2)
    assert (rows["USD", "P-OLD"]["carried"], rows["USD", "P-OLD"]["lines"]) == (-5, 0)
    assert (rows["EUR", "P-A"]["payee_name"], rows["EUR", "P-B"]["payee_name"]) == ("Ana", "P-B")
    assert rows["EUR", "P-A"]["statement_id"] == "2026-06-EUR-P-A"


def test_an_account_opens_with_what_its_latest_statement_carried(spark: SparkSession) -> None:
    from lakehouse.transforms.statements import opening_balances

    def statement(period: str, payee: str, carried: str) -> dict[str, Any]:
        return {"period": period, "currency": "EUR", "payee": payee, "carried": carried}

    published = [
        statement("2026-03", "P-A", "-9"), statement("2026-05", "P-A", "-2"),  # the latest alone
        statement("2026-04", "P-B", "-4"),  # no statement since
        statement("2026-03", "P-C", "-1"), statement("2026-04", "P-C", "0"),  # recovered
        statement("2026-06", "P-D", "-7"),  # not before this period
    ]  # fmt: skip
    found = dicts(opening_balances(frame(spark, gold.statements, published), "2026-06"))
    assert {row["payee"]: row["opening"] for row in found} == {"P-A": -2, "P-B": -4}
