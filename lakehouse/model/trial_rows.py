"""The table that a contract book is tried on: its columns, their defaults, and what is wrong with its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from iso4217 import Currency

from lakehouse.model.accounts import EVENTS, Event
from lakehouse.model.book import ContractBook
from lakehouse.model.bookings import contract_of, main_payee
from lakehouse.model.clauses import Usage
from lakehouse.model.documents import Finding
from lakehouse.model.identifiers import padded_upc, plain_isrc
from lakehouse.model.money import parse_amount
from lakehouse.model.period import DAY, PERIOD
from lakehouse.model.places import countries_of
from lakehouse.model.territories import NOWHERE, spellings

# Columns of usage as a report has them, of events, and those that a catalog would add.
USAGE_COLUMNS = (
    "line_id", "period", "usage_period", "sale_date", "source", "channel", "configuration", "territory", "isrc", "upc", "title",
    "artist", "units", "amount", "currency", "gross", "ppd", "retail", "price_category",
)  # fmt: skip
EVENT_COLUMNS = ("event", "contract", "payee", "cost_type", "note")
CATALOG_COLUMNS = ("label", "release_type", "catalog_group", "subscriber")
COLUMNS = (*USAGE_COLUMNS, *EVENT_COLUMNS, *CATALOG_COLUMNS)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A line of usage with its money."""

    line_id: str
    period: str
    amount: Decimal
    currency: str
    artist: str
    label: str | None
    subscriber: str
    usage: Usage


class Refused(Exception):
    """A cell that cannot be read, and what to do about it."""


def read_rows(
    file: str, columns: Sequence[str], rows: Iterable[tuple[int, Row]], book: ContractBook
) -> tuple[list[UsageRow], list[Event], list[Finding]]:
    """Usage lines, events and findings of a table: `rows` are (line number, cell by column). With findings it must not be used."""
    findings = [_unknown(file, name) for name in columns if name not in COLUMNS]
    findings += [
        Finding(file, 1, "column", "error", f"{name!r} is the name of {columns.count(name)} columns")
        for name in sorted({name for name in columns if columns.count(name) > 1})
    ]
    usage: list[UsageRow] = []
    events: list[Event] = []
    seen: dict[str, int] = {}
    for number, row in rows:
        cells = {name: cell.strip() for name, cell in row.items() if name and cell and cell.strip()}
        line_id = cells.get("line_id", str(number))
        if line_id in seen:
            findings.append(Finding(file, number, "line_id", "error", f"line_id {line_id!r} is on line {seen[line_id]} too"))
        seen.setdefault(line_id, number)
        try:
            if cells.get("event", "usage").lower() in ("return", "usage"):
                usage.append(_usage(line_id, cells, book))
            else:
                events.append(_event(line_id, cells, book))
        except Refused as refused:
            findings.append(Finding(file, number, "row", "error", str(refused)))
    return usage, events, findings


def _unknown(file: str, name: str) -> Finding:
    return Finding(file, 1, "column", "error", f"{name!r} is not a column: there is {', '.join(COLUMNS)}")


def _usage(line_id: str, cells: Row, book: ContractBook) -> UsageRow:
    period, usage_period, sale_date = _dates(cells, book)
    gross = _amount(cells, "gross")
    given = _amount(cells, "amount")
    amount = given if given is not None else gross if gross is not None else Decimal(0)
    units = _amount(cells, "units")
    units = units if units is not None else Decimal(-1 if amount < 0 else 1)
    if cells.get("event", "").lower() == "return":
        # Returned goods may be written as what they are or as what they take away.
        amount, units = -abs(amount), -abs(units)
        gross = None if gross is None else -abs(gross)
    currency = _currency(cells, book)
    usage = Usage(
        recording=plain_isrc(cells.get("isrc")), release=padded_upc(cells.get("upc")) or None, territory=_territory(cells), channel=cells.get("channel", ""),
        configuration=cells.get("configuration", "other"), price_category=cells.get("price_category"), source=cells.get("source", ""),
        usage_period=usage_period, sale_date=sale_date, report_period=period, release_type=cells.get("release_type"),
        catalog_group=cells.get("catalog_group"), currency=currency, units=units, gross=gross, ppd=_amount(cells, "ppd"),
        retail=_amount(cells, "retail"),
    )  # fmt: skip
    return UsageRow(
        line_id, period, amount, currency, cells.get("artist", ""), cells.get("label"), cells.get("subscriber", ""), usage
    )


