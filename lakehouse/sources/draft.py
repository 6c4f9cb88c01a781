"""A first dialect document for an unknown file, for a person to finish.

What can be seen is written down. What only a person can know is left as `???`: the linter names each, and no file is read by a draft.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import PurePath

from lakehouse.sources.guess import ColumnGuess, TableGuess

OPEN = "???"
# Field: names under which reports are known to have it, best first. Matched whole, then as words inside a longer name.
_NAMES: dict[str, tuple[str, ...]] = {
    "usage_period": ("sale month", "sales period", "usage period", "activity period", "sale period", "month", "period", "reporting month", "date"),
    "channel": ("store", "store name", "dsp", "service", "retailer", "platform", "channel", "digital service provider", "source", "licensee"),
    "configuration": ("sale type", "sales type", "usage type", "configuration", "transaction type", "format", "product type", "type"),
    "territory": ("country of sale", "territory", "country", "country code", "country region", "sales territory"),
    "isrc": ("isrc",),
    "upc": ("upc", "ean", "upc ean", "barcode", "icpn"),
    "title": ("track title", "song title", "track", "title", "track name"),
    "artist": ("track artist", "artist", "artist name", "display artist"),
    "album": ("release title", "album", "album title", "release name", "release", "product title"),
    "label": ("label", "label name"),
    "units": ("quantity", "units", "streams", "count", "sales", "qty", "plays"),
    "amount": ("net revenue", "net total", "net payable", "earnings", "total earned", "royalty", "payable", "net amount", "amount due", "subtotal"),
    "currency": ("currency", "payment currency", "currency code", "reporting currency"),
}  # fmt: skip
_KINDS = {
    "isrc": ("isrc",), "upc": ("upc",), "currency": ("currency",), "territory": ("territory",), "usage_period": ("month", "day"),
    "units": ("count", "amount"), "amount": ("amount", "count"),
}  # fmt: skip
_NEEDED = ("usage_period", "channel", "configuration", "territory", "units", "amount", "currency")
_WHY = {
    "usage_period": "the column that says in which month the music was used or sold",
    "channel": "the column that names the store or service, or {constant: its name}",
    "configuration": "a column with a lookup, or {constant: stream}: one of stream, download, physical, ...",
    "territory": "the column of the country, or {constant: ZZ} where there is none",
    "units": "the column that counts streams or sales, or {constant: \"0\"}",
    "amount": "the column that is payable to the label, net of the sender's share",
    "currency": "the column, or {constant: EUR} where the sender pays in one",
}  # fmt: skip


def dialect_id(name: str) -> str:
    """An id from a file's name: small letters, digits and underscores."""
    stem = PurePath(name).stem.casefold()
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"[0-9]{4}[-_]?[0-9]{2}([-_]?[0-9]{2})?", "", stem)).strip("_") or "my_report"


def draft(table: TableGuess, identity: str) -> tuple[str, list[str]]:
    """The document's text, and what is left open in it, in words."""
    mapped = map_columns(table.columns)
    left = [f"{name}: {_WHY[name]}" for name in _NEEDED if name not in mapped]
    # Two columns may be mistaken for one another, and a wrong one pays wrong money: the amount is always confirmed.
    if "amount" in mapped:
        left.append(f"amount: is {mapped['amount'].name!r} what is payable to the label?")
    if "currency" in mapped:
        left.append(f"currency: is {mapped['currency'].name!r} the currency of that amount?")
    lines = [
        "# A draft: finish what is marked, then `lakehouse sources lint` it. How to: docs/how-to/add-a-dsp.md",
        f"id: {identity}", f"name: {_quoted(identity.replace('_', ' '))}", 'version: "1"',
        f"doc: {_quoted(OPEN + ' Who sends it, what a row is, which rows are no income, and which column is payable.')}",
        f"encodings: [{table.encoding}]", f"delimiter: {_quoted(table.delimiter)}",
        *_listed("preamble", (re.escape(line) for line in table.preamble)), "header:", *_listed("  columns", table.header),
        *_grammar(table.columns, mapped.get("amount")), "map:", *(_mapping(name, mapped) for name in _NAMES if name in mapped or name in _NEEDED),
        *_listed("personal", (column.name for column in table.columns if column.personal)), *_period(mapped), "key: [name]",
    ]  # fmt: skip
    return "\n".join(lines) + "\n", left


