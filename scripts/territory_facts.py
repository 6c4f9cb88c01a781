"""Writes lakehouse/model/territory_facts.py anew: the currency of each country by ISO 4217, its official languages by Unicode CLDR.

    uv run --with babel scripts/territory_facts.py

Babel brings CLDR and is needed for this alone; `iso4217` is the list that the lakehouse reads currencies by anyway, and renews itself more often. Where
CLDR names several legal tenders, the one that is the country's own by its code stands for it; where ISO 4217 knows better than CLDR, it counts.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import pycountry
from iso4217 import Currency

from lakehouse.model.territories import NOWHERE, alpha2_codes

FILE = Path(__file__).parents[1] / "lakehouse" / "model" / "territory_facts.py"
# Names of ISO 4217 that are told apart by what they have in brackets, or that ISO 3166 writes otherwise.
_NAMES = {
    "KOREA (THE REPUBLIC OF)": "KR", "KOREA (THE DEMOCRATIC PEOPLE’S REPUBLIC OF)": "KP", "CONGO (THE)": "CG",
    "CONGO (THE DEMOCRATIC REPUBLIC OF THE)": "CD", "VIRGIN ISLANDS (BRITISH)": "VG", "VIRGIN ISLANDS (U.S.)": "VI",
    "FALKLAND ISLANDS (THE) [MALVINAS]": "FK", "MICRONESIA (FEDERATED STATES OF)": "FM",
}  # fmt: skip


def by_iso() -> dict[str, set[str]]:
    """alpha-2 code: the currencies whose entry in ISO 4217 names the country."""
    codes = dict(_NAMES)
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name"):
            codes.setdefault(_bare(getattr(country, attribute, "")), country.alpha_2)
    found: dict[str, set[str]] = defaultdict(set)
    for currency in Currency:
        for name in currency.country_names:
            if code := codes.get(name) or codes.get(_bare(name)):
                found[code].add(currency.code)
    return found


def _bare(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    return re.sub(r"[^A-Z]", "", re.sub(r"\(.*?\)", "", plain))


def main() -> None:
    from babel.core import get_cldr_version  # type: ignore[import-not-found]
    from babel.languages import get_official_languages  # type: ignore[import-not-found]
    from babel.numbers import get_territory_currencies  # type: ignore[import-not-found]

    iso, today = by_iso(), datetime.datetime.now(datetime.UTC).date()
    currencies, languages = {}, {}
    for code in sorted(alpha2_codes() - {NOWHERE}):
        tender = get_territory_currencies(code, today, today)
        known = [c for c in tender if c in iso.get(code, tender)] or sorted(iso.get(code, ()))
        if known:
            currencies[code] = next((c for c in known if c.startswith(code)), known[0])
        if spoken := get_official_languages(code, regional=True, de_facto=True):
            languages[code] = " ".join(spoken)
    head = (
        f'"""Currency and official languages of each country. Written by scripts/territory_facts.py from ISO 4217 (iso4217 {version("iso4217")})'
        f'\nand Unicode CLDR {get_cldr_version()}: do not edit.\n"""\n\n# fmt: off\n'
    )
    FILE.write_text(head + _table("CURRENCY", currencies, 10) + "\n" + _table("LANGUAGES", languages, 5), encoding="utf-8")


def _table(name: str, facts: dict[str, str], width: int) -> str:
    rows_of = list(facts.items())
    rows = [
        "    " + " ".join(f'"{code}": "{fact}",' for code, fact in row)
        for row in (rows_of[i : i + width] for i in range(0, len(rows_of), width))
    ]
    return f"{name}: dict[str, str] = {{\n" + "\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    main()
