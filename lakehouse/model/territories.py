"""Territories: ISO 3166-1 alpha-2, `XK` (Kosovo, which ISO has not assigned and stores report), and `ZZ` for none given."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache

NOWHERE = "ZZ"

# Names under which stores report a country, besides those of ISO 3166.
_STORE_NAMES = {
    "bolivia": "BO", "british virgin islands": "VG", "brunei": "BN", "burma": "MM", "cape verde": "CV", "czech republic": "CZ",
    "democratic republic of the congo": "CD", "east timor": "TL", "great britain": "GB", "hong kong": "HK", "hong kong sar": "HK",
    "ivory coast": "CI", "kosovo": "XK", "laos": "LA", "macau": "MO", "macedonia": "MK", "micronesia": "FM", "moldova": "MD",
    "palestine": "PS", "palestinian territories": "PS", "republic of the congo": "CG", "russia": "RU", "south korea": "KR",
    "korea, republic of": "KR", "swaziland": "SZ", "taiwan": "TW", "tanzania": "TZ", "the bahamas": "BS", "the gambia": "GM",
    "the netherlands": "NL", "turkey": "TR", "turkiye": "TR", "turks and caicos": "TC", "u.k.": "GB", "u.s. virgin islands": "VI",
    "u.s.a.": "US", "uk": "GB", "us virgin islands": "VI", "usa": "US", "united states of america": "US", "vatican": "VA",
    "vatican city": "VA", "venezuela": "VE", "vietnam": "VN", "worldwide": NOWHERE,
}  # fmt: skip


@cache
def alpha2_codes() -> frozenset[str]:
    """Every code a usage line may carry."""
    import pycountry

    return frozenset({country.alpha_2 for country in pycountry.countries} | {"XK", NOWHERE})


def name_of(code: str) -> str:
    """The country's name by ISO 3166-1. Raises KeyError for what is no code of a country."""
    import pycountry

    if code == "XK":
        return "Kosovo"
    found = pycountry.countries.get(alpha_2=code)
    if found is None:
        raise KeyError(code)
    return str(getattr(found, "common_name", found.name))


@cache
def spellings(form: str) -> dict[str, str]:
    """Spelling in lower case: alpha-2 code, for one form: `alpha2`, `alpha3` or `name`."""
    import pycountry

    if form == "alpha2":
        return {code.lower(): code for code in sorted(alpha2_codes())}
    if form == "alpha3":
        return {**{country.alpha_3.lower(): country.alpha_2 for country in pycountry.countries}, "xkx": "XK"}
    names = {}
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name"):
            if name := getattr(country, attribute, None):
                names[name.lower()] = country.alpha_2
    names |= _STORE_NAMES
    return {**{written: code for name, code in names.items() for written in _also_written(name)}, **names}


def _also_written(name: str) -> Iterator[str]:
    """The same name without its accents, with `&`, and with `st.`."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    for form in (plain, plain.replace("saint ", "st. "), plain.replace("saint ", "st ")):
        yield from (form, form.replace(" and ", " & "))
