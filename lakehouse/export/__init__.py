"""Projections of published periods for people and for accounting systems. The same period gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.store.reader import LakeReader
from lakehouse.views.common import closed_periods, write_money


@dataclass(frozen=True)
class Exported:
    """One file of an export: its name, its bytes, how many rows it carries, and the sum by currency that it must agree with."""

    name: str
    content: bytes
    rows: int
    totals: Mapping[str, str]


def _formats() -> dict[str, Callable[[LakeReader, str], list[Exported]]]:
    from lakehouse.export import journal, statements

    return {
        "statements-csv": statements.statements_csv,
        "statements-xlsx": statements.statements_xlsx,
        "journal-beancount": journal.journal_beancount,
        "journal-hledger": journal.journal_hledger,
    }


FORMATS = ("statements-csv", "statements-xlsx", "journal-beancount", "journal-hledger")


def export(reader: LakeReader, period: str, fmt: str, out: str | Path) -> dict[str, Any]:
    """Writes a published period to files in the folder `out`: {format, files: [{path, sha256, rows, totals}]}.

    Raises Misuse for an unknown format or a period that is not published: what is not closed can still change.
    """
    if fmt not in FORMATS:
        raise Misuse(f"There is no export format {fmt!r}. Formats are {', '.join(FORMATS)}.")
    if period not in closed_periods(reader):
        raise Misuse(
            f"Period {period} is not published: its numbers may change. Close it first: lakehouse close --period {period}."
        )
    return write_files(fmt, _formats()[fmt](reader, period), out)


def write_files(fmt: str, files: Iterable[Exported], out: str | Path) -> dict[str, Any]:
    """Writes the files to the folder `out`: {format, files: [{path, sha256, rows, totals}]}."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file in files:
        path = folder / file.name
        path.write_bytes(file.content)
        digest = hashlib.sha256(file.content).hexdigest()
        written.append({"path": str(path), "sha256": digest, "rows": file.rows, "totals": dict(file.totals)})
    return {"format": fmt, "files": written}


def sums(rows: list[dict[str, Any]], column: str) -> dict[str, str]:
    """{currency: sum of a column of amounts}, exact."""
    exact = Context(prec=80)
    found: dict[str, Decimal] = {}
    for row in rows:
        found[row["currency"]] = exact.add(found.get(row["currency"], Decimal(0)), Decimal(row[column]))
    return {currency: write_money(amount, currency) for currency, amount in sorted(found.items())}
