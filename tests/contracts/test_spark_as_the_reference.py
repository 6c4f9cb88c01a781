"""Spark and the reference engine give the same lines, statements and balances, period after period, to the last digit.

A random book with every kind of base, condition and escalation; random groups of usage, some of them taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lakehouse.model.accounts import Event
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Usage
from lakehouse.model.lint import read_book
from lakehouse.model.money import from_units
from lakehouse.model.trial import Trial, try_book
from lakehouse.model.trial_rows import UsageRow
from lakehouse.tables import gold, silver
from lakehouse.tables.gold import line_key
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

PERIODS = ("2026-01", "2026-02", "2026-03")
PARTIES = ("P-A", "P-B", "P-C", "P-D")
UPCS = ("00036000291452", "00036000291453")
_MEASURES = ", usage_lines bigint, units decimal(20,6), gross decimal(38,18), amount decimal(38,18)"
_CATALOG = ", recording_id string, catalog_artist string, catalog_label string, release string, release_type string, catalog_group string"
_COLUMNS = ", ".join(f"{field.name} {field.type}" for field in gold.GROUP_FIELDS) + _MEASURES + _CATALOG + ", hold_id string"


def _escalation(random: Random) -> dict[str, Any]:
    by = random.choice(["units", "income", "sale_date"])
    if by == "sale_date":
        return {"by": by, "steps": [{"from": f"2026-02-{random.randrange(2, 28):02}", "rate": "1/3"}]}
    mode = random.choice(["marginal", "whole_period", "next_period"])
    steps = [{"above": str(random.randrange(5, 400)), "rate": "1/6"}, {"above": "1000", "rate": "45%"}]
    shared = {"counter": f"both {by}"} if random.random() < 0.3 else {}
    weights = {"equivalents": {"stream": "1/7", "physical": 10}} if by == "units" else {}
    return {"by": by, "mode": mode, "steps": steps, **shared, **weights}


def _contract(number: int, random: Random) -> dict[str, Any]:
    one, two, three = random.sample(PARTIES, 3)
    share: dict[str, Any] = {"clause": "master_share", "to": one, "rate": f"{random.randrange(5, 30)}%"}
    share["basis"] = random.choice(["net", "gross", "ppd", "retail"])
    if random.random() < 0.7:
        share["escalation"] = _escalation(random)
    special: dict[str, Any] = random.choice(
        [
            {"release": UPCS[0]},
            {"release_type": ["Album", "EP"]},
            {"catalog_group": "classics"},
            {"from": "2026-02-11"},
            {"territory": "JP"},
        ]
    )
    if "from" in special:
        share["when"] = {"to": "2026-02-10"}
    terms = [
        share,
        {"clause": "master_share", "to": two, "rate": "1/3", "when": special},
        {"clause": "distribution_fee", "rate": "1/9", "to": three, "when": {"territory": ["US", "JP"]}},
        {"clause": "packaging", "rate": "3%", "of": "retail", "when": {"configuration": "physical"}},
        {"clause": "reserve", "rate": "20%", "release": [{"after": 1, "share": "1/3"}, {"after": 2, "share": "2/3"}]},
        {"clause": "withholding", "rate": "1/7", "of": random.choice(["payable", "earned"]), "when": {"territory": "US"}},
        {"clause": "producer_points", "name": "one", "points": "1/60", "to": two, "recoup": "record_one"},
        {"clause": "producer_points", "name": "two", "points": "1/70", "to": three, "recoup": "prospective"},
    ]
    guarantee = {
        "clause": "minimum_guarantee",
        "amount": "999",
        "starting": "2026-02",
        "months": 2,
        "to": two,
        "when": {"territory": "JP"},
    }
    kept = [*terms[:2], guarantee, *(term for term in terms[2:] if random.random() < 0.5)]
    return {
        "contract": f"C-{number}", "version": "1", "effective": {"from": "2026-01"}, "label": "P-LABEL", "currency": "EUR",
        "covers": {"artists": [f"Artist {number}"]} if number else {"releases": [UPCS[1]]}, "terms": kept,
        "tree": {one: {two: "1/3"}} if random.random() < 0.3 else {},
    }  # fmt: skip


def _book(random: Random) -> ContractBook:
    documents = {f"c{number}.yaml": yaml.safe_dump(_contract(number, random)) for number in range(12)}
    cuts = [f"{random.randrange(1, 50)}/97" for _ in range(2)]
    pools = [
        {
            "name": "us",
            "method": "pro_rata",
            "dsp_cut": cuts[0],
            "minimum": str(random.randrange(90000, 99999)),
            "when": {"territory": "US", "to": "2026-02"},
        },
        {
            "name": "discs",
            "method": "pro_rata",
            "dsp_cut": "30%",
            "when": {"configuration": "physical", "territory": ["US", "JP"]},
        },
    ]
    rules = {"pools": pools, "parties": {party: {"name": party, "country": "DE"} for party in ("P-LABEL", *PARTIES)}}
    documents |= {"rules.yaml": yaml.safe_dump(rules)}
    book, findings = read_book(documents)
    assert not [f for f in findings if f.rule != "dead-term"], [str(f) for f in findings]
    return book


def _groups(random: Random, period: str, count: int) -> list[dict[str, Any]]:
    def some(value: Any) -> Any:
        return value if random.random() < 0.8 else None

    rows = []
    for number in range(count):
        day = date(2026, int(period[5:]), random.randrange(1, 28))
        upc = some(random.choice(UPCS))
        rows.append({
            **DIMENSIONS, "usage_key": digest(f"{period} {number}"), "report_period": period, "usage_period": period,
            "sale_date": some(day), "territory": random.choice(["DE", "US", "JP"]), "configuration": random.choice(["stream", "physical"]),
            "upc": upc, "release": upc, "release_type": some(random.choice(["Album", "Single"])), "catalog_group": some("classics"),
            "ppd": some(Decimal("7.251234567890123456")), "retail": Decimal("9.990000000000000000"), "usage_lines": 1,
            "units": Decimal(random.randrange(-5, 60)), "gross": some(from_units(random.randrange(10**21))),
            "amount": from_units(random.randrange(-(10**20), 10**21)), "recording_id": "R-1",
            "catalog_artist": f"Artist {random.randrange(12)}", "catalog_label": None, "hold_id": some(f"h{number}"),
        })  # fmt: skip
    return rows


def _as_rows(groups: list[dict[str, Any]], period: str) -> list[UsageRow]:
    told = (
        "territory",
        "channel",
        "configuration",
        "price_category",
        "source",
        "usage_period",
        "release",
        "release_type",
        "catalog_group",
    )
    told += ("report_period", "currency", "units", "gross", "ppd", "retail")
    return [
        UsageRow(
            line_key(group), period, group["amount"], group["currency"], group["catalog_artist"], None, "",
            Usage("R-1", sale_date=group["sale_date"].isoformat() if group["sale_date"] else None, **{name: group[name] for name in told}),
        )
        for group in groups
    ]  # fmt: skip


def _event(row: Mapping[str, Any]) -> Event:
    return Event(**{**row, "amount": Decimal(row["amount"])})


def _by_the_reference(trial: Trial, period: str) -> list[tuple[Any, ...]]:
    lines = [line for line in trial.lines if line.period == period]
    return sorted(
        (line.line_id, line.contract, line.payee, line.role, line.category, line.amount, repr([(s.stage, s.term, s.amount_in, s.amount_out) for s in line.stages]))
        for line in lines
    )  # fmt: skip


def _by_spark(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted(
        (line_key(row), row["contract_id"], row["payee"], row["role"], row["category"], row["amount"], repr([tuple(step.values()) for step in row["stages"]]))
        for row in rows if row["contract_id"]
    )  # fmt: skip


@pytest.mark.parametrize("seed", [20260501])
def test_three_periods_of_a_random_book(spark: SparkSession, seed: int) -> None:
    from lakehouse.checks.totals import require_parts_add_up
    from lakehouse.model.money import ZERO
    from lakehouse.transforms.pools import divide_pools
    from lakehouse.transforms.resolve import resolve, royalty_lines
    from lakehouse.transforms.statements import counts_before, settle_accounts

    random = Random(seed)
    book = _book(random)
    usage = {period: _groups(random, period, 60) for period in PERIODS}
    events = [
        {"event_id": f"E{n}", "period": PERIODS[n % 3], "event": random.choice(["advance", "cost"]), "contract": f"C-{n}", "payee": random.choice(PARTIES),
         "amount": f"{random.randrange(1, 90)}.5", "currency": "EUR", "territory": "ZZ"}
        for n in range(5)
    ]  # fmt: skip
    trial = try_book(
        book, [row for period in PERIODS for row in _as_rows(usage[period], period)], [_event(row) for row in events]
    )
    assert len({line.contract for line in trial.lines}) == 12
    steps = {(step.stage, step.term) for line in trial.lines for step in line.stages}
    assert steps >= {("pro_rata", "pool:us"), ("breakage", "pool:us"), ("pro_rata", "pool:discs")}
    assert {b.ref for b in trial.closing if b.kind == "count"} >= {"both units", "both income"}

    balances = frame(spark, gold.balances, [])
    nothing = frame(spark, gold.royalty_lines, [])
    for period in PERIODS:
        opening = counts_before(balances, nothing)
        given = frame(spark, _COLUMNS, usage[period]).repartition(3)
        divided = divide_pools(given, book.rules.pools, book.asks_for_days, lambda rows: rows.cache())
        resolved = resolve(divided, book, opening, lambda rows: rows.cache()).cache()
        require_parts_add_up(resolved)
        assert _by_spark(dicts(resolved)) == _by_the_reference(trial, period)
        lines = royalty_lines(resolved, period)
        own = frame(spark, silver.account_events, [event for event in events if event["period"] == period])
        settled = settle_accounts(lines, balances, own, book, period, lambda rows: rows.cache())
        found = {row["payee"]: row for row in dicts(settled.statements)}
        for statement in (s for s in trial.statements if s.period == period):
            told = found.pop(statement.payee)
            for name in (
                "opening",
                "earned",
                "deducted",
                "recouped",
                "reserved",
                "taxed",
                "payable",
                "carried",
                "unrecouped",
                "held",
            ):
                assert told[name] == getattr(statement, name), (period, statement.payee, name)
        assert not found
        balances = settled.balances.cache()
    kept = sorted((b["kind"], b["contract_id"], b["payee"], b["currency"], b["ref"], b["amount"]) for b in dicts(balances))
    assert kept == [(b.kind, b.contract, b.payee, b.currency, b.ref, b.amount) for b in trial.closing if b.amount != ZERO]
