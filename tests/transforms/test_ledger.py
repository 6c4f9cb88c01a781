"""The books: every transaction adds up to zero, and every account ends where the statements say."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.tables import gold
from tests.support.frames import dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def _line(file: str, payee: str, amount: str, category: str = "payable") -> dict[str, Any]:
    return {
        "file_id": digest(file),
        "source": "believe",
        "currency": "EUR",
        "payee": payee,
        "amount": amount,
        "category": category,
    }


def _statement(payee: str, payable: str, rounding: str, carried: str = "0") -> dict[str, Any]:
    amounts = {"payable": payable, "rounding": rounding, "carried": carried}
    return {"currency": "EUR", "payee": payee, "payee_name": payee, **amounts}


def test_every_movement_is_booked_twice_and_every_account_comes_out(spark: SparkSession) -> None:
    from lakehouse.transforms.ledger import book_ledger

    lines = [
        _line("F1", "P-A", "10.004"), _line("F2", "P-A", "0.002"), _line("F1", "P-LABEL", "5", "retained"),
        _line("F1", "P-DIST", "2", "fee"), _line("F1", "P-TAX", "1", "tax"),
        _line("F2", "P-B", "0.004"), _line("F2", "P-C", "-3"),
    ]  # fmt: skip
    holding = [{"file_id": digest("F1"), "source": "believe", "currency": "EUR", "amount": amount} for amount in ("7", "-4")]
    statements = [
        _statement("P-A", "10.01", "0.004"),  # 10.004 + 0.002 = 10.006, paid 10.01
        _statement("P-B", "0", "-0.004"),  # rounds to nothing
        _statement("P-C", "0", "0", carried="-3"),
    ]
    rows = {gold.royalty_lines: lines, gold.holding: holding, gold.statements: statements}
    books = book_ledger(*(frame(spark, table, given) for table, given in rows.items()), period="2026-06")
    postings = dicts(books)
    transactions: dict[str, Decimal] = defaultdict(Decimal)
    accounts: dict[str, Decimal] = defaultdict(Decimal)
    for posting in postings:
        transactions[posting["transaction_id"]] += posting["amount"]
        accounts[posting["account"]] += posting["amount"]
    assert set(transactions.values()) == {0}
    assert len({(p["transaction_id"], p["account"]) for p in postings}) == len(postings)
    assert {account: amount for account, amount in accounts.items() if amount} == {
        # in: 10.004 + 0.002 + 5 + 2 + 1 + 0.004 - 3 + 7 - 4
        "assets:receivable:believe": Decimal("18.01"),
        "income:retained:P-LABEL": Decimal(-5),
        "liabilities:fees:P-DIST": Decimal(-2),
        "liabilities:tax:P-TAX": Decimal(-1),
        "liabilities:holding": Decimal(-3),
        "liabilities:payable:P-A": Decimal("-10.01"),
        # 0.004 that rounding added to P-A's statement, and 0.004 that it took from P-B's, cancel out
        "liabilities:accrued:P-C": Decimal(3),
    }
