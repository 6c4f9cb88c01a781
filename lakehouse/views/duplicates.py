"""Sales that a service and an aggregator both report: what is held, and the equal line that is paid."""

from __future__ import annotations

from typing import Any

from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, silver
from lakehouse.views.common import write_money


def list_duplicates(reader: LakeReader, period: str | None = None) -> list[dict[str, Any]]:
    """Every held line beside the paid one: {period, file_id, name, source, line_no, of_file_id, of_name, of_source, of_line_no,
    of_period, amount, currency}, by file and line."""
    links = reader.relation(silver.duplicates.name, where={"period": period} if period else None)
    names = f"(SELECT file_id, name FROM {reader.relation(bronze.files.name)})"
    rows = reader.sql(
        f"""SELECT d.period, d.file_id, held.name, d.source, d.line_no, d.of_file_id, paid.name AS of_name, d.of_source, d.of_line_no,
                d.of_period, d.amount, d.currency
            FROM {links} d JOIN {names} held USING (file_id) JOIN {names} paid ON paid.file_id = d.of_file_id
            ORDER BY d.period, held.name, d.file_id, d.line_no"""
    )
    return [{**row, "amount": write_money(row["amount"], row["currency"])} for row in rows]


def sums_of_duplicates(reader: LakeReader, period: str) -> list[dict[str, Any]]:
    """[{currency, lines, amount}] of what a period holds because another source reports it too."""
    links = reader.relation(silver.duplicates.name, where={"period": period})
    rows = reader.sql(
        f"SELECT currency, count(*) AS lines, sum(amount) AS amount FROM {links} GROUP BY currency ORDER BY currency"
    )
    return [{**row, "amount": write_money(row["amount"], row["currency"])} for row in rows]
