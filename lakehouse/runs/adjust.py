"""An amount that came with reports but stands on none of their lines, spread over the lines in proportion to their amounts. No JVM.

It becomes a report of its own, of the dialect `adjustment`: so it goes the way of all money, into bronze, to the recordings it concerns, through
their contracts and into the proof that nothing is lost. Source of the rule: pro rata over all lines (`W61` of the worked examples).
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.money import add, exact, split
from lakehouse.runs.environment import Environment
from lakehouse.store.reader import LakeReader
from lakehouse.views.held import superseded

SOURCE = "adjustment"
_ID = r"[A-Za-z0-9][A-Za-z0-9-]{0,60}"
_LIKE = (
    "usage_period", "sale_date", "channel", "configuration", "territory", "price_category", "isrc", "upc", "title", "artist", "album",
    "label", "proprietary_id",
)  # fmt: skip
COLUMNS = ("kind", "id", "period", *_LIKE, "amount", "currency", "reason")


def adjust(
    env: Environment, name: str, period: str, amount: Decimal, currency: str, reason: str, report: str | None = None
) -> dict[str, Any]:
    """{id, period, file_id, status, lines, base, amount, currency}: lands an adjustment of the period's usage in a currency.

    `report` is the file_id, or the first digits of it, of the one report it belongs to. The same adjustment again is a duplicate; the same id with another
    amount replaces the first. Raises Misuse where there is no usage, or none of any amount, to spread it over.
    """
    if not re.fullmatch(_ID, name):
        raise Misuse(f"{name!r} is no id of an adjustment: letters, digits and hyphens, such as TAX-2026-05-01.")
    if env.book().rules.pools:
        raise Misuse(
            "The contract book has pools: what a line is worth after them is not what its report says, so that nothing can be spread over its"
            " amounts. Land the adjustment as a report of its own."
        )
    rows = _usage(env.reader, period, currency, report)
    base = add(*(row["amount"] for row in rows))
    if not base:
        where = f" in the report {report}" if report else ""
        raise Misuse(f"The lake has no {currency} usage of {period}{where} to spread {amount:f} over. Run the period first.")
    shares = {f"{place:09}": Fraction(exact(row["amount"]) / exact(base)) for place, row in enumerate(rows)}
    parts = [part for part in zip(rows, split(amount, shares).values(), strict=True) if part[1]]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{SOURCE}_{name}_{period}.csv"
        file.write_bytes(_table(parts, name, period, currency, reason))
        landed = env.landing.put(file, env.dialects, SOURCE, period)
    return {
        "id": name, "period": period, "file_id": landed.file_id, "status": landed.status, "lines": len(parts), "base": f"{base:f}",
        "amount": f"{amount:f}", "currency": currency,
    }  # fmt: skip


def _usage(reader: LakeReader, period: str, currency: str, report: str | None) -> list[dict[str, Any]]:
    """What has been read of the period so far, of reports that count: alike lines together, in an order of their own."""
    columns = ", ".join(_LIKE)
    rows: list[dict[str, Any]] = reader.sql(
        f"""SELECT {columns}, sum(amount)::DECIMAL(38, 18) AS amount FROM {reader.relation("silver.usage")}
            WHERE period = ? AND currency = ? AND source <> ? AND starts_with(file_id, ?) AND NOT list_contains(?, file_id)
            GROUP BY ALL HAVING sum(amount) <> 0 ORDER BY ALL""",
        [period, currency, SOURCE, report or "", sorted(superseded(reader, period))],
    )
    return rows


def _table(parts: list[tuple[dict[str, Any], Decimal]], name: str, period: str, currency: str, reason: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row, part in parts:
        like = ["" if row[column] is None else str(row[column]) for column in _LIKE]
        writer.writerow([SOURCE, name, period, *like, f"{part:f}", currency, reason])
    return text.getvalue().encode()
