"""Whole contracts: which term applies, who gets what, and the laws that hold for any contract. W numbers are worked examples."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.model.clauses import Usage
from lakehouse.model.contracts import Contract
from lakehouse.model.lint import read_book
from lakehouse.model.money import to_units
from lakehouse.model.unmatched import fallback_pool
from tests.support.books import HEAD, amounts, book_of, contract, contracts, paid, usage, usages


def _rate_applied(terms: list[str], **dimensions: str) -> Decimal:
    """What the artist gets of 100 under these conditions of master shares, in percent."""
    lines = "".join(f"  - {{clause: master_share, to: P-A, {term}}}\n" for term in terms)
    return paid(contract(lines).split(usage(**dimensions), Decimal(100))).get("P-A", Decimal(0))


def test_a_term_on_the_channel_beats_a_term_on_the_source() -> None:
    """W02: the channel stands above the source in the published order."""
    terms = ["rate: 20%, when: {channel: YouTube}", "rate: 30%, when: {source: youtube_asset_raw}"]
    for order in permutations(terms):
        assert _rate_applied(list(order), channel="YouTube", source="youtube_asset_raw") == 20


def test_a_term_with_one_condition_more_beats_the_same_term_without_it() -> None:
    """W02: the source's term wins once it names the channel too."""
    terms = ["rate: 20%, when: {channel: YouTube}", "rate: 30%, when: {channel: YouTube, source: youtube_asset_raw}"]
    for order in permutations(terms):
        assert _rate_applied(list(order), channel="YouTube", source="youtube_asset_raw") == 30
        assert _rate_applied(list(order), channel="YouTube", source="believe") == 20


def test_the_higher_dimension_wins_against_all_the_lower_ones_together() -> None:
    lower = "rate: 10%, when: {channel: Spotify, configuration: stream, price_category: premium, source: believe}"
    terms = ["rate: 20%, when: {territory: DE}", lower, "rate: 30%, when: {recording: R-1}"]
    dimensions = {"price_category": "premium"}
    for order in permutations(terms):
        assert _rate_applied(list(order), **dimensions) == 30
        assert _rate_applied(list(order), **dimensions, recording="R-2") == 20
        assert _rate_applied(list(order), **dimensions, recording="R-2", territory="FR") == 10


def test_one_country_beats_a_group_of_countries() -> None:
    terms = ["rate: 10%", "rate: 20%, when: {territory: [US, CA]}", "rate: 30%, when: {territory: US}"]
    for order in permutations(terms):
        assert [_rate_applied(list(order), territory=t) for t in ("US", "CA", "DE")] == [30, 20, 10]


def test_a_tie_is_decided_by_the_next_dimension() -> None:
    terms = [
        "rate: 10%, when: {territory: [US, CA], channel: [Spotify, Deezer]}",
        "rate: 20%, when: {territory: [US, CA], channel: Spotify}",
    ]
    for order in permutations(terms):
        assert _rate_applied(list(order), territory="CA") == 20
        assert _rate_applied(list(order), territory="CA", channel="Deezer") == 10


def test_a_group_higher_up_beats_a_direct_condition_lower_down() -> None:
    terms = ["rate: 10%, when: {territory: [US, CA]}", "rate: 20%, when: {channel: Spotify}"]
    for order in permutations(terms):
        assert _rate_applied(list(order), territory="US") == 10


def test_a_rate_that_rises_by_date_of_use() -> None:
    """W12: 50 % until 2021-12, 60 % from 2022-01."""
    terms = """\
  - {clause: master_share, rate: 50%, to: P-A, when: {to: 2021-12}}
  - {clause: master_share, rate: 60%, to: P-A, when: {from: 2022-01}}
"""
    book = contract(terms, HEAD.replace("2026-01", "2020-01"))
    assert [paid(book.split(usage(usage_period=m), Decimal(100)))["P-A"] for m in ("2021-12", "2022-01")] == [50, 60]


DIAMOND = """\
  - {clause: master_share, rate: 100%, to: P-A}
tree:
  P-A: {P-B: 25%, P-C: 25%}
  P-B: {P-D: 50%}
  P-C: {P-D: 50%}
  P-D: {P-E: 50%}
"""


def test_a_party_reached_on_two_ways_is_paid_on_both() -> None:
    """W46: 10 through a diamond: T1 5, and 1.25 each to T2, T3, T4 and T5."""
    parts = contract(DIAMOND).split(usage(), Decimal(10))
    quarter = Decimal("1.25")
    assert paid(parts) == {"P-A": Decimal(5), "P-B": quarter, "P-C": quarter, "P-D": quarter, "P-E": quarter}
    ways = [[step.term for step in part.stream.steps] for part in parts if part.party == "P-E"]
    assert ways == [
        ["C-1/1", "C-1/tree/P-A", "C-1/tree/P-B", "C-1/tree/P-D"],
        ["C-1/1", "C-1/tree/P-A", "C-1/tree/P-C", "C-1/tree/P-D"],
    ]


