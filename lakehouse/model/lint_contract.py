"""The rules that one contract must keep by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import combinations

from lakehouse.model.clauses import PointsClause, RoyaltyClause, Withholding
from lakehouse.model.clauses.base import Clause
from lakehouse.model.clauses.mechanical import Mechanical
from lakehouse.model.clauses.publishing_share import PublishingShare
from lakehouse.model.contracts import Contract
from lakehouse.model.documents import Document, Finding, Path
from lakehouse.model.money import write_rate
from lakehouse.model.period import next_period
from lakehouse.model.places import countries_of
from lakehouse.model.rules import Party
from lakehouse.model.vocabulary import CONFIGURATIONS

_LAST = "9999-12"
# Stages that take from the royalty need it to be there; those before it take from the receipts.
_AFTER_THE_RATE = ("deduction_after", "reserve", "producer_points", "participation")
_BEFORE_THE_RATE = (
    "fixed_fee", "distribution_fee", "importer_fee", "sub_publisher_fee", "base", "packaging", "free_goods", "territory_deduction",
    "deduction", "publishing_share", "base_reserve",
)  # fmt: skip


def unknown_parties(document: Document, contract: Contract, known: Mapping[str, Party]) -> Iterator[Finding]:
    named: list[tuple[Path, str]] = [(("label",), contract.label)]
    named += [(("terms", i), party) for i, term in enumerate(contract.terms) for party in term.parties()]
    named += [(("tree", over), party) for over, shares in contract.tree.items() for party in (over, *shares)]
    for path, party in named:
        if party not in known:
            yield document.finding(path, "unknown-party", f"{party} is not a party: add it under `parties` or in parties.yaml")


def _tree(document: Document, contract: Contract) -> Iterator[Finding]:
    for party, shares in contract.tree.items():
        total = sum(shares.values(), Fraction(0))
        if total > 1:
            message = f"the shares under {party} add up to {write_rate(total)}, more than 100%"
            yield document.finding(("tree", party), "shares", message)
    if cycle := _cycle(contract.tree):
        yield document.finding(("tree", cycle[0]), "cycle", f"the tree runs in a circle: {' - '.join(cycle)}")


def _cycle(tree: Mapping[str, Mapping[str, object]]) -> list[str] | None:
    """The first circle in the tree, if any. A party reached on two ways (a diamond) is none."""
    done: set[str] = set()

    def visit(party: str, way: list[str]) -> list[str] | None:
        if party in way:
            return [*way[way.index(party) :], party]
        if party in done:
            return None
        for child in sorted(tree.get(party, ())):
            if found := visit(child, [*way, party]):
                return found
        done.add(party)
        return None

    return next((found for party in sorted(tree) if (found := visit(party, []))), None)


def _terms(document: Document, contract: Contract) -> Iterator[Finding]:
    for (i, one), (j, two) in combinations(enumerate(contract.terms), 2):
        same = one.clause == two.clause and one.name == two.name and contract.specificity(one) == contract.specificity(two)
        if same and one.when.overlaps(two.when) and not _about_others(one, two):
            both = f"terms {i + 1} and {j + 1} ({one.clause})"
            message = f"{both} are equally specific and can both apply: nothing decides between them"
            yield document.finding(("terms", j), "equal-specificity", message)


def _about_others(one: Clause, two: Clause) -> bool:
    """Whether two terms can be told apart by something other than usage: taxes by payee, grants and guarantees by being several."""
    if isinstance(one, Withholding) and isinstance(two, Withholding):
        ranks = [(bool(t.payees), bool(t.country), bool(t.payee_kind)) for t in (one, two)]
        apart = (set(one.payees) - set(two.payees), set(one.country) - set(two.country), one.payee_kind != two.payee_kind)
        return ranks[0] != ranks[1] or any(apart)
    return one.kind() == "minimum_guarantee" or (
        one.kind() == "advance" and any(getattr(t, "amount", None) is not None for t in (one, two))
    )


def _dates(document: Document, contract: Contract) -> Iterator[Finding]:
    effective = contract.effective
    spans: list[tuple[Path, str, str | None]] = [(("effective",), effective.start[:7], effective.end and effective.end[:7])]
    spans += [(("terms", i), term.when.from_period or "", term.when.to_period) for i, term in enumerate(contract.terms)]
    for path, start, end in spans:
        if end is not None and end[: len(start)] < start[: len(end)]:
            yield document.finding(path, "dates", f"it ends in {end}, before it starts in {start}: it would never apply")


def _dead(document: Document, contract: Contract) -> Iterator[Finding]:
    """Terms that never apply: outside the contract's months, or always less specific than terms that cover them."""
    first, last = contract.effective.start[:7], (contract.effective.end or _LAST)[:7]
    for i, term in enumerate(contract.terms):
        start, end = (term.when.from_period or "")[:7], (term.when.to_period or _LAST)[:7]
        if start <= end and first <= last and (end < first or start > last):
            yield document.finding(
                ("terms", i), "dead-term", f"the contract is in force from {first} to {last}: the term would never apply"
            )
            continue
        for j, other in enumerate(contract.terms):
            if i == j or (term.clause, term.name) != (other.clause, other.name) or term.kind() == "minimum_guarantee":
                continue
            wider = (other.when.from_period or "") <= (term.when.from_period or "") and (other.when.to_period or _LAST) >= end
            if wider and other.when.covers(term.when) and contract.specificity(other) > contract.specificity(term):
                message = f"term {j + 1} is more specific and covers all that this one is for: it would never apply"
                yield document.finding(("terms", i), "dead-term", message)
                break


