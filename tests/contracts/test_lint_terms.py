"""The linter on the clauses and the rules of a book: each finding with its line, its rule and a plain sentence."""

from __future__ import annotations

import pytest

from lakehouse.model.documents import Finding
from lakehouse.model.lint import read_book
from lakehouse.model.lint_catalog import KnownNames
from tests.support.books import HEAD

MASTER = "  - {clause: master_share, rate: 50%, to: P-A}\n"


def _findings(terms: str, head: str = HEAD, **others: str) -> list[Finding]:
    documents = {"c.yaml": f"{head}terms:\n{terms}", **{f"{name}.yaml": text for name, text in others.items()}}
    return read_book(documents)[1]


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("{clause: reserve, rate: 10%, release: [{after: 1, share: 50%}, {after: 2, share: 40%}]}", "the release schedule adds up to 90%, not 100%"),
        ("{clause: split, to: {P-A: 50%, P-B: 40%}}", "the shares of the split add up to 90%, not 100%"),
        ("{clause: split, to: {P-A: 60%, P-B: 50%}, rest: P-C}", "the shares of the split add up to 110%, not 100%"),
        ("{clause: advance, to: {P-A: 60%, P-B: 30%}}", "the shares add up to 90%, not 100%"),
        ("{clause: mechanical, statutory_rate: 0.09, to: {P-A: 60%}}", "the shares of the songs add up to 60%, not 100%"),
        ("{clause: master_share, rate: 5%, unit_rate: 1, to: P-A}", "a royalty has either a `rate` or a `unit_rate`"),
        ("{clause: packaging, rate: 5%, per_unit: 1}", "a deduction has either a `rate` or an amount `per_unit`"),
        ("{clause: minimum_guarantee, to: P-A, amount: 5}", "`starting` says in which month the guarantee begins to run"),
        ("{clause: statutory_split, preset: us-1, to: {}}", "'us-1' is not a preset for this clause"),
        (
            "{clause: master_share, rate: 5%, to: P-A, escalation: {by: units, steps: [{above: 9, rate: 6%}, {above: 8, rate: 7%}]}}",
            "the steps of an escalation rise, each above the one before",
        ),
        ("{clause: master_share, rate: 5%, to: P-A, escalation: {by: units, steps: [{from: 2026-01, rate: 6%}]}}", "needs `above`"),
        ("{clause: producer_points, points: 5%, tracks: 3, album_tracks: 2, to: P-A}", "3 tracks are more than the album's 2"),
        ("{clause: deduction, rate: 5%, when: {territory: {inlcude: [US]}}}", "territory knows `include` and `exclude`, not 'inlcude'"),
        ("{clause: deduction, rate: 5%, of: net, apply: after}", "`of` is gross, ppd or retail, or left out"),
        ("{clause: writer_share, rate: 5%, basis: gross, uplift: 30%, to: P-A}", "an `uplift` is added to a price"),
        ("{clause: withholding, rate: 30%, treaty: DE}", "treaty: 'DE' stands where keys are expected: {key: value, ...}"),
        ("{clause: reserve, rate: 5%, release: {after: 1, share: 1}}", "release: a mapping stands where a list is expected: [..., ...]"),
        ("{clause: fixed_fee, amount: 5, to: {P-A: 50%}}", "to: a mapping stands where one value is expected"),
        ("{clause: mechanical, statutory_rate: 1, songs: ten, to: P-A}", "songs: 'ten' is not a whole number"),
        ("{clause: advance, to: P-A, amount: 5, period: 2026-Q1}", "period: '2026-Q1' is not a month such as 2026-06"),
        ("{clause: deduction, rate: 5%, when: {from: 2026}}", "from: '2026' is not a month such as 2026-06 or a day such as 2026-06-30"),
        ("{clause: producer_points, points: 1%, to: P-A, recoup: later}", "'later' is not one of none, record_one or prospective"),
    ],
)  # fmt: skip
def test_a_clause_that_does_not_hold_together_is_found_on_its_line(term: str, said: str) -> None:
    found = [f for f in _findings(f"{MASTER}  - {term}\n") if said in f.message]
    assert [(f.line, f.severity) for f in found] == [(9, "error")]


@pytest.mark.parametrize(
    ("terms", "line", "rule", "said"),
    [
        (MASTER + "  - {clause: deduction, rate: 1%, when: {to: 2025-12}}\n", 9, "dead-term", "the contract is in force from 2026-01"),
        (
            "  - {clause: deduction, rate: 1%, when: {territory: US}}\n  - {clause: deduction, rate: 2%, when: {territory: US, channel: X}}\n"
            "  - {clause: deduction, rate: 2%, when: {channel: X, territory: [US]}}\n",
            10, "equal-specificity", "nothing decides between them",
        ),
        (MASTER + "  - {clause: writer_share, rate: 50%, to: P-B}\n", 9, "one-rate", "would both divide the same receipts"),
        (MASTER + "  - {clause: deduction, rate: 1%, when: {territory: ATLANTIS}}\n", 9, "territory", "'ATLANTIS' is not an ISO 3166-1"),
        (MASTER + "  - {clause: deduction, rate: 1%, when: {territory: {include: [US], exclude: [WORLD]}}}\n", 9, "territory", "nothing is left"),
        (
            "  - {clause: master_share, rate: 9%, to: P-A}\n  - {clause: producer_points, points: 5%, to: P-B}\n"
            "  - {clause: participation, points: 5%, to: P-C}\n",
            9, "points", "10% points are more than the artist's 9% of the master",
        ),
        (MASTER + "  - {clause: minimum_guarantee, amount: 5, starting: 2026-01, to: P-A}\n", 9, "currency", "needs a `currency`"),
        (MASTER + "  - {clause: fixed_fee, amount: 5, to: P-B, mfn: lonely}\n", 9, "mfn", "the class lonely has no other member"),
        (
            MASTER.replace("to: P-A", "to: P-A, mfn: mixed") + "  - {clause: fixed_fee, amount: 5, to: P-B, mfn: mixed}\n",
            9, "mfn", "compares a amount with a rate",
        ),
        (MASTER + "order: [reserve, base]\n", 9, "order", "base must come before rate"),
    ],
)  # fmt: skip
def test_a_term_that_cannot_do_its_work_is_found(terms: str, line: int, rule: str, said: str) -> None:
    found = [f for f in _findings(terms) if f.rule == rule and said in f.message]
    assert [f.line for f in found[:1]] == [line], [str(f) for f in _findings(terms)]


