"""Statements, one statement with its lines, and the way of one line back to the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, gold, silver
from lakehouse.views.common import published_or_draft, write_money, write_number

BALANCE = ("opening", "earned", "deducted", "recouped", "reserved", "taxed", "payable", "carried", "rounding")


def list_statements(reader: LakeReader, period: str | None = None, payee: str | None = None) -> list[dict[str, Any]]:
    """The statements of published periods and the drafts of the others, by period, currency and payee."""
    query = f"""
        SELECT statement_id, period, currency, payee, payee_name, {", ".join(BALANCE)}, lines AS line_count, status
        FROM {published_or_draft(reader, "statements", period)} WHERE ? IS NULL OR payee = ? ORDER BY period, currency, payee
    """
    return [_written(row) for row in reader.sql(query, [payee, payee])]


def show_statement(reader: LakeReader, statement_id: str) -> dict[str, Any]:
    """One statement with the royalty lines behind it. Raises Misuse where there is none of that id."""
    period = statement_id[:7]
    found = [row for row in list_statements(reader, period) if row["statement_id"] == statement_id]
    if not found:
        raise Misuse(f"There is no statement {statement_id}. `lakehouse statements` lists them.")
    return {**found[0], "lines": statement_lines(reader, period, found[0]["payee"], found[0]["currency"])}


def statement_lines(
    reader: LakeReader, period: str, payee: str | None = None, currency: str | None = None
) -> list[dict[str, Any]]:
    """The payable royalty lines of a period, with the title and artist of the recording, in a stable order."""
    query = f"""
        SELECT line_id, payee, currency, kind, reverses, source, report_period, usage_period, channel, configuration, territory,
            price_category, recording_id, title, artist, contract_id, contract_version, role, usage_lines, units, base, amount
        FROM {published_or_draft(reader, "royalty_lines", period)} LEFT JOIN ({_titles(reader, period)}) USING (recording_id)
        WHERE category = 'payable' AND (? IS NULL OR payee = ?) AND (? IS NULL OR currency = ?)
        ORDER BY currency, payee, recording_id, channel, territory, usage_period, line_id
    """
    return [_written(row) for row in reader.sql(query, [payee, payee, currency, currency])]


def _titles(reader: LakeReader, period: str) -> str:
    """One title and artist for each recording, from the catalog version that the period was computed with."""
    pins = reader.sql(f"SELECT pins FROM {reader.relation(gold.periods.name)} WHERE period = ?", [period])
    pinned = dict(pins[0]["pins"]).get(silver.catalog.name) if pins else None
    catalog = reader.relation(silver.catalog.name, version=int(pinned) if pinned is not None else None)
    # A recording on several releases has the same title; which row gives it must not depend on the order of files.
    return f"""
        SELECT recording_id, arg_min(title, (upc, title)) AS title, arg_min(artist, (upc, artist)) AS artist
        FROM {catalog} GROUP BY 1
    """


def why(reader: LakeReader, line_id: str) -> dict[str, Any]:
    """A royalty line through each stage's amounts, and the report lines behind it. Raises Misuse for an id no line has."""
    found = reader.sql(f"SELECT * FROM {published_or_draft(reader, 'royalty_lines')} WHERE line_id = ?", [line_id])
    if not found:
        raise Misuse(f"There is no royalty line {line_id}. `lakehouse show STATEMENT_ID` lists the lines of a statement.")
    line = found[0]
    facts = (
        "period",
        "kind",
        "reverses",
        "payee",
        "role",
        "category",
        "recording_id",
        "contract_id",
        "contract_version",
        "status",
    )
    return {
        "line_id": line_id,
        **{name: line[name] for name in facts},
        **{name: line[name] for name in gold.GROUP},
        "base": write_money(line["base"], line["currency"]),
        "amount": write_money(line["amount"], line["currency"]),
        "stages": [
            {
                "stage": stage["stage"],
                "in": write_money(stage["amount_in"], line["currency"]),
                "out": write_money(stage["amount_out"], line["currency"]),
                "term": stage["term"],
            }
            for stage in line["stages"]
        ],
        "sources": _sources(reader, line),
    }


def _sources(reader: LakeReader, line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The usage lines of the line's group, each with its text as it stands in the file."""
    in_file = {"file_id": line["file_id"]}
    # A group without a day is of all days: its contract book told none apart.
    others = [column for column in gold.GROUP if column != "file_id" and not (column == "sale_date" and line[column] is None)]
    same_group = " AND ".join(f"u.{column} IS NOT DISTINCT FROM ?" for column in others)
    query = f"""
        SELECT u.file_id, f.name, u.line_no, l.text, u.amount
        FROM {reader.relation(silver.usage.name, where=in_file)} u
        JOIN {reader.relation(bronze.lines.name, where=in_file)} l USING (line_no)
        JOIN {reader.relation(bronze.files.name, where=in_file)} f ON f.file_id = u.file_id
        WHERE {same_group} ORDER BY u.line_no
    """
    rows = reader.sql(query, [line[column] for column in others])
    return [{**row, "amount": write_money(row["amount"], line["currency"])} for row in rows]


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its amounts as text."""
    written = dict(row)
    for name in (*BALANCE, "base", "amount"):
        if name in written:
            written[name] = write_money(written[name], row["currency"])
    if "units" in written:
        written["units"] = write_number(written["units"])
    return written
