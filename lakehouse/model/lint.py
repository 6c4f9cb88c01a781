"""What is wrong with a contract book, with file, line and a plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from lakehouse.model.book import ContractBook, peers_of
from lakehouse.model.contracts import Contract, parse_contract
from lakehouse.model.counting import keep_counting
from lakehouse.model.documents import Document, Finding, book_sha256, read_documents
from lakehouse.model.lint_book import RULES_OF_THE_BOOK
from lakehouse.model.lint_catalog import KnownNames, not_in_the_catalog
from lakehouse.model.lint_contract import RULES_OF_A_CONTRACT, unknown_parties
from lakehouse.model.rules import BookRules, Frozen, Parties, Party

PARTIES_FILE = "parties.yaml"
_PARTIES: TypeAdapter[dict[str, Party]] = TypeAdapter(Parties)


class PresetVersion(Frozen):
    """The figures of a preset from a day on."""

    start: str = Field(alias="from")
    shares: dict[str, str] | None = None
    rates: str | None = None


class Preset(Frozen):
    """Dated figures of the law, as a document of a book."""

    preset: str
    kind: Literal["split", "mechanical"]
    source: str
    title: str = ""
    known_to: str | None = Field(None, description="last day for which the figures are known")
    versions: tuple[PresetVersion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_its_figures(self) -> Preset:
        field = "shares" if self.kind == "split" else "rates"
        if any(getattr(version, field) is None for version in self.versions):
            raise ValueError(f"every version of a preset of kind {self.kind} has `{field}`")
        return self


def read_book(documents: Mapping[str, str], known: KnownNames | None = None) -> tuple[ContractBook, list[Finding]]:
    """The book in `documents` (path: YAML text) and every finding. A book with an `error` among them must not be loaded.

    With what a catalog has (`known`), names that a contract uses and the catalog does not have are findings too.
    """
    findings: list[Finding] = []
    by_kind: dict[str, list[Document]] = {"parties": [], "preset": [], "rules": [], "contract": []}
    for file, text in sorted(documents.items()):
        for document in read_documents(text, file):
            if isinstance(document, Finding):
                findings.append(document)
            else:
                by_kind[_kind(document)].append(document)
    presets = _presets(by_kind["preset"], findings)
    rules, rules_document = _rules(by_kind["rules"], findings)
    parties = _parties(by_kind["parties"], findings)
    parties.update(rules.parties)
    context = {"groups": rules.groups, "presets": presets}
    entries: list[tuple[Document, Contract]] = []
    for document in by_kind["contract"]:
        try:
            entries.append((document, parse_contract(document, context)))
        except ValidationError as error:
            findings += document.findings_of(error)
    for _, contract in entries:
        parties.update(contract.parties)
    contracts = tuple(keep_counting([contract for _, contract in entries]))
    entries = [(document, contract) for (document, _), contract in zip(entries, contracts, strict=True)]
    peers = peers_of(contracts)
    for document, contract in entries:
        contract.bound(rules, peers)
        for rule in RULES_OF_A_CONTRACT:
            findings += rule(document, contract)
        findings += unknown_parties(document, contract, parties)
        findings += not_in_the_catalog(document, contract, known) if known else ()
    for book_rule in RULES_OF_THE_BOOK:
        findings += book_rule(entries, rules, rules_document, parties)
    book = ContractBook(contracts, parties, book_sha256(documents), rules)
    return book, sorted(findings, key=lambda f: (f.file, f.line, f.rule, f.message))


def _kind(document: Document) -> str:
    """What a document is: by its file's name, else by the keys that only such a document has."""
    keys = set(document.data) if isinstance(document.data, dict) else set()
    if document.file.rsplit("/", 1)[-1] == PARTIES_FILE:
        return "parties"
    if "preset" in keys:
        return "preset"
    if keys and "contract" not in keys and keys <= set(BookRules.model_fields):
        return "rules"
    return "contract"


def _presets(documents: list[Document], findings: list[Finding]) -> dict[str, Any]:
    presets: dict[str, Any] = {}
    for document in documents:
        try:
            preset = Preset.model_validate(document.data)
        except ValidationError as error:
            findings += document.findings_of(error)
            continue
        versions = [version.model_dump(by_alias=True, exclude_none=True) for version in preset.versions]
        presets[preset.preset] = {"kind": preset.kind, "versions": versions, "known_to": preset.known_to}
    return presets


def _rules(documents: list[Document], findings: list[Finding]) -> tuple[BookRules, Document | None]:
    rules, found = BookRules(), None
    for document in documents:
        if found is not None:
            findings.append(document.finding((), "duplicate", f"the rules of the book are written in {found.file} too"))
            continue
        groups = document.data.get("groups") if isinstance(document.data.get("groups"), dict) else {}
        try:
            rules, found = BookRules.model_validate(document.data, context={"groups": groups}), document
        except ValidationError as error:
            findings += document.findings_of(error)
    return rules, found


def _parties(documents: list[Document], findings: list[Finding]) -> dict[str, Party]:
    parties: dict[str, Party] = {}
    for document in documents:
        try:
            parties.update(_PARTIES.validate_python(document.data or {}))
        except ValidationError as error:
            findings += document.findings_of(error)
    return parties
