"""Where a term applies: countries, the groups of the CISAC Territory Information System, and groups of a book's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from lakehouse.model.territories import alpha2_codes, name_of
from lakehouse.model.territory_facts import CURRENCY, LANGUAGES
from lakehouse.model.tis import ALIASES, BESIDE, GROUPS, ROLL_UP, WORLD


@cache
def countries_of(name: str) -> frozenset[str]:
    """The alpha-2 codes that a name stands for, with those that TIS counts among them; none where the name is unknown.

    A name is an ISO 3166-1 alpha-2 code, a TIS group's numeric code or its name (`2120`, `EUROPE`), or one of its short names (`EU`).
    The world holds every code, `ZZ` (no territory given) too.
    """
    if name in alpha2_codes():
        return frozenset({name})
    key = name.upper()
    code = ALIASES.get(key) or _code_of_name().get(key) or key
    if code == WORLD:
        return alpha2_codes()
    if code not in GROUPS:
        return frozenset()
    members = set(GROUPS[code][1].split())
    beside = {country for country, groups in BESIDE.items() if code in groups}
    return frozenset(members | beside | {dependent for dependent, country in ROLL_UP.items() if country in members})


def is_group(name: str) -> bool:
    """Whether a name stands for more than the one country of an ISO code."""
    return name not in alpha2_codes() and bool(countries_of(name))


def rolled_up(territory: str) -> str:
    """The territory that TIS counts a usage to: dependent territories belong to their country."""
    return ROLL_UP.get(territory, territory)


@dataclass(frozen=True, slots=True)
class Country:
    """What holds in a country: its currency (ISO 4217; None where it has none of its own or of another), its official languages as CLDR
    writes them, the main one first, and the groups of TIS that it belongs to."""

    code: str
    name: str
    currency: str | None
    languages: tuple[str, ...]
    groups: tuple[str, ...]


@cache
def country(code: str) -> Country:
    """The country with an ISO 3166-1 alpha-2 code. Raises KeyError for what is none."""
    groups = sorted(name for name, _ in GROUPS.values() if code in countries_of(name))
    return Country(code, name_of(code), CURRENCY.get(code), tuple(LANGUAGES.get(code, "").split()), tuple(groups))


@cache
def _code_of_name() -> dict[str, str]:
    return {name: code for code, (name, _) in GROUPS.items()}
