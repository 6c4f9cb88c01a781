"""Statements: opening and earned balances, rounded once, carried where they are negative."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.model.accounts import Balance, Event, Line, rounded
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Usage
from lakehouse.model.rules import Party
from lakehouse.tables import gold, silver
from tests.support.books import book_of
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.transforms.statements import Settled

pytestmark = pytest.mark.spark
BOOK = ContractBook((), {"P-A": Party(name="Ana")}, "0" * 64)


def _line(payee: str, amount: str, currency: str = "EUR", category: str = "payable", contract: str = "C-1") -> dict[str, Any]:
    return {
        **DIMENSIONS, "line_id": digest(f"{payee}{amount}")[:32], "payee": payee, "amount": amount, "currency": currency, "category": category,
        "contract_id": contract, "contract_version": "1", "role": "artist", "recording_id": "R-1", "stages": [],
    }  # fmt: skip


def _carried(payee: str, amount: str, currency: str) -> dict[str, Any]:
    return {
        "period": "2026-05",
        "kind": "carried",
        "contract_id": "",
        "payee": payee,
        "currency": currency,
        "ref": "",
        "amount": amount,
    }


def _settled(spark: SparkSession, book: ContractBook, lines: list[Any], opening: list[Any], events: list[Any] = []) -> Settled:  # noqa: B006
    from lakehouse.transforms.statements import settle_accounts

    return settle_accounts(
        frame(spark, gold.royalty_lines, lines), frame(spark, gold.balances, opening), frame(spark, silver.account_events, events),
        book, "2026-06",
    )  # fmt: skip


def test_each_account_has_one_statement_rounded_together_with_its_currency(spark: SparkSession) -> None:
    big = "98765432109876543210.123456789012345678"
    lines = [
        _line("P-A", "33.333333333333333334"), _line("P-B", "33.333333333333333333"), _line("P-C", "33.333333333333333333"),
        _line("P-LABEL", "900", category="retained"), _line("P-DIST", "80", category="fee"),
        _line("P-A", "0.4", "JPY"), _line("P-B", "0.6", "JPY"),
        _line("P-A", big, "KWD"),
        _line("P-N", "-3", "USD"), _line("P-N", "1", "USD"),
    ]  # fmt: skip
    opening = [_carried("P-OLD", "-5", "USD"), _carried("P-N", "-1", "USD"), _carried("P-A", "-0.000000000000000001", "KWD")]
    settled = _settled(spark, BOOK, lines, opening)
    found = dicts(settled.statements)
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
    balances = {(row["kind"], row["payee"], row["currency"]): row["amount"] for row in dicts(settled.balances)}
    assert balances["carried", "P-N", "USD"] == -3
    assert balances["carried", "P-OLD", "USD"] == -5
    assert balances["payable", "P-A", "EUR"] == Decimal("33.34")


_ADVANCE = """\
contract: C-1
version: "1"
effective: {from: 2026-01}
label: P-LABEL
currency: EUR
parties:
  P-LABEL: {name: Kitetail Records}
  P-ANA: {name: Ana, minimum_payout: {EUR: 20}}
  P-BEN: {name: Ben}
terms:
  - {clause: master_share, rate: 50%, to: P-ANA}
  - {clause: advance, to: P-ANA}
  - {clause: reserve, rate: 20%, release: [{after: 2, share: 100%}]}
tree:
  P-ANA: {P-BEN: 10%}
"""


def test_spark_settles_as_the_reference_engine_does(spark: SparkSession) -> None:
    """Three periods with an advance, a cost, a reserve and a minimum payout: every figure of every statement and balance."""
    from lakehouse.model.settle import settle
    from lakehouse.transforms.statements import settle_accounts

    book = book_of({"c.yaml": _ADVANCE})
    contract = book.contracts[0]
    events = [
        {"event_id": "E1", "period": "2026-01", "event": "advance", "contract": "C-1", "payee": "P-ANA", "amount": "40", "currency": "EUR", "territory": "ZZ"},
        {"event_id": "E2", "period": "2026-02", "event": "cost", "contract": "C-1", "payee": "P-ANA", "amount": "5.55", "currency": "EUR", "territory": "ZZ"},
        {"event_id": "E3", "period": "2026-03", "event": "payment", "contract": "", "payee": "P-ANA", "amount": "1", "currency": "EUR", "territory": "ZZ"},
    ]  # fmt: skip
    opening_spark: list[dict[str, Any]] = []
    opening: tuple[Balance, ...] = ()
    for month, amount in ((1, "77.123456789012345678"), (2, "100"), (3, "-12.5")):
        period = f"2026-0{month}"
        usage = Usage("R-1", "DE", "Spotify", "stream", None, "believe", "2026-01", currency="EUR")
        parts = contract.split(usage, Decimal(amount))
        lines, rows = [], []
        for number, part in enumerate(parts):
            line_id = digest(f"{period}{number}")[:32]
            lines.append(
                Line(
                    line_id,
                    period,
                    "C-1",
                    "1",
                    part.party,
                    part.role,
                    part.category,
                    part.stream.amount,
                    "EUR",
                    part.stream.steps,
                    usage,
                )
            )
            steps = [
                {"stage": s.stage, "term": s.term, "amount_in": s.amount_in, "amount_out": s.amount_out}
                for s in part.stream.steps
            ]
            rows.append({
                **_line(part.party, str(part.stream.amount), category=part.category), "line_id": line_id, "role": part.role,
                "usage_period": "2026-01", "stages": steps,
            })  # fmt: skip
        own = [event for event in events if event["period"] == period]
        expected = rounded(
            [
                settle(
                    book, None, period, opening, lines, [Event(**{**event, "amount": Decimal(event["amount"])}) for event in own]
                )
            ]
        )
        settled = settle_accounts(
            frame(spark, gold.royalty_lines, rows), frame(spark, gold.balances, opening_spark), frame(spark, silver.account_events, own), book, period,
        )  # fmt: skip
        found = {row["payee"]: row for row in dicts(settled.statements)}
        assert sorted(found) == sorted(s.payee for s in expected.statements)
        for statement in expected.statements:
            for name in (
                "opening",
                "earned",
                "deducted",
                "recouped",
                "reserved",
                "taxed",
                "payable",
                "carried",
                "rounding",
                "unrecouped",
                "held",
            ):
                assert found[statement.payee][name] == getattr(statement, name), (period, statement.payee, name)
        opening_spark = dicts(settled.balances)
        balances = sorted((b["kind"], b["contract_id"], b["payee"], b["currency"], b["ref"], b["amount"]) for b in opening_spark)
        assert balances == [(b.kind, b.contract, b.payee, b.currency, b.ref, b.amount) for b in expected.closing]
        off: dict[str, Decimal] = defaultdict(Decimal)
        for movement in dicts(settled.movements):
            off[movement["transaction"]] += movement["amount"]
        assert set(off.values()) <= {Decimal(0)}
        opening = expected.closing


def test_an_account_opens_with_the_latest_closed_period(spark: SparkSession) -> None:
    from lakehouse.transforms.statements import opening_balances

    published = [
        {**_carried("P-A", "-9", "EUR"), "period": "2026-03"},
        _carried("P-A", "-2", "EUR"),
        {**_carried("P-D", "-7", "EUR"), "period": "2026-06"},
    ]
    balances = frame(spark, gold.balances, published)
    found = dicts(opening_balances(balances, ["2026-03", "2026-05"], "2026-06"))
    assert [(row["payee"], row["amount"]) for row in found] == [("P-A", -2)]
    assert dicts(opening_balances(balances, [], "2026-06")) == []
