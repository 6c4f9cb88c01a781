"""What is wrong with a contract book, with file, line and a plain sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import combinations

from pydantic import TypeAdapter, ValidationError

from lakehouse.model.clauses import MasterShare, ProducerPoints
from lakehouse.model.contracts import Contract, ContractBook, Party, book_sha256, parse_contract
from lakehouse.model.documents import Document, Finding, Path, read_document
from lakehouse.model.money import write_rate
from lakehouse.model.period import next_period
from lakehouse.model.territories import alpha2_codes
from lakehouse.model.vocabulary import CONFIGURATIONS

PARTIES_FILE = "parties.yaml"
_PARTIES = TypeAdapter(dict[str, Party])
_Entry = tuple[Document, Contract]


def read_book(documents: Mapping[str, str]) -> tuple[ContractBook, list[Finding]]:
    """The book in `documents` (path: YAML text) and every finding. A book with an `error` among them must not be loaded."""
    findings: list[Finding] = []
    entries: list[_Entry] = []
    parties: dict[str, Party] = {}
    for file, text in sorted(documents.items()):
        document = read_document(text, file)
        if isinstance(document, Finding):
            findings.append(document)
            continue
        try:
            if file.rsplit("/", 1)[-1] == PARTIES_FILE:
                parties.update(_PARTIES.validate_python(document.data or {}))
            else:
                entries.append((document, parse_contract(document)))
        except ValidationError as error:
            findings += document.findings_of(error)
    for _, contract in entries:
        parties.update(contract.parties)
    for document, contract in entries:
        for rule in (_tree, _dates, _conditions, _terms, _points):
            findings += rule(document, contract)
        findings += _parties(document, contract, parties)
    findings += [*_overlaps(entries), *_names(entries)]
    book = ContractBook(tuple(contract for _, contract in entries), parties, book_sha256(documents))
    return book, sorted(findings, key=lambda f: (f.file, f.line, f.rule, f.message))


def _parties(document: Document, contract: Contract, known: Mapping[str, Party]) -> Iterator[Finding]:
    named: list[tuple[Path, str]] = [(("label",), contract.label)]
    named += [(("terms", i), party) for i, term in enumerate(contract.terms) for party in term.parties()]
    named += [(("tree", over), party) for over, shares in contract.tree.items() for party in (over, *shares)]
    for path, party in named:
        if party not in known:
            yield document.finding(path, "unknown-party", f"{party} is not a party: add it under `parties` or in {PARTIES_FILE}")


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
        same = one.clause == two.clause and one.when.specificity() == two.when.specificity()
        if same and one.when.overlaps(two.when):
            both = f"terms {i + 1} and {j + 1} ({one.clause})"
            message = f"{both} are equally specific and can both apply: nothing decides between them"
            yield document.finding(("terms", j), "equal-specificity", message)


def _dates(document: Document, contract: Contract) -> Iterator[Finding]:
    effective = contract.effective
    spans: list[tuple[Path, str, str | None]] = [(("effective",), effective.start[:7], effective.end and effective.end[:7])]
    spans += [(("terms", i), term.when.from_period or "", term.when.to_period) for i, term in enumerate(contract.terms)]
    for path, start, end in spans:
        if end is not None and end < start:
            yield document.finding(path, "dates", f"it ends in {end}, before it starts in {start}: it would never apply")


def _conditions(document: Document, contract: Contract) -> Iterator[Finding]:
    """Values that no usage line can have, so that the term would silently never apply."""
    for i, term in enumerate(contract.terms):
        for dimension, known in (("territory", alpha2_codes()), ("configuration", frozenset(CONFIGURATIONS))):
            for value in getattr(term.when, dimension) or ():
                if value not in known:
                    hint = "an ISO 3166-1 alpha-2 code" if dimension == "territory" else f"one of {', '.join(CONFIGURATIONS)}"
                    yield document.finding(("terms", i), dimension, f"{value!r} is not {hint}: the term would never apply")


def _points(document: Document, contract: Contract) -> Iterator[Finding]:
    """Producer points need a master to be taken from, in every month and for all usage, that is large enough."""
    shares = [term for term in contract.terms if isinstance(term, MasterShare)]
    for i, term in enumerate(contract.terms):
        if not isinstance(term, ProducerPoints):
            continue
        if month := _month_without_master(term, shares, contract):
            message = f"in {month} there is no master_share for all the usage that these producer_points apply to"
            yield document.finding(("terms", i), "points", message)
            continue
        available = min(share.rate if term.source == "artist" else 1 - share.rate for share in shares)
        if term.points > available:
            message = f"{write_rate(term.points)} points are more than the {term.source}'s {write_rate(available)} of the master"
            yield document.finding(("terms", i), "points", message)


def _month_without_master(points: ProducerPoints, shares: list[MasterShare], contract: Contract) -> str | None:
    """The first month in which the points apply and no one master share covers all their usage."""
    month = max(points.when.from_period or "", contract.effective.start[:7])
    last = min(points.when.to_period or "9999-12", (contract.effective.end or "9999-12")[:7])
    while month <= last:
        wide = [share.when for share in shares if share.when.covers(points.when) and (share.when.from_period or "") <= month]
        reach = max((when.to_period or "9999-12" for when in wide), default="")
        if reach < month:
            return month
        if reach >= last:
            return None
        month = next_period(reach)
    return None


def _overlaps(entries: list[_Entry]) -> Iterator[Finding]:
    for (_, one), (document, two) in combinations(entries, 2):
        if not one.effective.overlaps(two.effective):
            continue
        for kind in ("recordings", "artists", "labels"):
            for key in sorted({*getattr(one.covers, kind)} & {*getattr(two.covers, kind)}):
                message = f"{key} is covered by {one.contract} v{one.version} and {two.contract} v{two.version} at the same time"
                yield document.finding(("covers", kind), "overlap", message)


def _names(entries: list[_Entry]) -> Iterator[Finding]:
    """One id is one thing: a version of a contract is written once, a party has one name."""
    versions: dict[tuple[str, str], str] = {}
    names: dict[str, tuple[str, str]] = {}
    for document, contract in entries:
        first = versions.setdefault((contract.contract, contract.version), document.file)
        if first != document.file:
            message = f"{contract.contract} v{contract.version} is written in {first} too"
            yield document.finding(("contract",), "duplicate", message)
        for party, entry in contract.parties.items():
            name, file = names.setdefault(party, (entry.name, document.file))
            if name != entry.name:
                message = f"{party} is {entry.name!r} here and {name!r} in {file}"
                yield document.finding(("parties", party), "party-name", message, "warn")
