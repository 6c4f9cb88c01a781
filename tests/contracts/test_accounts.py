"""Accounts over several periods: crossing, corrections, payments, carrying. Each case is a book and a table; comments carry the sums."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse.model.accounts import Event
from lakehouse.model.lint import read_book
from lakehouse.model.settle import settle
from tests.support.trials import differences, trial

HEAD = """\
contract: C-1
version: "1"
effective: {from: 2026-01}
label: P-LABEL
parties: {P-LABEL: Kitetail, P-ANA: Ana, P-BEN: Ben}
"""
HALF = HEAD + "terms:\n  - {clause: master_share, rate: 50%, to: P-ANA}\n"


def _statements(report: dict[str, Any], *names: str) -> list[tuple[Decimal, ...]]:
    return [tuple(Decimal(s[name]) for name in names) for s in report["statements"]]


ALBUMS = """\
parties: {P-LABEL: Kitetail, P-ANA: Ana}
minimum_payout: {EUR: MINIMUM}
cross: CROSS
---
contract: ALBUM-1
version: "1"
effective: {from: 2026-01}
label: P-LABEL
covers: {releases: "001"}
terms:
  - {clause: master_share, rate: 50%, to: P-ANA}
---
contract: ALBUM-2
version: "1"
effective: {from: 2026-01}
label: P-LABEL
covers: {releases: "002"}
terms:
  - {clause: master_share, rate: 50%, to: P-ANA}
