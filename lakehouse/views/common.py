"""What every view shares: money as text, and which periods are published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from lakehouse.model.money import ZERO, add, minor_digits
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold


def write_money(amount: Decimal, currency: str) -> str:
    """An amount in plain notation: all its digits, and at least those of the currency's minor unit: 6.00, 0.001, JPY 12."""
    whole, _, decimals = f"{amount if amount else Decimal(0):f}".partition(".")
    kept = decimals.rstrip("0").ljust(minor_digits(currency), "0")
    return f"{whole}.{kept}" if kept else whole


def sums_by_currency(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """{currency, amount} of the rows' amounts, in order of the currencies."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row["currency"]] = add(sums.get(row["currency"], ZERO), row["amount"])
    return [{"currency": currency, "amount": write_money(amount, currency)} for currency, amount in sorted(sums.items())]


def same_group(one: str, other: str) -> str:
    """The condition, in SQL, that rows under these two names are alike in every dimension of a group."""
    ours, theirs = (f"row({', '.join(f'{side}.{name}' for name in gold.GROUP)})" for side in (one, other))
    return f"{ours} IS NOT DISTINCT FROM {theirs}"


def write_number(number: Decimal) -> str:
    """A quantity in plain notation without needless zeros."""
    whole, _, decimals = f"{number if number else Decimal(0):f}".partition(".")
    return f"{whole}.{kept}" if (kept := decimals.rstrip("0")) else whole


def closed_periods(reader: LakeReader) -> list[str]:
    """The published periods, oldest first."""
    return [row["period"] for row in reader.sql(f"SELECT DISTINCT period FROM {reader.relation(gold.periods.name)} ORDER BY 1")]


def published_or_draft(reader: LakeReader, name: str, period: str | None = None) -> str:
    """A query over gold.<name> for published periods and draft.<name> for the others, with a column `status`: closed or draft.

    What a close that died has appended to gold is not published, and not shown.
    """
    where = {"period": period} if period else None
    published = f"(SELECT period FROM {reader.relation(gold.periods.name)})"
    return f"""(
        SELECT *, 'closed' AS status FROM {reader.relation(f"gold.{name}", where=where)} WHERE period IN {published}
        UNION ALL BY NAME
        SELECT *, 'draft' AS status FROM {reader.relation(f"draft.{name}", where=where)} WHERE period NOT IN {published})"""
