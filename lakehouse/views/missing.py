"""What a period's statements do not have: reports that were refused, are held, or did not come. No JVM."""

from __future__ import annotations

from typing import Any

from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze
from lakehouse.views.files import landing_receipts
from lakehouse.views.held import held_files


def missing_reports(reader: LakeReader, period: str) -> list[dict[str, Any]]:
    """{what, source, name, file_id, reason} by what is missing: `rejected` by landing, `held` whole, `waiting` to be read, or `silent`.

    A source is silent that sent a report for the newest period before this one, and none for this one. A file that was rejected says no
    period of its own: it counts for every period that is asked about until it lands.
    """
    files = reader.sql(
        f"SELECT file_id, source, name, period, report_period FROM {reader.relation(bronze.files.name)} ORDER BY source, name, file_id"
    )
    known, holds = {file["file_id"] for file in files}, held_files(reader, up_to=period)
    receipts = {receipt["file_id"]: receipt for receipt in landing_receipts(reader)}.values()
    return [
        *(
            _entry("rejected", receipt, receipt["reason"])
            for receipt in receipts
            if receipt["status"] == "rejected" and receipt["report_period"] in (None, period)
        ),
        *(
            _entry("held", file, "; ".join(hold["cause"] for hold in holds[file["file_id"]]))
            for file in files
            if file["period"] == period and file["file_id"] in holds
        ),
        *(
            _entry("waiting", receipt, "landed, and not read yet")
            for receipt in receipts
            if receipt["status"] == "landed" and receipt["report_period"] == period and receipt["file_id"] not in known
        ),
        *_silent(files, [r for r in receipts if r["status"] == "landed"], period),
    ]


def _silent(files: list[dict[str, Any]], receipts: list[dict[str, Any]], period: str) -> list[dict[str, Any]]:
    reported = [(row["report_period"], row["source"]) for row in (*files, *receipts)]
    before = max((p for p, _ in reported if p < period), default=None)
    now = {source for p, source in reported if p == period}
    silent = sorted({source for p, source in reported if p == before} - now)
    return [
        {
            "what": "silent",
            "source": source,
            "name": None,
            "file_id": None,
            "reason": f"sent a report for {before}, none for {period}",
        }
        for source in silent
    ]


def _entry(what: str, file: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {"what": what, "source": file["source"], "name": file["name"], "file_id": file["file_id"], "reason": reason}
