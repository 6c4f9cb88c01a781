"""The rules that the contracts of a book must keep together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from iso4217 import Currency

from lakehouse.model.clauses import Advance, FixedFee, MinimumGuarantee, RoyaltyClause
from lakehouse.model.contracts import Contract
from lakehouse.model.covers import COVERED
from lakehouse.model.documents import Document, Finding, Path
from lakehouse.model.rules import BookRules, Party

Entries = Sequence[tuple[Document, Contract]]


def _overlaps(entries: Entries, rules: BookRules, document: Document | None, parties: Mapping[str, Party]) -> Iterator[Finding]:
    """Contracts that cover one thing at one time. Those that name it are few, however many contracts there are."""
    covering: dict[tuple[str, str], list[tuple[Document, Contract]]] = {}
    for entry in entries:
        named = [(kind, key) for kind in (*COVERED, "unmatched") for key in sorted({*getattr(entry[1].covers, kind)})]
        for thing in (*named, *([("", "")] if entry[1].covers.everything else [])):
            covering.setdefault(thing, []).append(entry)
    for (kind, key), alike in covering.items():
        for (_, one), (written, two) in combinations(alike, 2):
            if one.effective.overlaps(two.effective):
                both = f"by {one.contract} v{one.version} and {two.contract} v{two.version} at the same time"
                path: Path = ("covers", kind) if kind else ("covers",)
                yield written.finding(path, "overlap", f"{key or 'what no other contract covers'} is covered {both}")


def _names(entries: Entries, rules: BookRules, document: Document | None, parties: Mapping[str, Party]) -> Iterator[Finding]:
    """One id is one thing: a version of a contract is written once, a party has one name."""
    versions: dict[tuple[str, str], str] = {}
    names: dict[str, tuple[str, str]] = {}
    for written, contract in entries:
        key = (contract.contract, contract.version)
        if key in versions:
            yield written.finding(
                ("contract",), "duplicate", f"{contract.contract} v{contract.version} is written in {versions[key]} too"
            )
        versions.setdefault(key, written.file)
        for party, entry in contract.parties.items():
            name, file = names.setdefault(party, (entry.name, written.file))
            if name != entry.name:
                message = f"{party} is {entry.name!r} here and {name!r} in {file}"
                yield written.finding(("parties", party), "party-name", message, "warn")


def _cross(entries: Entries, rules: BookRules, document: Document | None, parties: Mapping[str, Party]) -> Iterator[Finding]:
    """Groups of accounts that exist, each account in one of them, all in one currency."""
    if document is None:
        return
    contracts = {contract.contract: contract for _, contract in entries}
    seen: dict[tuple[str, str], int] = {}
    for i, group in enumerate(rules.cross):
        if group.payee not in parties:
            yield document.finding(
                ("cross", i), "unknown-party", f"{group.payee} is not a party: add it under `parties` or in parties.yaml"
            )
        for contract in group.contracts:
            if contract not in contracts:
                yield document.finding(("cross", i), "unknown-contract", f"{contract} is not a contract of this book")
            if (group.payee, contract) in seen:
                message = f"the account of {group.payee} under {contract} is in group {seen[group.payee, contract] + 1} already"
                yield document.finding(("cross", i), "cross", message)
            seen[group.payee, contract] = i
        currencies = sorted({contracts[c].currency or "" for c in group.contracts if c in contracts} - {""})
        if len(currencies) > 1:
            message = f"the accounts are in {' and '.join(currencies)}: accounts that recoup each other need one currency"
            yield document.finding(("cross", i), "currency", message)


def _currencies(entries: Entries, rules: BookRules, document: Document | None, parties: Mapping[str, Party]) -> Iterator[Finding]:
    """Currencies that exist, and one for all the amounts of an account."""
    for written, contract in entries:
        own = contract.currency
        if own and not _is_currency(own):
            yield written.finding(("currency",), "currency", f"{own!r} is not an ISO 4217 currency code")
        for i, term in enumerate(contract.terms):
            other = term.currency if isinstance(term, (Advance, MinimumGuarantee)) else None
            if other and own and other != own:
                message = f"the term is in {other} and the contract in {own}: one account has one currency"
                yield written.finding(("terms", i), "currency", message)
            elif other and not _is_currency(other):
                yield written.finding(("terms", i), "currency", f"{other!r} is not an ISO 4217 currency code")
            granted = isinstance(term, Advance) and term.amount is not None
            if (granted or isinstance(term, MinimumGuarantee)) and not (other or own):
                yield written.finding(
                    ("terms", i), "currency", f"the amount of a {term.kind()} needs a `currency`, here or for the contract"
                )
    for i, fx in enumerate(rules.fx):
        for code in (fx.origin, fx.to):
            if document and not _is_currency(code):
                yield document.finding(("fx", i), "currency", f"{code!r} is not an ISO 4217 currency code")


def _is_currency(code: str) -> bool:
    try:
        Currency(code)
    except ValueError:
        return False
    return True


def _classes(entries: Entries, rules: BookRules, document: Document | None, parties: Mapping[str, Party]) -> Iterator[Finding]:
    """Most favoured nations: a class has more than one member, and all of them measure the same."""
    members: dict[str, list[tuple[Document, Path, str]]] = {}
    for written, contract in entries:
        for i, term in enumerate(contract.terms):
            if isinstance(term, (RoyaltyClause, FixedFee)) and term.mfn:
                figure = next(f for f in ("rate", "unit_rate", "amount") if getattr(term, f, None) is not None)
                members.setdefault(term.mfn, []).append((written, ("terms", i), figure))
    for name, terms in sorted(members.items()):
        written, path, figure = terms[-1]
        if len(terms) == 1:
            yield written.finding(
                path, "mfn", f"the class {name} has no other member: there is nobody to be as favoured as", "warn"
            )
        elif len({figure for _, _, figure in terms}) > 1:
            yield written.finding(
                path, "mfn", f"the class {name} compares a {figure} with a {terms[0][2]}: its terms must measure the same"
            )


RULES_OF_THE_BOOK = (_overlaps, _names, _cross, _currencies, _classes)