def test_a_term_that_a_more_specific_one_always_beats_is_dead() -> None:
    group = "  - {clause: deduction, rate: 1%, when: {territory: {include: [US, CA], exclude: [CA]}}}\n"
    found = _findings(f"{MASTER}{group}  - {{clause: deduction, rate: 2%, when: {{territory: US}}}}\n")
    assert [(f.line, f.rule) for f in found] == [(9, "dead-term")]
    assert found[0].message == "term 3 is more specific and covers all that this one is for: it would never apply"


def test_what_the_catalog_does_not_have_is_worth_a_look() -> None:
    head = HEAD.replace(
        "{artists: [Mira Okoye]}", '{recordings: [R-1, R-2], releases: ["036000291452", "036000291453"], artists: [Mira]}'
    )
    terms = "  - {clause: master_share, rate: 50%, to: P-A, when: {recording: [QZABC2600001, R-3], release_type: LP}}\n"
    documents = {"c.yaml": f"{head}terms:\n{terms}"}
    row = {
        "recording_id": "R-1",
        "isrc": "QZABC2600001",
        "upc": "00036000291452",
        "artist": "Mira Okoye",
        "release_type": "Album",
    }
    found = read_book(documents, KnownNames.of([row]))[1]
    assert {f.severity for f in found} == {"warn"}
    assert [(f.line, f.rule, f.message) for f in found] == [
        (6, "unknown-artist", "Mira is no artist of the catalog"),
        (6, "unknown-recording", "R-2 is no recording of the catalog"),
        (6, "unknown-release", "00036000291453 is no release of the catalog"),
        (8, "unknown-recording", "R-3 is no recording of the catalog"),
        (8, "unknown-release-type", "LP is no release type of the catalog"),
    ]
    assert read_book(documents)[1] == []


def test_terms_with_names_of_their_own_apply_side_by_side() -> None:
    terms = MASTER + "".join(f"  - {{clause: producer_points, name: {n}, points: 5%, to: P-{n}}}\n" for n in "BC")
    assert _findings(terms) == []


CROSS = "cross:\n  - {payee: P-A, contracts: [C-1, C-2]}\n"


def _second(currency: str = "") -> str:
    head = HEAD.replace("C-1", "C-2").replace("Mira Okoye", "Jonas Vale")
    return f"{head}{currency}terms:\n{MASTER}"


def test_accounts_that_recoup_each_other_need_one_currency() -> None:
    found = _findings(MASTER, HEAD + "currency: EUR\n", second=_second("currency: USD\n"), rules=CROSS)
    assert [(f.file, f.line, f.rule) for f in found] == [("rules.yaml", 2, "currency")]
    assert "the accounts are in EUR and USD" in found[0].message


def test_a_group_names_contracts_and_payees_that_exist_and_each_account_once() -> None:
    rules = "cross:\n  - {payee: P-A, contracts: [C-1, C-2]}\n  - {payee: P-A, contracts: [C-1, C-9]}\n  - {payee: P-X, contracts: [C-1, C-2]}\n"
    found = _findings(MASTER, second=_second(), rules=rules)
    assert [(f.line, f.rule) for f in found] == [(3, "cross"), (3, "unknown-contract"), (4, "unknown-party")]


def test_a_term_in_another_currency_than_its_contract_is_found() -> None:
    terms = MASTER + "  - {clause: advance, to: P-A, amount: 5, period: 2026-01, currency: USD}\n"
    found = _findings(terms, HEAD + "currency: EUR\n")
    assert [(f.line, f.rule) for f in found] == [(10, "currency")]


def test_the_rules_of_a_book_are_written_once() -> None:
    found = _findings(MASTER, a="book: one\n", b="book: two\n")
    assert [(f.file, f.rule, f.message) for f in found] == [
        ("b.yaml", "duplicate", "the rules of the book are written in a.yaml too")
    ]


def test_an_order_of_precedence_names_every_dimension() -> None:
    found = _findings(MASTER, a="dimensions: [territory, channel]\n")
    assert [(f.file, f.line) for f in found] == [("a.yaml", 1)]
    assert "names each of these once" in found[0].message


def test_two_contracts_that_cover_everything_else_are_found() -> None:
    head = HEAD.replace("covers: {artists: [Mira Okoye]}\n", "")
    second = head.replace("C-1", "C-2") + "terms:\n" + MASTER
    found = _findings(MASTER, head, second=second)
    assert [f.rule for f in found] == ["overlap"]