def test_a_tree_that_runs_in_a_circle_is_refused() -> None:
    """W48: T1 - T2 - T3 - T1, with a way out to T4."""
    tree = "tree:\n  P-A: {P-B: 50%}\n  P-B: {P-C: 50%}\n  P-C: {P-A: 25%, P-D: 25%}\n"
    _, findings = read_book({"c.yaml": f"{HEAD}terms:\n  - {{clause: master_share, rate: 50%, to: P-A}}\n{tree}"})
    assert [(f.rule, f.message) for f in findings] == [("cycle", "the tree runs in a circle: P-A - P-B - P-C - P-A")]


def test_own_share_is_what_the_others_leave() -> None:
    """W41, before rounding: of 10.85 the others take 25, 20 and 5 percent; 5.425 stays."""
    tree = "  - {clause: master_share, rate: 100%, to: P-A}\ntree:\n  P-A: {P-B: 25%, P-C: 20%, P-D: 5%}\n"
    assert paid(contract(tree).split(usage(), Decimal("10.85")))["P-A"] == Decimal("5.425")


def test_usage_without_any_term_stays_with_the_label() -> None:
    parts = contract("  - {clause: master_share, rate: 50%, to: P-A, when: {territory: US}}\n").split(
        usage(territory="DE"), Decimal(100)
    )
    assert paid(parts) == {"P-LABEL": Decimal(100)}


def test_nothing_to_divide_is_divided_into_nothing() -> None:
    parts = contract(DIAMOND).split(usage(), Decimal(0))
    assert {part.party for part in parts} == {"P-A", "P-B", "P-C", "P-D", "P-E", "P-LABEL"}
    assert sum(part.stream.amount for part in parts) == 0


@pytest.mark.slow
@given(contracts(), usages, amounts)
@settings(max_examples=200)
def test_any_contract_gives_away_exactly_what_came_in(any_contract: Contract, any_usage: Usage, amount: Decimal) -> None:
    parts = any_contract.split(any_usage, amount)
    assert sum(to_units(part.stream.amount) for part in parts) == to_units(amount)


@given(contracts(), usages, amounts)
def test_any_contract_mirrors_a_reversal_exactly(any_contract: Contract, any_usage: Usage, amount: Decimal) -> None:
    forth, back = any_contract.split(any_usage, amount), any_contract.split(any_usage, amount.copy_negate())
    assert [(p.party, p.role, p.category, p.stream.amount.copy_negate()) for p in back] == [
        (p.party, p.role, p.category, p.stream.amount) for p in forth
    ]


@given(contracts(), usages, amounts, st.data())
def test_the_order_in_which_terms_are_written_does_not_matter(
    any_contract: Contract, any_usage: Usage, amount: Decimal, data: st.DataObject
) -> None:
    """R-27."""
    shuffled = any_contract.model_copy(update={"terms": tuple(data.draw(st.permutations(any_contract.terms)))})
    theirs, ours = shuffled.split(any_usage, amount), any_contract.split(any_usage, amount)
    assert [(p.party, p.role, p.stream.amount) for p in theirs] == [(p.party, p.role, p.stream.amount) for p in ours]


def test_a_month_that_two_terms_part_is_of_the_later_one() -> None:
    """Whichever is written first (R-27); where the day is known, it decides."""
    until = "  - {clause: master_share, rate: 10%, to: P-A, when: {to: 2026-03-14}}\n"
    since = "  - {clause: master_share, rate: 20%, to: P-A, when: {from: 2026-03-15}}\n"
    for terms in (until + since, since + until):
        month, before, after = usage(), usage(sale_date="2026-03-14"), usage(sale_date="2026-03-15")
        shares = [paid(contract(terms).split(one, Decimal(100)))["P-A"] for one in (month, before, after)]
        assert shares == [20, 10, 20]


@given(contracts(), usages, amounts)
def test_no_way_through_a_contract_is_taken_twice(any_contract: Contract, any_usage: Usage, amount: Decimal) -> None:
    """A royalty line is known by party, role, category and the terms on its way: no two parts may share them."""
    ways = [(p.party, p.role, p.category, tuple(s.term for s in p.stream.steps)) for p in any_contract.split(any_usage, amount)]
    assert len(ways) == len(set(ways))


@given(contracts(), usages, amounts)
def test_every_part_can_be_followed_from_the_base(any_contract: Contract, any_usage: Usage, amount: Decimal) -> None:
    for part in any_contract.split(any_usage, amount):
        amount_now = amount
        for step in part.stream.steps:
            assert step.amount_in == amount_now
            amount_now = step.amount_out
        assert amount_now == part.stream.amount


def _covering(contract_id: str, covers: str, effective: str = "{from: 2026-01}") -> str:
    head = HEAD.replace("C-1", contract_id).replace("{artists: [Mira Okoye]}", covers).replace("{from: 2026-01}", effective)
    return f"{head}terms:\n  - {{clause: master_share, rate: 50%, to: P-A}}\n"