def _event(line_id: str, cells: Row, book: ContractBook) -> Event:
    kind = cells["event"].lower()
    if kind not in EVENTS:
        raise Refused(f"event: {kind!r} is not one of {', '.join(EVENTS)}")
    period, _, date = _dates(cells, book)
    amount = _amount(cells, "amount")
    if amount is None:
        raise Refused(f"amount: the event {kind} has no amount")
    contract = "" if kind == "adjustment" else _contract(cells, book, period, needed=kind in ("cost", "advance"))
    payee = cells.get("payee", "")
    if payee and payee not in book.parties:
        raise Refused(f"payee: {payee} is not a party of the book")
    if not payee and kind in ("payment", "society_payment"):
        found = contract_of(book, contract, period)
        payee = (main_payee(found) if found else None) or ""
        if not payee:
            raise Refused(f"payee: to whom the {kind} was made is not clear: name the party")
    currency = _currency(cells, book, contract)
    return Event(line_id, period, kind, contract, payee, amount, currency, cells.get("cost_type"), _territory(cells), date)


def _contract(cells: Row, book: ContractBook, period: str, needed: bool) -> str:
    """The contract that an event names, else the one that covers what it names, else the only one of the book."""
    known = {contract.contract for contract in book.contracts}
    if named := cells.get("contract"):
        if named not in known:
            raise Refused(f"contract: {named} is not a contract of the book")
        return named
    if len(known) == 1:
        return next(iter(known))
    if any(cells.get(name) for name in ("isrc", "artist", "label", "upc")):
        found = book.in_force(
            plain_isrc(cells.get("isrc")), cells.get("artist", ""), cells.get("label"), period, padded_upc(cells.get("upc"))
        )
        if found:
            return found.contract
    if needed:
        raise Refused("contract: which contract the event belongs to is not clear: name it")
    return ""


def _dates(cells: Row, book: ContractBook) -> tuple[str, str, str | None]:
    """Statement period, month of use and day of sale; each that is missing is taken from the next that is there."""
    for name, pattern in (("period", PERIOD), ("usage_period", PERIOD), ("sale_date", DAY)):
        if name in cells and not re.fullmatch(pattern, cells[name]):
            raise Refused(f"{name}: {cells[name]!r} is not a {'month, YYYY-MM' if pattern == PERIOD else 'day, YYYY-MM-DD'}")
    sale_date = cells.get("sale_date")
    used = cells.get("usage_period") or (sale_date or "")[:7]
    period = cells.get("period") or used or min((c.effective.start[:7] for c in book.contracts), default="2000-01")
    return period, used or period, sale_date


def _territory(cells: Row) -> str:
    """An ISO 3166-1 alpha-2 code, also where the table has the alpha-3 code or a name; a group of territories as it is."""
    text = cells.get("territory", NOWHERE)
    for form in ("alpha2", "alpha3", "name"):
        if code := spellings(form).get(text.lower()):
            return code
    if not countries_of(text):
        raise Refused(f"territory: {text!r} is neither an ISO 3166-1 code nor the name of a country; ZZ is none given")
    return text


def _amount(cells: Row, name: str) -> Decimal | None:
    if name not in cells:
        return None
    try:
        return parse_amount(cells[name])
    except ValueError as error:
        raise Refused(f"{name}: {error}") from None


def _currency(cells: Row, book: ContractBook, contract: str = "") -> str:
    """The row's currency, else the one that all contracts of the book share, else XXX: no currency, by ISO 4217."""
    contracts = [c for c in book.contracts if not contract or c.contract == contract]
    shared = {c.currency for c in contracts}
    currency = cells.get("currency") or ((shared.pop() if len(shared) == 1 else None) or "XXX")
    try:
        Currency(currency)
    except ValueError:
        raise Refused(f"currency: {currency!r} is not an ISO 4217 currency code") from None
    return currency
