"""What became of each file that landed, and what was refused of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, ops, silver
from lakehouse.views.common import write_money
from lakehouse.views.held import held_files, held_query, releases_of_files, superseded_query


def list_files(reader: LakeReader, period: str | None = None) -> list[dict[str, Any]]:
    """Every file, ingested or only landed, by period, source and first name.

    `status` is landed (not read yet), ingested, superseded (a later version of the report is here), held (its own totals
    disagree with its lines, or too many lines are refused: `holds` says which, and none of them goes on) or rejected. `releases`
    says who let it go on and why. `duplicates` are the accepted lines that are held since another source reports them too. Every
    line is one of accepted, ignored and quarantined. `money` is {currency: {revenue, quarantined}}; revenue includes what is refused.
    """
    receipts = {receipt["file_id"]: receipt for receipt in landing_receipts(reader)}
    names = _further_names(reader)
    ingested, known = _ingested(reader, period), _known_files(reader)
    waiting = [
        _waiting(receipt)
        for file_id, receipt in receipts.items()
        if file_id not in known and period in (None, receipt["report_period"])
    ]
    for file in (found := [*ingested, *waiting]):
        file["names"] = sorted(
            {*file["names"], *names.get(file["file_id"], ())}, key=lambda name: (name not in file["names"], name)
        )
    return sorted(found, key=lambda file: (file["period"] or "", file["source"] or "", file["names"], file["file_id"]))


def landing_receipts(reader: LakeReader) -> list[dict[str, Any]]:
    """The receipts of landing, rejected files included; for a file rejected first and landed later, the later one."""
    objects = reader.objects
    found = [json.loads(objects.get(key) or b"{}") for key in objects.keys("landing/receipts") if key.endswith(".json")]
    return sorted(found, key=lambda receipt: receipt["status"] == "landed")


def _further_names(reader: LakeReader) -> dict[str, list[str]]:
    objects = reader.objects
    names: dict[str, list[str]] = defaultdict(list)
    for key in objects.keys("landing/names"):
        names[key.split("/")[2]].append((objects.get(key) or b"").decode())
    return names


def _known_files(reader: LakeReader) -> set[str]:
    return {row["file_id"] for row in reader.sql(f"SELECT file_id FROM {reader.relation(bronze.files.name)}")}


def _waiting(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """A file that is known by its receipt only."""
    facts = {name: receipt[name] for name in ("file_id", "source", "report_period", "status", "reason")}
    nothing = {
        "lines": 0,
        "accepted": 0,
        "ignored": 0,
        "quarantined": 0,
        "controls": [],
        "holds": [],
        "releases": [],
        "duplicates": 0,
        "money": {},
    }
    return {**facts, "names": [receipt["name"]], "period": receipt["report_period"], **nothing}


def _ingested(reader: LakeReader, period: str | None) -> list[dict[str, Any]]:
    query = f"""
        SELECT *, file_id IN (SELECT file_id FROM ({held_query(reader)})) AS held,
            file_id IN ({superseded_query(reader)}) AS superseded
        FROM {reader.relation(bronze.files.name)} WHERE ? IS NULL OR period = ?
    """
    rows = reader.sql(query, [period, period])
    holds, releases = held_files(reader), releases_of_files(reader)
    duplicates = _by_file(reader, f"SELECT file_id FROM {reader.relation(silver.duplicates.name)}")
    accepted, ignored, quarantined = _counts(reader)
    money = _money(reader)
    return [
        {
            "file_id": file_id, "names": [row["name"]], "source": row["source"], "period": row["period"],
            "report_period": row["report_period"], "status": _status(row), "reason": None,
            "lines": row["lines"], "accepted": accepted.get(file_id, 0), "ignored": ignored.get(file_id, 0),
            "quarantined": quarantined.get(file_id, 0), "controls": row["controls"] or [], "money": money.get(file_id, {}),
            "holds": holds.get(file_id, []), "releases": releases.get(file_id, []),
            "duplicates": duplicates.get(file_id, 0),
        }
        for row in rows
        for file_id in (row["file_id"],)
    ]  # fmt: skip


def _status(row: Mapping[str, Any]) -> str:
    return "held" if row["held"] else "superseded" if row["superseded"] else "ingested"


def _counts(reader: LakeReader) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Lines accepted, ignored and quarantined by file_id. Headers, footers, comments and blanks are ignored lines."""
    usage, lines = reader.relation(silver.usage.name), reader.relation(bronze.lines.name)
    ignored = f"""
        SELECT file_id FROM {reader.relation(ops.ignored.name)}
        UNION ALL SELECT file_id FROM {lines} WHERE kind <> 'data'
    """
    return (
        _by_file(reader, f"SELECT file_id FROM {usage}"),
        _by_file(reader, ignored),
        _by_file(reader, f"SELECT file_id FROM {_in_quarantine(reader)}"),
    )