def map_columns(columns: Iterable[ColumnGuess]) -> dict[str, ColumnGuess]:
    """Field of a usage line: the column that by its name and its cells looks like it. No column stands for two fields."""
    found: dict[str, ColumnGuess] = {}
    free = [column for column in columns if not column.personal]
    for field, names in _NAMES.items():
        fitting = [column for column in free if column.kind in _KINDS.get(field, (column.kind,))]
        match = _by_name(fitting, names) or (_only(fitting) if field in ("isrc", "upc", "currency", "territory") else None)
        if match:
            found[field] = match
            free.remove(match)
    return found


def _by_name(columns: list[ColumnGuess], names: tuple[str, ...]) -> ColumnGuess | None:
    spelled = {column.place: re.sub(r"[^a-z0-9]+", " ", column.name.casefold()).strip() for column in columns}
    whole = [column for name in names for column in columns if spelled[column.place] == name]
    parts = [column for name in names for column in columns if re.search(rf"\b{re.escape(name)}\b", spelled[column.place])]
    return next(iter(whole or parts), None)


def _only(columns: list[ColumnGuess]) -> ColumnGuess | None:
    return columns[0] if len(columns) == 1 else None


def _mapping(name: str, mapped: dict[str, ColumnGuess]) -> str:
    if name not in mapped:
        return f"  {name}: {_quoted(OPEN)}  # {_WHY[name]}"
    column = _quoted(mapped[name].name)
    if name == "configuration":
        return f"  {name}: {{column: {column}, lookup: {{}}, otherwise: other}}  # its words: stream, download, physical, ..."
    return f"  {name}: {column}" + ("  # is it what is payable to the label, net?" if name == "amount" else "")


def _grammar(columns: tuple[ColumnGuess, ...], amount: ColumnGuess | None) -> list[str]:
    spelled = {(column.kind, column.spelling) for column in columns if column.spelling}
    comma = amount is not None and (amount.spelling or "").startswith("decimal comma")
    days = sorted(spelling for kind, spelling in spelled if kind == "day" and spelling)
    months = sorted(spelling for kind, spelling in spelled if kind == "month" and spelling)
    forms = sorted(spelling for kind, spelling in spelled if kind == "territory" and spelling)
    lines = [
        *(['  decimal: ","'] if comma else []), *_listed("  dates", days), *_listed("  months", months), *_listed("  territories", forms),
        *(["  excel: true"] if any(column.spelling == 'wrapped as ="..."' for column in columns) else []),
    ]  # fmt: skip
    return ["grammar:", *lines] if lines else []


def _period(mapped: dict[str, ColumnGuess]) -> list[str]:
    column = _quoted(mapped["usage_period"].name) if "usage_period" in mapped else _quoted(OPEN)
    return [
        f"period: {{column: {column}}}  # the latest month in it is the statement month; a reporting month is better, where there is one"
    ]


def _listed(name: str, values: Iterable[str]) -> list[str]:
    written = [_quoted(value) for value in values]
    indent = " " * (len(name) - len(name.lstrip()) + 2)
    return [f"{name}:", *(f"{indent}- {value}" for value in written)] if written else []


def _quoted(text: str) -> str:
    """A YAML scalar: JSON's quoted strings are YAML's."""
    return (
        text
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _-]*[A-Za-z0-9]", text) and text.casefold() not in _WORDS
        else json.dumps(text, ensure_ascii=False)
    )


# Plain words that YAML takes for something else.
_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "none"})
