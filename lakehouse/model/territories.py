"""Territories: ISO 3166-1 alpha-2, `XK` (Kosovo, which ISO has not assigned and stores report), and `ZZ` for none given."""

from __future__ import annotations

from functools import cache

NOWHERE = "ZZ"

# Names under which stores report a country, besides those of ISO 3166.
_STORE_NAMES = {
    "bolivia": "BO", "brunei": "BN", "cape verde": "CV", "czech republic": "CZ", "hong kong": "HK", "ivory coast": "CI",
    "kosovo": "XK", "laos": "LA", "macau": "MO", "moldova": "MD", "russia": "RU", "south korea": "KR", "korea, republic of": "KR",
    "swaziland": "SZ", "taiwan": "TW", "tanzania": "TZ", "turkey": "TR", "turkiye": "TR", "uk": "GB", "usa": "US",
    "united states of america": "US", "venezuela": "VE", "vietnam": "VN", "worldwide": NOWHERE,
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
    return {**names, **_STORE_NAMES}
