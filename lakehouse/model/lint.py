"""What is wrong with a contract book, with file, line and a plain sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from pydantic import TypeAdapter, ValidationError

from lakehouse.model.contracts import Contract, ContractBook, Party, book_sha256, parse_contract
from lakehouse.model.documents import Document, Finding, Path, read_document

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
        findings += [*_parties(document, contract, parties), *_tree(document, contract), *_terms(document, contract)]
    findings += _overlaps(entries)
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
        total = sum(shares.values())
        if total > 1:
            yield document.finding(("tree", party), "shares", f"the shares under {party} add up to {total * 100}%, more than 100%")
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
            message = f"terms {i + 1} and {j + 1} ({one.clause}) are equally specific and can both apply: nothing decides between them"
            yield document.finding(("terms", j), "equal-specificity", message)
    master = [term.rate for term in contract.terms if term.clause == "master_share"]
    for i, term in enumerate(contract.terms):
        if term.clause != "producer_points":
            continue
        available = [rate if term.source == "artist" else 1 - rate for rate in master]
        if not available:
            yield document.finding(("terms", i), "points", "producer_points need a master_share to be taken from")
        elif term.points > min(available):
            message = f"{term.points * 100}% points are more than the {term.source}'s {min(available) * 100}% of the master"
            yield document.finding(("terms", i), "points", message)


def _overlaps(entries: list[_Entry]) -> Iterator[Finding]:
    for (_, one), (document, two) in combinations(entries, 2):
        if not one.effective.overlaps(two.effective):
            continue
        for kind in ("recordings", "artists", "labels"):
            for key in sorted({*getattr(one.covers, kind)} & {*getattr(two.covers, kind)}):
                message = f"{key} is covered by {one.contract} v{one.version} and {two.contract} v{two.version} at the same time"
                yield document.finding(("covers", kind), "overlap", message)