def test_a_recording_beats_its_artist_and_an_artist_beats_the_label() -> None:
    book = book_of(
        {
            "label.yaml": _covering("C-LABEL", "{labels: [Kitetail]}"),
            "artist.yaml": _covering("C-ARTIST", "{artists: [Mira Okoye]}"),
            "song.yaml": _covering("C-SONG", "{recordings: [R-1]}"),
        }
    )
    asked = [("R-1", "Mira Okoye"), ("R-2", "Mira Okoye"), ("R-3", "Jonas Vale")]
    found = [book.in_force(recording, artist, "Kitetail", "2026-03") for recording, artist in asked]
    assert [one and one.contract for one in found] == ["C-SONG", "C-ARTIST", "C-LABEL"]
    assert book.in_force("R-3", "Jonas Vale", None, "2026-03") is None


@pytest.mark.parametrize(
    ("month", "version"), [("2025-12", None), ("2026-01", "1"), ("2026-03", "1"), ("2026-04", "2"), ("2030-01", "2")]
)
def test_the_month_of_use_decides_which_version_is_in_force(month: str, version: str | None) -> None:
    old = _covering("C-1", "{artists: [Mira Okoye]}", "{from: 2026-01-15, to: 2026-03-31}")
    new = _covering("C-1", "{artists: [Mira Okoye]}", "{from: 2026-04}").replace('"1"', '"2"')
    found = book_of({"old.yaml": old, "new.yaml": new}).in_force("R-1", "Mira Okoye", None, month)
    assert (found and found.version) == version


def test_a_book_is_known_by_its_text_and_its_files() -> None:
    text = _covering("C-1", "{artists: [Mira Okoye]}")
    first = book_of({"a.yaml": text}).sha256
    assert book_of({"a.yaml": text}).sha256 == first
    assert book_of({"b.yaml": text}).sha256 != first
    assert book_of({"a.yaml": text + "# a comment\n"}).sha256 != first


def test_the_contract_of_the_how_to_gives_what_its_table_says() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/add-a-contract.md").read_text(encoding="utf-8")
    whole = page.split("```yaml\n")[1].split("```")[0]
    japan = usage(source="symphonic", territory="JP")
    assert paid(book_of({"okoye.yaml": whole}).contracts[0].split(japan, Decimal(100))) == {
        "P-DIST": Decimal(20),
        "P-SANA": Decimal("6.336"),
        "P-TOMAS": Decimal("4.32"),
        "P-MIRA": Decimal("30.6"),  # as artist 31.68 - 4.752, as writer 4.32 - 0.648
        "P-MANAGER": Decimal("5.4"),  # 4.752 + 0.648
        "P-LABEL": Decimal("33.344"),  # 8 + 25.344
    }


def _pool(name: str, *territories: str, start: str = "2026-01") -> str:
    return f"""contract: {name}
version: "1"
title: Pool
effective: {{from: {start}}}
label: P
parties: {{P: {{name: Label}}, A: {{name: One}}, B: {{name: Two}}}}
covers: {{unmatched: [{", ".join(territories)}]}}
terms:
  - {{clause: split, to: {{A: 1/3, B: 2/3}}}}
"""


def test_a_pool_is_the_one_of_the_smallest_territory_and_covers_nothing_else() -> None:
    book, findings = read_book({f"{n}.yaml": _pool(n, *t) for n, t in (("W", ["WORLD"]), ("E", ["EU"]), ("D", ["DE"]))})
    assert findings == []
    assert [fallback_pool(book.pools, territory, "2026-05").contract for territory in ("DE", "FR", "JP", "ZZ")] == [
        "D",
        "E",
        "W",
        "W",
    ]
    assert fallback_pool(book.pools, "DE", "2025-12") is None
    late, _ = read_book({"d.yaml": _pool("D", "DE").replace("[DE]}", "[DE], after_months: 36}"), "w.yaml": _pool("W", "WORLD")})
    assert [fallback_pool(late.pools, "DE", "2026-05", months).contract for months in (0, 35, 36)] == ["W", "W", "D"]
    assert book.in_force("R-1", "Anybody", None, "2026-05") is None


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ({"a.yaml": _pool("A", "DE"), "b.yaml": _pool("B", "DE", "FR")}, "DE is covered"),
        ({"a.yaml": _pool("A", "Atlantis")}, "neither an ISO 3166-1"),
        ({"a.yaml": _pool("A", "DE").replace("2/3", "1/3")}, "add up to"),
        ({"a.yaml": _pool("A", "DE").replace("unmatched: [DE]", "artists: [X], after_months: 3")}, "is for what is `unmatched`"),
        ({"a.yaml": _pool("A", "DE").replace("covers: {", "covers: {artists: [X], ")}, "covers nothing else"),
    ],
)
def test_a_pool_that_makes_no_sense_is_a_finding(documents: dict[str, str], said: str) -> None:
    _, findings = read_book(documents)
    assert any(said in finding.message for finding in findings), findings
