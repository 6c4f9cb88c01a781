"""`lakehouse match`: any two tables, or the sources inside one, linked by the shipped rules. No lake and no JVM is needed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from lakehouse.errors import Misuse
from lakehouse.model.linkage.layouts import COLUMNS
from lakehouse.model.linkage.rules import LinkageRules
from lakehouse.model.linkage.weights import Model
from lakehouse.sources.flat import Flat, plain_name, read_table, write_table
from lakehouse.sources.linkage_model import write_model
from lakehouse.store.reader import LakeReader
from lakehouse.transforms.link import Compared, Records, Row, compare_pairs, decide, find_pairs, fit_model, read_records
from lakehouse.views.linkable import usage_and_catalog

_SHOWN = 5


def match_tables(
    left: Path, right: Path | None, out: Path, renamed: Mapping[str, str], rules: LinkageRules, model: Model | None = None
) -> dict[str, Any]:
    """Writes the pairs to `out` and returns {left, right, pairs, by_band, model, findings, seconds}.

    With a `model`, such as `fit_tables` writes, that one weighs the evidence; without, the shipped one is re-estimated on the pairs
    themselves. Raises Misuse where a file cannot be read as a table.
    """
    began = time.monotonic()
    seen = _look(left, right, renamed, rules)
    used = model or fit_model(seen.compared, rules.model)
    with duckdb.connect() as connection:
        decided = decide(connection, seen.records, seen.compared, used, rules, right is not None)
    write_table(decided, out)
    bands = Counter(decided.column("band").to_pylist())
    return {
        **seen.sizes,
        "pairs": decided.num_rows,
        "by_band": {band: bands[band] for band in ("auto", "review", "reject")},
        "model": used.sha256,
        "findings": seen.findings,
        "seconds": f"{time.monotonic() - began:.1f}",
    }


def fit_tables(left: Path, right: Path | None, out: Path, renamed: Mapping[str, str], rules: LinkageRules) -> dict[str, Any]:
    """Re-estimates the model on the tables' own candidate pairs, without labels, and writes it to `out` for people and `match --model`.

    {left, right, candidates, model, findings, seconds}.
    """
    began = time.monotonic()
    files = " and ".join(file.name for file in (left, right) if file)
    return _fitted(_look(left, right, renamed, rules), files, out, rules, began)


def fit_lake(reader: LakeReader, out: Path, rules: LinkageRules) -> dict[str, Any]:
    """The same on a lake's own candidates: its usage keys (left) and its catalog (right). Raises Misuse where it has either not."""
    began = time.monotonic()
    usage, catalog = usage_and_catalog(reader)
    if not usage or not catalog:
        raise Misuse(
            "This lake has no usage or no catalog yet: there is nothing to estimate on. Load a catalog and run a period first."
        )
    return _fitted(_linkable([usage, catalog], [], rules), "the lake's usage keys and its catalog", out, rules, began)


def _fitted(seen: _Seen, what: str, out: Path, rules: LinkageRules, began: float) -> dict[str, Any]:
    model = fit_model(seen.compared, rules.model)
    candidates = len(seen.compared.a)
    write_model(model, out, f"Estimated without labels on {candidates} candidate pairs of {what}, from the shipped model.")
    return {
        **seen.sizes, "candidates": candidates, "model": model.sha256, "findings": seen.findings,
        "seconds": f"{time.monotonic() - began:.1f}",
    }  # fmt: skip


@dataclass(frozen=True)
class _Seen:
    """What tables show before any model: their records and the levels of their candidate pairs."""

    records: Records
    compared: Compared
    sizes: dict[str, int | None]
    findings: list[dict[str, str]]


def _look(left: Path, right: Path | None, renamed: Mapping[str, str], rules: LinkageRules) -> _Seen:
    files = [left] if right is None else [left, right]
    tables = [read_table(file, COLUMNS, renamed, rules.columns) for file in files]
    known = {plain_name(name) for table in tables for name in table.names}
    if missing := sorted(name for name in renamed.values() if plain_name(name) not in known):
        told = "; ".join(f"{file.name} has {', '.join(table.names)}" for file, table in zip(files, tables, strict=True))
        raise Misuse(f"No table has a column {', '.join(missing)}. {told}.")
    findings = []
    for file, table in zip(files, tables, strict=True):
        findings += [*_look_at_columns(file, table, renamed), *_look_at_ids(file, table.rows)]
    return _linkable([table.rows for table in tables], findings, rules)


def _linkable(tables: Sequence[Sequence[Row]], findings: list[dict[str, str]], rules: LinkageRules) -> _Seen:
    records = read_records([[row for row in table if row["id"]] for table in tables], rules)
    with duckdb.connect() as connection:
        pairs = find_pairs(connection, records, rules, two_sided=len(tables) > 1)
    sizes = {"left": len(tables[0]), "right": len(tables[1]) if len(tables) > 1 else None}
    return _Seen(records, compare_pairs(records, *pairs, rules), sizes, findings)


def _look_at_columns(file: Path, table: Flat, renamed: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """A finding for each column that stands for a standard name without anybody having said so. Raises Misuse where none says what a record is called."""
    if not {"title", "artist", "album", "isrc", "upc"} & {*table.taken}:
        raise Misuse(
            f"{file} says neither title, artist, album, ISRC nor UPC of its records: name its columns with --map COLUMN=NAME."
            f" It has: {', '.join(table.names)}."
        )
    for name, column in table.taken.items():
        if plain_name(column) not in (name, plain_name(renamed.get(name, name))):
            yield {"file": file.name, "rule": "column_taken", "message": f"{column} is read as {name}; --map says otherwise."}


def _look_at_ids(file: Path, table: Sequence[Row]) -> list[dict[str, str]]:
    """A finding for ids that are missing or stand on several rows, the first few of them."""
    counts = Counter(row["id"] for row in table)
    findings = []
    if missing := counts.pop(None, 0):
        message = f"{missing} rows have no id and were left out: name the column that tells records apart with --map COLUMN=id."
        findings.append({"file": file.name, "rule": "id_missing", "message": message})
    for repeated in sorted(one for one, count in counts.items() if one and count > 1)[:_SHOWN]:
        message = f"{repeated} is the id of {counts[repeated]} rows: a pair that names it could mean any of them."
        findings.append({"file": file.name, "rule": "id_repeated", "message": message})
    return findings