"""
# the first album earns 500 and owes nothing; the second earns 100, and has a cost of 400 and an advance of 300 to recoup
ALBUM_USAGE = """\
event,contract,upc,amount,currency
advance,ALBUM-2,,300,EUR
cost,ALBUM-2,,400,EUR
,,001,1000,EUR
,,002,200,EUR
"""


@pytest.mark.parametrize(
    ("mode", "minimum", "recouped", "payable", "unrecouped", "carried"),
    [
        # each by itself: 100 of the second recoups its cost
        (None, 0, 100, 500, 600, 0),
        # 600 together recoup the cost of 400 and 200 of the advance
        ("always", 0, 600, 0, 100, 0),
        ("income_and_costs", 0, 600, 0, 100, 0),
        # 100 recoups the second's own cost, 300 of the first the advance; the rest of the cost is not the first's affair
        ("income", 0, 400, 200, 300, 0),
        # first 100 for itself, then the 500 that are left
        ("positive", 0, 600, 0, 100, 0),
        ("above_minimum", 500, 600, 0, 100, 0),
        # 500 does not reach the minimum: it is neither crossed nor paid
        ("above_minimum", 501, 100, 0, 600, 500),
    ],
)
def test_accounts_recoup_each_other_as_far_as_they_are_crossed(
    tmp_path: Path, mode: str | None, minimum: int, recouped: int, payable: int, unrecouped: int, carried: int
) -> None:
    """R-30."""
    cross = f"[{{payee: P-ANA, contracts: [ALBUM-1, ALBUM-2], mode: {mode}}}]" if mode else "[]"
    report = trial(tmp_path, ALBUMS.replace("CROSS", cross).replace("MINIMUM", str(minimum)), ALBUM_USAGE)
    told = _statements(report, "earned", "recouped", "payable", "unrecouped", "carried")
    assert told == [(600, recouped, payable, unrecouped, carried)]


@pytest.mark.parametrize(("order", "left"), [("[cost, advance]", "advance"), ("[advance, cost]", "cost")])
def test_a_contract_says_what_is_recouped_first(tmp_path: Path, order: str, left: str) -> None:
    usage = "event,amount,currency\nadvance,100,EUR\ncost,100,EUR\n,240,EUR\n"
    report = trial(tmp_path, HALF.replace("terms:", f"recoup_order: {order}\nterms:"), usage)
    # 120 recoup the first 100 whole, and 20 of the other
    owed = {b["kind"]: Decimal(b["amount"]) for b in report["balances"] if b["kind"] in ("cost", "advance")}
    assert owed == {left: 80}


def test_a_correction_is_calculated_on_the_contract_in_force_then(tmp_path: Path) -> None:
    old = HALF.replace("{from: 2026-01}", "{from: 2026-01, to: 2026-01}")
    new = HALF.replace('"1"', '"2"').replace("{from: 2026-01}", "{from: 2026-02}").replace("50%", "80%")
    usage = "period,usage_period,amount,currency\n2026-02,2026-01,-10,EUR\n2026-02,2026-02,100,EUR\n"
    # -10 at the old 50 %, 100 at the new 80 %
    assert _statements(trial(tmp_path, f"{old}---\n{new}", usage), "earned", "payable") == [(75, 75)]


def test_returns_beyond_sales_are_carried_and_made_good(tmp_path: Path) -> None:
    usage = "period,amount,currency\n2026-01,-100,EUR\n2026-02,60,EUR\n2026-03,60,EUR\n"
    report = trial(tmp_path, HALF, usage)
    assert _statements(report, "opening", "earned", "payable", "carried") == [
        (0, -50, 0, -50),
        (-50, 30, 0, -20),
        (-20, 30, 10, 0),
    ]


def test_a_correction_undoes_what_was_paid_before_what_was_recouped(tmp_path: Path) -> None:
    usage = "period,event,amount,currency\n2026-01,advance,100,EUR\n2026-01,,300,EUR\n2026-02,,-160,EUR\n2026-03,,100,EUR\n"
    # 150: 100 recouped, 50 paid. -80: first the 50, then 30 of the recoupment. 50 more are 120 in all: 100 recouped, 20 of the 50 paid are due
    report = trial(tmp_path, HALF, usage)
    told = _statements(report, "recouped", "payable", "carried", "unrecouped")
    assert told == [(100, 50, 0, 0), (-30, 0, -50, 30), (30, 0, -30, 0)]


def test_a_balance_below_the_minimum_is_carried_and_taxed_when_it_is_paid(tmp_path: Path) -> None:
    book = HALF.replace("P-ANA: Ana", "P-ANA: {name: Ana, minimum_payout: {EUR: 50}}")
    book += "  - {clause: withholding, rate: 10%, when: {territory: US}}\n"
    usage = "period,territory,amount,currency\n2026-01,US,80,EUR\n2026-02,DE,80,EUR\n"
    # 40 of US income is carried; of the 80 that are paid half is taxed
    told = _statements(trial(tmp_path, book, usage), "earned", "taxed", "payable", "carried")
    assert told == [(40, 0, 0, 40), (40, 4, 76, 0)]


def test_a_payment_settles_what_is_payable_and_the_rest_is_on_account(tmp_path: Path) -> None:
    usage = "period,event,amount,currency\n2026-01,,100,EUR\n2026-02,payment,70,EUR\n2026-02,,60,EUR\n"
    report = trial(tmp_path, HALF, usage)
    # 50 was payable, so that 20 of the 70 come off the 30 of the second period
    assert _statements(report, "earned", "deducted", "payable") == [(50, 0, 50), (30, 20, 10)]
    assert differences(report, {"movements": [{"kind": "payment", "account": "assets:bank", "amount": "-50"}]}) == []


def test_what_a_society_has_paid_is_told_and_never_recouped(tmp_path: Path) -> None:
    usage = "event,payee,amount,currency\nadvance,P-ANA,100,EUR\nsociety_payment,P-ANA,500,EUR\n"
    report = trial(tmp_path, HALF, usage)
    assert _statements(report, "earned", "recouped", "payable", "unrecouped") == [(0, 0, 0, 100)]
    assert {m["account"] for m in report["movements"] if m["kind"] == "society_payment"} == {
        "equity:memo:received_from_society:P-ANA", "equity:memo:societies",
    }  # fmt: skip


def test_a_producer_paid_prospectively_has_only_the_records_after_recoupment(tmp_path: Path) -> None:
    book = HALF + "  - {clause: producer_points, points: 10%, to: P-BEN, recoup: prospective}\n"
    usage = (
        "period,event,payee,amount,currency\n2026-01,cost,P-ANA,60,EUR\n2026-01,,,100,EUR\n2026-02,,,100,EUR\n2026-03,,,10,EUR\n"
    )
    report = trial(tmp_path, book, usage)
    ben = [(s["period"], Decimal(s["payable"])) for s in report["statements"] if s["payee"] == "P-BEN"]
    # the artist's 40 of the first 100, and 20 of the second 40, recoup 60: half of the second 10 points are after that
    assert ben == [("2026-01", 0), ("2026-02", 5), ("2026-03", 1)]


def test_an_escalation_goes_on_counting_from_period_to_period(tmp_path: Path) -> None:
    book = HEAD + (
        "terms:\n  - {clause: master_share, rate: 10%, to: P-ANA, escalation: {by: units, mode: MODE, steps: [{above: 100, rate: 20%}]}}\n"
    )
    usage = "period,units,amount,currency\n2026-01,80,100,EUR\n2026-02,40,100,EUR\n2026-03,40,100,EUR\n"
    # 80; 80 to 120, so half before and half after; after
    assert _statements(trial(tmp_path, book.replace("MODE", "marginal"), usage), "earned") == [(10,), (15,), (20,)]
    assert _statements(trial(tmp_path, book.replace("MODE", "whole_period"), usage), "earned") == [(10,), (20,), (20,)]
    assert _statements(trial(tmp_path, book.replace("MODE", "next_period"), usage), "earned") == [(10,), (10,), (20,)]


def test_a_table_without_a_currency_has_none(tmp_path: Path) -> None:
    assert [s["currency"] for s in trial(tmp_path, HALF, "amount\n100\n")["statements"]] == ["XXX"]


def test_an_amount_of_a_term_is_not_taken_for_another_currency(tmp_path: Path) -> None:
    book = HEAD + "currency: EUR\nterms:\n  - {clause: master_share, unit_rate: 0.5, to: P-ANA}\n"
    report = trial(tmp_path, book, "line_id,units,amount,currency\n1,10,100,USD\n")
    assert [(u["line_id"], u["reason"]) for u in report["unresolved"]] == [
        ("1", "the amount in C-1/1 is in EUR, and the line in USD")
    ]


def test_a_dependent_territory_counts_as_its_country_on_the_tis_basis(tmp_path: Path) -> None:
    book = HALF.replace("50%", "20%") + "  - {clause: master_share, rate: 40%, to: P-ANA, when: {territory: FR}}\n"
    usage = "territory,amount,currency\nGP,100,EUR\n"
    assert _statements(trial(tmp_path, book, usage), "earned") == [(20,)]
    assert _statements(trial(tmp_path, f"territory_basis: tis\n---\n{book}", usage), "earned") == [(40,)]


def test_an_event_without_a_contract_is_an_error_and_not_lost() -> None:
    book, findings = read_book({"c.yaml": HALF})
    assert findings == []
    with pytest.raises(ValueError, match="the cost e1 names no contract of the book: 'C-9'"):
        settle(book, None, "2026-01", [], [], [Event("e1", "2026-01", "cost", "C-9", "P-ANA", Decimal(1), "EUR")])