def _by_file(reader: LakeReader, query: str) -> dict[str, int]:
    return {row["file_id"]: row["n"] for row in reader.sql(f"SELECT file_id, count(*) AS n FROM ({query}) GROUP BY 1")}


def _in_quarantine(reader: LakeReader) -> str:
    """The quarantined lines that were not released."""
    released = f"(SELECT record_id FROM {reader.relation(ops.releases.name)})"
    return f"(SELECT * FROM {reader.relation(ops.quarantine.name)} WHERE record_id NOT IN {released})"


def _money(reader: LakeReader) -> dict[str, dict[str, dict[str, str]]]:
    """{file_id: {currency: {revenue, quarantined}}}."""
    query = f"""
        SELECT file_id, currency, sum(amount) AS revenue, sum(amount) FILTER (refused) AS quarantined FROM (
            SELECT file_id, currency, amount, false AS refused FROM {reader.relation(silver.usage.name)}
            UNION ALL
            SELECT file_id, currency, amount, true FROM {_in_quarantine(reader)}
            WHERE amount IS NOT NULL AND currency IS NOT NULL)
        GROUP BY ALL ORDER BY ALL
    """
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for row in reader.sql(query):
        amounts = {name: write_money(row[name] or Decimal(0), row["currency"]) for name in ("revenue", "quarantined")}
        found[row["file_id"]][row["currency"]] = amounts
    return found


def quarantine_list(reader: LakeReader, period: str | None = None, released: bool = True) -> list[dict[str, Any]]:
    """Every refused line with every reason, by file and line. `status` is quarantined or released."""
    return [_refused(row) for row in _refusals(reader, period) if released or row["status"] == "quarantined"]


def quarantine_show(reader: LakeReader, record_id: str) -> dict[str, Any]:
    """One refused line with its cells, money and release. Raises Misuse where there is none of that id."""
    found = [row for row in _refusals(reader) if row["record_id"] == record_id]
    if not found:
        raise Misuse(f"There is no quarantined line {record_id}. `lakehouse quarantine list` lists them.")
    row = found[0]
    money = None if row["amount"] is None or row["currency"] is None else write_money(row["amount"], row["currency"])
    more = ("name", "period", "source", "cells", "currency", "dialect_sha256", "release_reason", "changes")
    return {**_refused(row), **{name: row[name] for name in more}, "amount": money}


def _refusals(reader: LakeReader, period: str | None = None) -> Iterable[dict[str, Any]]:
    where = {"period": period} if period else None
    query = f"""
        SELECT q.*, f.name, r.reason AS release_reason, r.changes,
            CASE WHEN r.record_id IS NULL THEN 'quarantined' ELSE 'released' END AS status
        FROM {reader.relation(ops.quarantine.name, where=where)} q
        LEFT JOIN (SELECT record_id, reason, changes FROM {reader.relation(ops.releases.name)}) r USING (record_id)
        LEFT JOIN (SELECT file_id, name FROM {reader.relation(bronze.files.name)}) f USING (file_id)
        ORDER BY q.period, f.name, q.line_no, q.record_id
    """
    return reader.sql(query)


def _refused(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("record_id", "file_id", "line_no", "text", "reasons", "status")}
