"""Contract books for tests: one written by hand in a few lines, and random ones that the linter accepts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Part, Usage
from lakehouse.model.contracts import Contract
from lakehouse.model.lint import read_book
from lakehouse.model.money import from_units

HEAD = """\
contract: C-1
version: "1"
effective: {from: 2026-01}
label: P-LABEL
parties: {P-LABEL: {name: Kitetail}, P-A: {name: Ana}, P-B: {name: Ben}, P-C: {name: Celia}, P-D: {name: Dele}, P-E: {name: Eva}}
covers: {artists: [Mira Okoye]}
"""
PARTIES = tuple(f"P-{number}" for number in range(8))
TERRITORIES, CHANNELS = ("CA", "DE", "US"), ("Spotify", "YouTube")

amounts = st.integers(-(10**30), 10**30).map(from_units)


def contract(terms: str, head: str = HEAD) -> Contract:
    """The contract with these terms, and a tree below them if there is one. Fails on any finding."""
    book = book_of({"contract.yaml": f"{head}terms:\n{terms}"})
    return book.contracts[0]


def book_of(documents: dict[str, str]) -> ContractBook:
    book, findings = read_book(documents)
    assert not findings, [str(finding) for finding in findings]
    return book


def usage(**dimensions: str) -> Usage:
    plain = {
        "recording": "R-1", "territory": "DE", "channel": "Spotify", "configuration": "stream", "price_category": None,
        "source": "believe", "usage_period": "2026-03",
    }  # fmt: skip
    return Usage(**{**plain, **dimensions})  # type: ignore[arg-type]


def paid(parts: tuple[Part, ...], category: str | None = None) -> dict[str, Decimal]:
    """What each party gets in all."""
    totals: dict[str, Decimal] = {}
    for part in parts:
        if category in (None, part.category):
            totals[part.party] = totals.get(part.party, Decimal(0)) + part.stream.amount
    return totals


usages = st.builds(
    usage, territory=st.sampled_from([*TERRITORIES, "FR"]), channel=st.sampled_from([*CHANNELS, "Deezer"]),
    usage_period=st.sampled_from(["2026-01", "2026-03", "2027-01"]),
)  # fmt: skip
rates = st.fractions(0, 1, max_denominator=10**4)


def _some(values: tuple[str, ...]) -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


@st.composite
def _conditions(draw: st.DrawFn) -> dict[str, Any]:
    drawn = {"territory": draw(_some(TERRITORIES)), "channel": draw(_some(CHANNELS))}
    return {name: value for name, value in drawn.items() if value is not None}


@st.composite
def _shares(draw: st.DrawFn, parties: tuple[str, ...], whole: bool) -> dict[str, Fraction]:
    """Shares of some of the parties, which make a whole or less."""
    chosen = draw(st.lists(st.sampled_from(parties), min_size=1, max_size=4, unique=True))
    weights = [draw(st.integers(1, 100)) for _ in chosen]
    spare = 0 if whole else draw(st.integers(0, 100))
    return {party: Fraction(weight, sum(weights) + spare) for party, weight in zip(chosen, weights, strict=True)}


@st.composite
def _terms(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Terms with any conditions; of those of one clause no two are equally specific."""
    terms: dict[tuple[str, tuple[int, ...]], dict[str, Any]] = {}
    # The general master share is the one that points can always be taken from.
    master = draw(st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=1000))
    for clause in draw(st.lists(st.sampled_from(["distribution_fee", "territory_deduction", "publishing_share"]), max_size=6)):
        when = draw(_conditions())
        term = {"clause": clause, "rate": draw(rates), "when": when}
        if clause == "distribution_fee":
            term["to"] = draw(st.sampled_from(PARTIES))
        if clause == "publishing_share":
            term["to"] = draw(_shares(PARTIES, whole=True))
        terms[clause, _specificity(when)] = term
    found = [*terms.values(), {"clause": "master_share", "rate": master, "to": draw(st.sampled_from(PARTIES))}]
    if draw(st.booleans()):
        source = draw(st.sampled_from(["artist", "label"]))
        points = draw(rates) * (master if source == "artist" else 1 - master)
        found.append({"clause": "producer_points", "points": points, "to": draw(st.sampled_from(PARTIES)), "from": source})
    return draw(st.permutations(found))


def _specificity(when: dict[str, Any]) -> tuple[int, ...]:
    return tuple(0 if name not in when else 2 if len(when[name]) == 1 else 1 for name in ("territory", "channel"))


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Any contract with a tree in which shares only go to later parties, so that it has no circle."""
    tree = {
        party: draw(_shares(PARTIES[place + 1 :], whole=draw(st.booleans())))
        for place, party in enumerate(PARTIES[:-1])
        if draw(st.booleans())
    }
    return Contract.model_validate(
        {
            "contract": "C-1", "version": "1", "effective": {"from": "2026-01"}, "label": "P-LABEL",
            "parties": {party: {"name": party} for party in ("P-LABEL", *PARTIES)},
            "covers": {"artists": ["Mira Okoye"]}, "terms": draw(_terms()), "tree": tree,
        }
    )  # fmt: skip
