"""Links of recordings to works that the catalog says, on their way into silver.isrc_iswc. No JVM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import lakehouse
from lakehouse.model.identifiers import ISRC, iswc_check_digit_holds
from lakehouse.runs.environment import Environment
from lakehouse.store.light import append_rows, create_tables
from lakehouse.tables import silver

# Before every period: a catalog is of none.
_BEFORE = "0000-00"
CATALOG = "catalog"


def note_links(env: Environment, recordings: Iterable[Mapping[str, Any]], catalog_version: int) -> None:
    """Keeps the pairs that the catalog says and the table does not have of it yet."""
    create_tables(env.place, [silver.isrc_iswc])
    reader = env.reader
    pairs = {
        (row["isrc"], row["iswc"])
        for row in recordings
        if re.fullmatch(ISRC, row["isrc"] or "") and iswc_check_digit_holds(row["iswc"] or "")
    }
    known = reader.sql(f"SELECT isrc, iswc FROM {reader.relation(silver.isrc_iswc.name)} WHERE source = ?", [CATALOG])
    fresh = sorted(pairs - {(row["isrc"], row["iswc"]) for row in known})
    told = {"period": _BEFORE, "source": CATALOG, "confidence": Decimal(1), "catalog_version": catalog_version}
    if fresh:
        rows = [{**told, "isrc": isrc, "iswc": iswc} for isrc, iswc in fresh]
        append_rows(env.place, silver.isrc_iswc, rows, {"job": "catalog load", "code_version": lakehouse.__version__})
