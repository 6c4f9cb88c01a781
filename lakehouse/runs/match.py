"""`lakehouse match`: any two tables, or the sources inside one, linked by the shipped rules. No lake and no JVM is needed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from lakehouse.model.linkage.layouts import COLUMNS
from lakehouse.model.linkage.rules import LinkageRules
from lakehouse.sources.flat import read_table, write_table
from lakehouse.transforms.link import Row, compare_pairs, decide, find_pairs, fit_model, read_records

_SHOWN = 5


def match_tables(left: Path, right: Path | None, out: Path, renamed: Mapping[str, str], rules: LinkageRules) -> dict[str, Any]:
    """Writes the pairs to `out` and returns {left, right, pairs, by_band, model, findings, seconds}.

    Raises Misuse where a file cannot be read as a table.
    """
    began = time.monotonic()
    files = [left] if right is None else [left, right]
    tables = [read_table(file, COLUMNS, renamed) for file in files]
    findings = [finding for file, table in zip(files, tables, strict=True) for finding in _look_at_ids(file, table)]
    two_sided = right is not None
    records = read_records([[row for row in table if row["id"]] for table in tables])
    with duckdb.connect() as connection:
        pairs = find_pairs(connection, records, rules, two_sided)
        compared = compare_pairs(records, *pairs, rules)
        model = fit_model(compared, rules.model)
        decided = decide(connection, records, compared, model, rules, two_sided)
    write_table(decided, out)
    bands = Counter(decided.column("band").to_pylist())
    return {
        "left": len(tables[0]),
        "right": len(tables[1]) if two_sided else None,
        "pairs": decided.num_rows,
        "by_band": {band: bands[band] for band in ("auto", "review", "reject")},
        "model": model.sha256,
        "findings": findings,
        "seconds": f"{time.monotonic() - began:.1f}",
    }


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
