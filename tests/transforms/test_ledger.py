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
_MOVEMENT = "transaction string, account string, kind string, currency string, amount decimal(38,18), memo string"


def _line(file: str, payee: str, amount: str, category: str = "payable") -> dict[str, Any]:
    return {
        "file_id": digest(file),
        "source": "believe",
        "currency": "EUR",
        "payee": payee,
        "amount": amount,
        "category": category,
        "contract_id": "C-1",
    }


def _move(kind: str, amount: str, debit: str, credit: str) -> list[dict[str, Any]]:
    shared = {"transaction": f"2026-06:{kind}:{debit}:{credit}", "kind": kind, "currency": "EUR", "memo": kind}
    return [{**shared, "account": debit, "amount": amount}, {**shared, "account": credit, "amount": f"-{amount}"}]


def test_every_movement_is_booked_twice_and_every_account_comes_out(spark: SparkSession) -> None:
    from lakehouse.transforms.ledger import book_ledger

    lines = [
        _line("F1", "P-A", "10.004"), _line("F2", "P-A", "0.002"), _line("F1", "P-LABEL", "5", "retained"),
        _line("F1", "P-DIST", "2", "fee"), _line("F1", "P-TAX", "1", "tax"),
        _line("F2", "P-B", "0.004"), _line("F2", "P-C", "-3"),
    ]  # fmt: skip
    holding = [{"file_id": digest("F1"), "source": "believe", "currency": "EUR", "amount": amount} for amount in ("7", "-4")]
    accrued = "liabilities:accrued:P-A"
    movements = [
        *_move("earned", "10.006", "expenses:royalties:C-1", accrued),
        *_move("rounding", "0.004", "income:rounding", accrued),
        *_move("payable", "10.01", accrued, "liabilities:payable:P-A"),
    ]
    rows = {gold.royalty_lines: lines, gold.holding: holding, _MOVEMENT: movements}
    # One report declares 0.5 more than its lines come to, another 0.25 less.
    differences = [
        {"file_id": digest(file), "source": "believe", "currency": "EUR", "amount": amount, "memo": "accepted"}
        for file, amount in (("F1", "0.5"), ("F2", "-0.25"))
    ]
    unexplained = frame(spark, "file_id string, source string, currency string, amount decimal(38,18), memo string", differences)
    replaced = [{"file_id": digest("F9"), "source": "believe", "currency": "EUR", "amount": "0"}]
    undone = frame(spark, "file_id string, source string, currency string, amount decimal(38,18)", replaced)
    books = book_ledger(*(frame(spark, table, given) for table, given in rows.items()), unexplained, undone, period="2026-06")
    postings = dicts(books)
    transactions: dict[str, Decimal] = defaultdict(Decimal)
    accounts: dict[str, Decimal] = defaultdict(Decimal)
    for posting in postings:
        transactions[posting["transaction_id"]] += posting["amount"]
        accounts[posting["account"]] += posting["amount"]
    assert set(transactions.values()) == {0}
    assert len({(p["transaction_id"], p["account"]) for p in postings}) == len(postings)
    assert {account: amount for account, amount in accounts.items() if amount} == {
        # in: 10.004 + 0.002 + 5 + 2 + 1 + 0.004 - 3 + 7 - 4, and 0.5 - 0.25 that no line explains
        "assets:receivable:believe": Decimal("18.26"),
        "liabilities:unexplained:believe": Decimal("-0.25"),
        "income:retained:P-LABEL": Decimal(-5),
        "liabilities:fees:P-DIST": Decimal(-2),
        "liabilities:tax:P-TAX": Decimal(-1),
        "liabilities:holding": Decimal(-3),
        # what P-A, P-B and P-C earn: 10.004 + 0.002 + 0.004 - 3; P-A's part of it is a cost when it is settled
        "income:royalties:C-1": Decimal("-7.01"),
        "expenses:royalties:C-1": Decimal("10.006"),
        "liabilities:payable:P-A": Decimal("-10.01"),
        "income:rounding": Decimal("0.004"),
    }