def _conditions(document: Document, contract: Contract) -> Iterator[Finding]:
    """Values that no usage line can have, so that the term would silently never apply."""
    for i, term in enumerate(contract.terms):
        for value in (*(term.when.territory or ()), *(term.when.territory_except or ())):
            if not countries_of(value):
                hint = "an ISO 3166-1 alpha-2 code or a territory group" if len(value) > 3 else "an ISO 3166-1 alpha-2 code"
                hint += " (the United Kingdom is GB)" if value == "UK" else ""
                yield document.finding(("terms", i), "territory", f"{value!r} is not {hint}: the term would never apply")
        if term.when.territory is not None and not term.when.wanted["territory"]:
            yield document.finding(("terms", i), "territory", "nothing is left of the territories: the term would never apply")
        for value in term.when.configuration or ():
            if value not in CONFIGURATIONS:
                # A table that the book is tried on may say more than reports do.
                message = f"reports in a lake say {', '.join(CONFIGURATIONS)}: a term on {value!r} would not apply to any"
                yield document.finding(("terms", i), "configuration", message, "warn")


def _points(document: Document, contract: Contract) -> Iterator[Finding]:
    """Points need a royalty to be taken from, in every month and for all usage, that is large enough."""
    shares: list[RoyaltyClause] = [term for term in contract.terms if isinstance(term, RoyaltyClause)]
    for i, term in enumerate(contract.terms):
        if not isinstance(term, PointsClause):
            continue
        if month := _month_without_master(term, shares, contract):
            message = f"in {month} there is no master_share for all the usage that these {term.kind()} apply to"
            yield document.finding(("terms", i), "points", message)
            continue
        rates = [share.rate for share in shares if share.rate is not None and share.when.overlaps(term.when)]
        if term.points is None or not rates:
            continue
        available = min(rate if term.source == "artist" else 1 - rate for rate in rates)
        asked = _together(term, contract)
        if asked > available:
            message = f"{write_rate(asked)} points are more than the {term.source}'s {write_rate(available)} of the master"
            yield document.finding(("terms", i), "points", message)


def _together(term: PointsClause, contract: Contract) -> Fraction:
    """The points of a term with those of others, of another name or clause, that reduce the same part for all the same usage."""
    others = (
        other
        for other in contract.terms
        if isinstance(other, PointsClause)
        and (other.kind(), other.name) != (term.kind(), term.name)
        and other.source == term.source
        and other.when.covers(term.when)
    )
    return term.prorated + sum((other.prorated for other in others), Fraction(0))


def _month_without_master(points: PointsClause, shares: list[RoyaltyClause], contract: Contract) -> str | None:
    """The first month in which the points apply and no one royalty covers all their usage."""
    month = max((points.when.from_period or "")[:7], contract.effective.start[:7])
    last = min((points.when.to_period or _LAST)[:7], (contract.effective.end or _LAST)[:7])
    while month <= last:
        wide = [share.when for share in shares if share.when.covers(points.when) and (share.when.from_period or "")[:7] <= month]
        reach = max(((when.to_period or _LAST)[:7] for when in wide), default="")
        if reach < month:
            return month
        if reach >= last:
            return None
        month = next_period(reach)
    return None


def _order(document: Document, contract: Contract) -> Iterator[Finding]:
    """Stages that stand where nothing is there for them to take from."""
    stages = contract.stages
    rate = stages.index("rate")
    used = {stage for term in contract.terms if (stage := term.stage())} | (
        {"base"} if any(isinstance(t, RoyaltyClause) for t in contract.terms) else set()
    )
    for stage in sorted(used & ({*_AFTER_THE_RATE, *_BEFORE_THE_RATE})):
        place = stages.index(stage)
        if (stage in _AFTER_THE_RATE) != (place > rate):
            where = "after" if stage in _AFTER_THE_RATE else "before"
            yield document.finding(
                ("order",),
                "order",
                f"{stage} must come {where} rate: it takes from the {'royalty' if where == 'after' else 'receipts'}",
            )


def _one_rate(document: Document, contract: Contract) -> Iterator[Finding]:
    """Clauses that each divide the whole of the same receipts."""
    rated = [(i, t) for i, t in enumerate(contract.terms) if t.stage() == "rate"]
    for (_, one), (j, two) in combinations(rated, 2):
        if (one.clause, one.name) != (two.clause, two.name) and one.when.overlaps(two.when):
            message = f"{two.clause} and {one.clause} would both divide the same receipts: part them by `when`, or use points for the second"
            yield document.finding(("terms", j), "one-rate", message)


def _works(document: Document, contract: Contract) -> Iterator[Finding]:
    """On the strength of a work only its publishing is paid, never the master."""
    for i, term in enumerate(contract.terms):
        if contract.covers.works and term.stage() is not None and not isinstance(term, (PublishingShare, Mechanical)):
            message = f"a contract for works pays what is owed on the work: {term.clause} is about the recording"
            yield document.finding(("terms", i), "works", message)
    if contract.covers.works and contract.tree:
        yield document.finding(
            ("tree",), "works", "a contract for works names its writers and publishers in its terms: it has no tree"
        )


RULES_OF_A_CONTRACT = (_works, _tree, _dates, _dead, _conditions, _terms, _points, _order, _one_rate)
