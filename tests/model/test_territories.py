"""D-246, D-248: countries, regions, groups and the world; how reports write them, and how terms include, exclude and outrank them."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations, permutations
from typing import Any

import pycountry
import pytest

from lakehouse.model.clauses.condition import Condition
from lakehouse.model.places import countries_of, is_group, rolled_up
from lakehouse.model.territories import NOWHERE, alpha2_codes, spellings
from lakehouse.model.tis import ALIASES, BESIDE, GROUPS, ROLL_UP
from tests.support.books import HEAD, book_of, contract, paid, usage

ISO = frozenset(country.alpha_2 for country in pycountry.countries)
CONTINENTS = ("AFRICA", "AMERICA", "ASIA", "EUROPE", "OCEANIA")


def test_the_codes_are_the_249_of_iso_3166_with_kosovo_and_nowhere() -> None:
    """D-246."""
    assert len(ISO) == 249
    assert alpha2_codes() - ISO == {"XK", NOWHERE}
    assert alpha2_codes() > ISO


def test_every_country_is_on_one_continent_but_antarctica_on_none() -> None:
    """D-246: membership is complete. Dependent territories are with the country that they are counted with, Palestine with its neighbours."""
    everywhere = frozenset().union(*map(countries_of, CONTINENTS))
    assert alpha2_codes() - everywhere == {"AQ", NOWHERE}
    assert [(one, other) for one, other in combinations(CONTINENTS, 2) if countries_of(one) & countries_of(other)] == []
    assert "PS" in countries_of("MIDDLE EAST") & countries_of("ASIA")


def test_groups_name_countries_that_there_are_and_subregions_lie_in_their_region() -> None:
    """D-246."""
    named = {code for _, members in GROUPS.values() for code in members.split()}
    assert named | ROLL_UP.keys() | set(ROLL_UP.values()) | BESIDE.keys() <= alpha2_codes() - {NOWHERE}
    assert {group for groups in BESIDE.values() for group in groups} | set(ALIASES.values()) - {"2136"} <= GROUPS.keys()
    inside = {
        "EUROPE": ("SCANDINAVIA", "BALTIC STATES", "BENELUX", "BRITISH ISLES"), "NORDIC COUNTRIES": ("SCANDINAVIA",),
        "AMERICA": ("NORTH AMERICA", "CENTRAL AMERICA", "SOUTH AMERICA", "ANTILLES"), "AFRICA": ("NORTH AFRICA",),
        "ASIA": ("SOUTH EAST ASIA", "MIDDLE EAST"), "COMMONWEALTH": ("COMMONWEALTH AFRICAN TERRITORIES",),
    }  # fmt: skip
    assert [
        (region, part) for region, parts in inside.items() for part in parts if not countries_of(part) <= countries_of(region)
    ] == []


def test_the_world_is_every_code_also_where_no_territory_is_given() -> None:
    """D-246: the global designation."""
    for name in ("WORLD", "Worldwide", "WW", "2136"):
        assert countries_of(name) == alpha2_codes()
        assert is_group(name)
    assert countries_of("EU") == countries_of("2123") == countries_of("European Union")
    assert countries_of("Atlantis") == frozenset()


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Jordan", "JO"), ("US", "US"), ("us", "US"), ("USA", "US"), ("United States", "US"), ("GB", "GB"), ("UK", "GB"), ("Great Britain", "GB"),
        ("DEU", "DE"), ("Korea, Republic of", "KR"), ("South Korea", "KR"), ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Côte d'Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"), ("Curacao", "CW"), ("Reunion", "RE"), ("Trinidad & Tobago", "TT"), ("St. Lucia", "LC"), ("Türkiye", "TR"),
        ("Palestine", "PS"), ("Kosovo", "XK"), ("Hong Kong SAR", "HK"), ("St. Kitts & Nevis", "KN"), ("Worldwide", NOWHERE),
    ],
)  # fmt: skip
def test_codes_and_names_of_a_mixed_ledger_all_find_their_country(written: str, code: str) -> None:
    """D-246."""
    assert {found for form in ("alpha2", "alpha3", "name") if (found := spellings(form).get(written.lower()))} == {code}


def test_every_iso_country_is_found_by_each_of_its_codes_and_names_and_no_spelling_by_two() -> None:
    """D-246."""
    for country in pycountry.countries:
        assert spellings("alpha2")[country.alpha_2.lower()] == country.alpha_2
        assert spellings("alpha3")[country.alpha_3.lower()] == country.alpha_2
        names = {country.name, getattr(country, "official_name", country.name), getattr(country, "common_name", country.name)}
        assert {spellings("name")[name.lower()] for name in names} == {country.alpha_2}


def test_what_is_no_territory_is_not_guessed() -> None:
    assert [
        spellings(form).get(text) for text in ("korea", "congo-ish", "", "euro") for form in ("alpha2", "alpha3", "name")
    ] == [None] * 12


def _condition(territory: Any) -> frozenset[str]:
    return Condition.model_validate({"territory": territory}).wanted["territory"]


def test_the_world_but_one_country_expands_to_every_other_code() -> None:
    """D-248."""
    but_us = _condition({"include": ["WORLD"], "exclude": ["US"]})
    assert but_us == alpha2_codes() - {"US"}
    assert len(but_us & ISO) == 248
    assert _condition({"exclude": ["US"]}) == but_us
    assert _condition({"include": ["EU"], "exclude": ["DE", "BENELUX"]}) == countries_of("EU") - {
        "DE",
        "BE",
        "NL",
        "LU",
    } - countries_of("BENELUX")
    # On the basis of TIS what a country's dependent territories use is the country's.
    assert rolled_up("PR") == "PR"
    assert (rolled_up("GU"), rolled_up("GG"), rolled_up("DE")) == ("US", "GB", "DE")


DEDUCTIONS = (
    "  - {clause: territory_deduction, rate: 10%, when: {territory: {include: [WORLD], exclude: [US]}}}\n",
    "  - {clause: territory_deduction, rate: 33%, when: {territory: JP}}\n",
)


def test_of_territory_deductions_the_most_specific_wins_in_whatever_order_they_are_written() -> None:
    """D-248. Ana has half of what is left of 100: nothing is deducted in the US, a third in Japan, a tenth elsewhere and where nobody says where."""
    for order in permutations(DEDUCTIONS):
        terms = "".join(("  - {clause: master_share, rate: 50%, to: P-A}\n", *order))
        shares = [
            paid(contract(terms).split(usage(territory=territory), Decimal(100)))["P-A"]
            for territory in ("US", "JP", "DE", "PR", NOWHERE)
        ]
        assert shares == [Decimal(50), Decimal("33.5"), Decimal(45), Decimal(45), Decimal(45)]


def test_a_group_of_the_books_own_is_its_countries_and_one_of_them_outranks_it() -> None:
    """D-246, D-248: a custom grouping."""
    terms = (
        "  - {clause: master_share, rate: 10%, to: P-A}\n  - {clause: master_share, rate: 20%, to: P-A, when: {territory: FAR}}\n"
        "  - {clause: master_share, rate: 30%, to: P-A, when: {territory: JP}}\n"
    )
    book = book_of(
        {"book.yaml": "book: Kitetail\ngroups:\n  territory: {FAR: [JP, AU, BR]}\n", "c.yaml": f"{HEAD}terms:\n{terms}"}
    )
    (one,) = book.contracts
    shares = [paid(one.split(usage(territory=territory), Decimal(100)))["P-A"] for territory in ("DE", "AU", "BR", "JP")]
    assert shares == [10, 20, 20, 30]
