"""What holds for any book, any usage and any events: nothing is made or lost, order does not matter, corrections correct."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.model.accounts import Event, rounded
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Usage
from lakehouse.model.groups import account_groups
from lakehouse.model.lint import read_book
from lakehouse.model.money import ZERO, add, from_units
from lakehouse.model.settle import OF_PAYEES, settle, settle_contracts, settle_payees
from lakehouse.model.trial import Trial, resolve_lines, try_book
from lakehouse.model.trial_rows import UsageRow

pytestmark = pytest.mark.slow

PARTIES = ("P-A", "P-B", "P-C", "P-D")
CONTRACTS = ("C-1", "C-2")
percents = st.integers(1, 40).map(lambda n: f"{n}%")
parties = st.sampled_from(PARTIES)
money = st.integers(-(10**24), 10**24).map(from_units)
positive = st.integers(1, 10**24).map(from_units)


@st.composite
def terms(draw: st.DrawFn, straight: bool) -> list[dict[str, Any]]:
    """Some of every clause. `straight` books have no clause for which a line taken back is not the mirror of the line."""
    share = {"clause": "master_share", "to": draw(parties), "rate": f"{draw(st.integers(41, 59))}%"}
    share["basis"] = draw(st.sampled_from(["net", "gross", "ppd", "retail"]))
    found: list[dict[str, Any]] = [share]
    if draw(st.booleans()):
        share["minimum_per_unit"] = "0.01"
    maybe: list[dict[str, Any]] = [
        {"clause": "distribution_fee", "rate": draw(percents), "to": draw(parties)},
        {"clause": "importer_fee", "rate": draw(percents), "to": draw(parties), "when": {"territory": "JP"}},
        {"clause": "packaging", "rate": draw(percents), "of": "retail", "when": {"configuration": "physical"}},
        {"clause": "free_goods", "per_unit": "0.05"},
        {"clause": "territory_deduction", "rate": draw(percents), "when": {"territory": ["JP", "US"]}},
        {"clause": "deduction", "rate": draw(percents), "apply": "after"},
        {"clause": "publishing_share", "rate": draw(percents), "to": {draw(parties): "100%"}},
        {"clause": "producer_points", "points": "7%", "to": draw(parties), "from": draw(st.sampled_from(["artist", "label"]))},
        {"clause": "participation", "points": "1/30", "to": draw(parties)},
        {"clause": "mechanical", "statutory_rate": "0.091", "songs": 3, "cap_songs": 2, "to": {"P-A": "1/3", "P-D": "2/3"}},
        {"clause": "fixed_fee", "amount": "1.50", "to": draw(parties)},
        {"clause": "split", "to": {"P-B": "1/3", "P-C": "1/7"}, "rest": "P-D"},
    ]
    if not straight:
        maybe += [
            {"clause": "reserve", "rate": draw(percents), "apply": draw(st.sampled_from(["before", "after"])), "release": [
                {"after": 1, "share": "1/3"}, {"after": 2, "share": "2/3"}]},
            {"clause": "withholding", "rate": draw(percents), "when": {"territory": "US"}, "of": draw(st.sampled_from(["payable", "earned"]))},
            {"clause": "cost", "charge": draw(st.sampled_from(["artist", "shared"])), "recoup": draw(percents)},
            {"clause": "minimum_guarantee", "amount": "100", "currency": "EUR", "starting": "2026-01", "months": 2, "to": draw(parties)},
        ]  # fmt: skip
        if draw(st.booleans()):
            share["escalation"] = {"by": "units", "mode": draw(st.sampled_from(["marginal", "whole_period", "next_period"])),
                                   "steps": [{"above": "10", "rate": "60%"}, {"above": "25", "rate": "1/3"}]}  # fmt: skip
    return found + [term for term in maybe if draw(st.booleans())]


@st.composite
def books(draw: st.DrawFn, straight: bool = False) -> ContractBook:
    """A book of two contracts, often with shared payees, crossed or not."""
    rules: dict[str, Any] = {"parties": {p: {"name": p, "country": "DE"} for p in ("P-LABEL", *PARTIES)}}
    if draw(st.booleans()) and not straight:
        mode = draw(st.sampled_from(["always", "income", "positive", "above_minimum"]))
        rules["cross"] = [{"payee": "P-A", "contracts": list(CONTRACTS), "mode": mode}]
        rules["minimum_payout"] = {"EUR": "5"}
    documents = {"rules.yaml": json.dumps(rules)}
    for contract in CONTRACTS:
        tree = {"P-A": {"P-B": "10%", "P-C": "1/3"}, "P-B": {"P-D": "50%"}} if draw(st.booleans()) else {}
        documents[f"{contract}.yaml"] = json.dumps(
            {
                "contract": contract, "version": "1", "effective": {"from": "2026-01"}, "label": "P-LABEL", "currency": "EUR",
                "covers": {"artists": [contract]}, "terms": draw(terms(straight)), "tree": tree,
            }
        )  # fmt: skip
    book, findings = read_book(documents)
    # Points and splits of random books may ask for more than there is; the arithmetic holds all the same.
    assert not [f for f in findings if f.rule not in ("points", "dead-term")], [str(f) for f in findings]
    return book


@st.composite
def usage_rows(draw: st.DrawFn, periods: tuple[str, ...] = ("2026-01", "2026-02", "2026-03")) -> list[UsageRow]:
    rows = []
    for number in range(draw(st.integers(1, 6))):
        period = draw(st.sampled_from(periods))
        usage = Usage(
            "R-1", draw(st.sampled_from(["DE", "JP", "US"])), "Spotify", draw(st.sampled_from(["stream", "physical"])), None, "believe",
            period, report_period=period, currency="EUR", units=Decimal(draw(st.integers(-5, 30))), gross=draw(money), ppd=Decimal("7.25"),
            retail=Decimal("9.99"),
        )  # fmt: skip
        rows.append(UsageRow(str(number), period, draw(money), "EUR", draw(st.sampled_from(CONTRACTS)), None, "", usage))
    return rows


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    kinds = st.sampled_from(["cost", "advance", "payment", "society_payment"])
    return [
        Event(f"e{n}", draw(st.sampled_from(["2026-01", "2026-02"])), draw(kinds), draw(st.sampled_from(CONTRACTS)), draw(parties), draw(positive), "EUR")
        for n in range(draw(st.integers(0, 4)))
    ]  # fmt: skip


def _told(trial: Trial) -> tuple[Any, ...]:
    return trial.statements, sorted(map(repr, trial.movements)), trial.closing


@given(books(), usage_rows(), event_lists())
@settings(max_examples=60, deadline=None)
def test_the_parts_of_every_line_add_up_to_its_amount(book: ContractBook, rows: list[UsageRow], events: list[Event]) -> None:
    trial = try_book(book, rows, events)
    assert trial.unresolved == []
    for row in rows:
        parts = [line for line in trial.lines if line.line_id == row.line_id]
        assert add(*(line.amount for line in parts)) == row.amount
        for line in parts:
            way = [(row.amount, row.amount), *((step.amount_in, step.amount_out) for step in line.stages)]
            assert all(before[1] == after[0] for before, after in pairwise(way))
            assert way[-1][1] == line.amount


@given(books(), usage_rows(), event_lists())
@settings(max_examples=60, deadline=None)
def test_every_transaction_balances_and_every_statement_adds_up(
    book: ContractBook, rows: list[UsageRow], events: list[Event]
) -> None:
    trial = try_book(book, rows, events)
    sums: dict[tuple[str, str], Decimal] = {}
    for movement in trial.movements:
        key = (movement.transaction, movement.currency)
        sums[key] = add(sums.get(key, ZERO), movement.amount)
    assert not [key for key, total in sums.items() if total]
    for s in trial.statements:
        came = add(s.opening, s.earned, s.converted, -s.deducted, -s.recouped, -s.reserved, -s.taxed)
        assert came == add(s.payable, s.carried, -s.rounding), s


@given(books(), usage_rows(), event_lists())
@settings(max_examples=40, deadline=None)
def test_the_books_agree_with_the_statements(book: ContractBook, rows: list[UsageRow], events: list[Event]) -> None:
    """What the ledger says is owed is what the last statements carry and what balances are left."""
    trial = try_book(book, rows, events)
    owed: dict[str, Decimal] = {}
    for movement in trial.movements:
        owed[movement.account] = add(owed.get(movement.account, ZERO), movement.amount)
    left = {(b.kind, b.payee): ZERO for b in trial.closing}
    for b in trial.closing:
        left[b.kind, b.payee] = add(left[b.kind, b.payee], b.amount)
    for party in PARTIES:
        assert -owed.get(f"liabilities:accrued:{party}", ZERO) == left.get(("carried", party), ZERO)
        assert -owed.get(f"liabilities:reserves:{party}", ZERO) == left.get(("reserve", party), ZERO)
        assert -owed.get(f"liabilities:payable:{party}", ZERO) == left.get(("payable", party), ZERO)
        for kind in ("advance", "cost"):
            assert add(*(owed.get(f"assets:{kind}s:{c}:{party}", ZERO) for c in CONTRACTS)) == left.get((kind, party), ZERO)


@given(books(), usage_rows(), event_lists(), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_lines_events_and_terms_does_not_matter(
    book: ContractBook, rows: list[UsageRow], events: list[Event], random: Any
) -> None:
    first = _told(try_book(book, rows, events))
    random.shuffle(rows)
    random.shuffle(events)
    assert _told(try_book(book, rows, events)) == first
    shuffled = []
    for contract in book.contracts:
        mixed = list(contract.terms)
        random.shuffle(mixed)
        shuffled.append(contract.model_copy(update={"terms": tuple(mixed)}))
    mixed_book = replace(book, contracts=tuple(shuffled))
    # term ids follow the order of writing; what is owed to whom does not
    assert _told(try_book(mixed_book, rows, events))[0] == first[0]


@given(books(straight=True), usage_rows(("2026-01",)), event_lists())
@settings(max_examples=60, deadline=None)
def test_taking_everything_back_leaves_nothing(book: ContractBook, rows: list[UsageRow], events: list[Event]) -> None:
    events = [event for event in events if event.event in ("cost", "advance") and event.period == "2026-01"]
    back = [
        replace(row, line_id=f"-{row.line_id}", period="2026-02", amount=-row.amount, usage=row.usage.reversed()) for row in rows
    ]
    trial = try_book(book, rows + back, events)
    for party in {s.payee for s in trial.statements}:
        own = [s for s in trial.statements if s.payee == party]
        assert add(*(s.earned for s in own)) == 0
        assert add(*(s.recouped for s in own)) == 0
        assert add(*(add(s.payable, -s.rounding) for s in own), own[-1].carried) == 0
    given_out = add(*(event.amount for event in events))
    assert add(*(b.amount for b in trial.closing if b.kind in ("advance", "cost"))) == given_out


@given(books(straight=True), usage_rows(("2026-01",)), event_lists(), money)
@settings(max_examples=60, deadline=None)
def test_a_correction_gives_what_the_corrected_history_gives(
    book: ContractBook, rows: list[UsageRow], events: list[Event], right: Decimal
) -> None:
    events = [replace(event, period="2026-01") for event in events if event.event in ("cost", "advance")]
    wrong = rows[0]
    back = replace(wrong, line_id="back", period="2026-02", amount=-wrong.amount, usage=wrong.usage.reversed())
    again = replace(wrong, line_id="again", period="2026-02", amount=right)
    corrected = try_book(book, [*rows, back, again], events)
    history = try_book(book, [replace(wrong, amount=right), *rows[1:]], events)
    for party in PARTIES:
        totals = []
        for trial in (corrected, history):
            own = [s for s in trial.statements if s.payee == party]
            sums = [add(*(getattr(s, name) for s in own)) for name in ("earned", "recouped")]
            paid = add(*(add(s.payable, -s.rounding) for s in own), *(own[-1].carried for _ in own[:1]))
            totals.append([*sums, paid])
        assert totals[0] == totals[1]


@given(books(), usage_rows(), event_lists())
@settings(max_examples=40, deadline=None)
def test_groups_of_accounts_settled_apart_give_the_same(book: ContractBook, rows: list[UsageRow], events: list[Event]) -> None:
    groups = account_groups(book)
    period = "2026-01"
    rows, events = [r for r in rows if r.period == period], [e for e in events if e.period == period]
    lines = resolve_lines(book, rows, events, []).lines
    whole = rounded([settle(book, None, period, [], lines, events)])
    apart = [
        settle_contracts(
            book, [c for c in CONTRACTS if groups[c] == group], period, [],
            [line for line in lines if groups[line.contract] == group],
            [event for event in events if event.event not in OF_PAYEES and groups[event.contract] == group],
        )
        for group in sorted({groups[c] for c in CONTRACTS})
    ]  # fmt: skip
    dues = [due for one in reversed(apart) for due in one.dues]
    payees = [PARTIES[:2], (*PARTIES[2:], "P-LABEL")]
    paid = rounded(
        settle_payees(
            book, period, [],
            [event for event in events if event.event in OF_PAYEES and event.payee in some],
            [due for due in dues if due.payee in some],
        )
        for some in payees
    )  # fmt: skip
    assert paid.statements == whole.statements
    assert sorted((*paid.closing, *(b for one in apart for b in one.closing))) == list(whole.closing)
