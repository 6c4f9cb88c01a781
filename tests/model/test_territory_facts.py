"""What holds in a country (G4.md D-247): facts of two kept lists, held against each other."""

from __future__ import annotations

import pycountry
import pytest
from iso4217 import Currency

from lakehouse.model.identifiers import currency_codes
from lakehouse.model.places import country
from lakehouse.model.territories import NOWHERE, alpha2_codes
from lakehouse.model.territory_facts import CURRENCY, LANGUAGES


def test_each_country_has_a_currency() -> None:
    """But Antarctica, of which ISO 4217 says that it has none."""
    assert alpha2_codes() - {NOWHERE} - set(CURRENCY) == {"AQ"}
    assert set(CURRENCY) <= alpha2_codes()
    assert set(CURRENCY.values()) <= currency_codes()


def test_the_currency_is_one_that_iso_4217_gives_the_country_today() -> None:
    """A renewed list that moves a country to another currency is seen here: then the facts are written anew."""
    names = {entry.name.upper(): entry.alpha_2 for entry in pycountry.countries}
    named = {name: {c.code for c in Currency if name in c.country_names} for c in Currency for name in c.country_names}
    compared = {names[name]: codes for name, codes in named.items() if name in names}
    assert len(compared) > 180
    assert {code for code, codes in compared.items() if CURRENCY[code] not in codes} == set()
    assert (CURRENCY["BG"], CURRENCY["HR"], CURRENCY["SV"]) == ("EUR", "EUR", "USD")


@pytest.mark.parametrize(
    ("code", "currency", "languages", "group"),
    [
        ("DE", "EUR", "de", "EUROPEAN UNION"), ("CH", "CHF", "de", "GSA COUNTRIES"), ("JP", "JPY", "ja", "ASIA"), ("KW", "KWD", "ar", "MIDDLE EAST"),
        ("BR", "BRL", "pt", "AMERICA"), ("XK", "EUR", "sq", "EUROPE"),
    ],
)  # fmt: skip
def test_a_country_is_told_with_what_holds_in_it(code: str, currency: str, languages: str, group: str) -> None:
    found = country(code)
    assert (found.code, found.currency, found.languages[0]) == (code, currency, languages)
    assert group in found.groups


def test_every_country_where_people_live_has_an_official_language() -> None:
    assert alpha2_codes() - {NOWHERE} - set(LANGUAGES) == {"AQ", "BV", "HM", "TF"}
