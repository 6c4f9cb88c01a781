"""The reports behind the published lake of tests.support.published, from landing to silver, and a third period as a draft."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.store.light import create_tables
from lakehouse.tables import bronze, gold, ops, silver
from tests.support.lake import append
from tests.support.published import FILES, WHEN, line, published_lake, statement

JULY = "f" * 64
REFUSED = "9" * 32
MENDED = "8" * 32


def lake_with_reports(root: Path) -> Path:
    """May: five lines, of which two are one paid group, one is held, one is refused. June restates May. July is a draft."""
    append(
        root,
        silver.catalog,
        [
            {"recording_id": "QZABC2600001", "title": "Night", "artist": "Luna", "upc": upc}
            for upc in ("00000000000002", "00000000000001")
        ],
    )
    published_lake(root)
    append(
        root,
        bronze.files,
        [_file("2026-05", "may.tsv", 7), _file("2026-06", "june.tsv", 3, report_period="2026-05", report_version=2)],
    )
    may = ["header", "L2\t4", "L3\t6", "L4\tbad", "L5\tpayout", "L6\t0.50", "footer"]
    kinds = {1: "header", 7: "footer"}
    append(root, bronze.lines, [_line("2026-05", n, text, kinds.get(n, "data")) for n, text in enumerate(may, start=1)])
    append(root, bronze.lines, [_line("2026-06", n, text, "data") for n, text in enumerate(["x", "J2\t4", "y"], start=1)])
    append(
        root,
        silver.usage,
        [
            _usage("2026-05", 2, "4"),
            _usage("2026-05", 3, "6"),
            _usage("2026-05", 6, "0.5", territory="FR"),
            _usage("2026-06", 2, "4"),
        ],
    )
    append(root, ops.ignored, [{"period": "2026-05", "file_id": FILES["2026-05"], "line_no": 5, "meaning": "transfer"}])
    append(root, ops.quarantine, [_refused("2026-05", 4, REFUSED, "L4\tbad"), _refused("2026-06", 1, MENDED, "x")])
    append(
        root,
        ops.releases,
        [{"record_id": MENDED, "period": "2026-06", "reason": "typo", "changes": {"isrc": "X"}, "released_at": WHEN}],
    )
    append(root, gold.statements.draft(), [statement("2026-07", "A-LUNA", "1", "1"), statement("2026-06", "A-LUNA", "9", "9")])
    append(
        root,
        gold.royalty_lines.draft(),
        [line("2026-05", "A-LUNA", "payable", "1", "1") | {"period": "2026-07", "line_id": "7" * 32}],
    )
    # A close of July that died: its rows are in gold, its row in gold.periods is not.
    append(root, gold.statements, [statement("2026-07", "X-DEAD", "1", "1")])
    _receipts(root)
    create_tables(str(root))
    return root


def _file(period: str, name: str, lines: int, **more: Any) -> dict[str, Any]:
    control = {"name": "lines", "declared": str(lines), "found": str(lines), "ok": True}
    return _filled(
        bronze.files,
        {
            "period": period,
            "file_id": FILES[period],
            "source": "distrokid_13",
            "dialect_sha256": "d" * 64,
            "name": name,
            "report_period": period,
            "report_key": "distrokid_13/main",
            "bytes": 99,
            "lines": lines,
            "controls": [control],
            "received_at": WHEN,
            **more,
        },
    )


def _line(period: str, line_no: int, text: str, kind: str) -> dict[str, Any]:
    facts = {"period": period, "file_id": FILES[period], "source": "distrokid_13", "line_no": line_no}
    return _filled(bronze.lines, {**facts, "kind": kind, "text": text, "eol": "\n", "cells": text.split("\t")})


def _usage(period: str, line_no: int, amount: str, **more: Any) -> dict[str, Any]:
    group = {key: value for key, value in line(period, "", "", "0", "0").items() if key in gold.GROUP}
    return _filled(silver.usage, {**group, "period": period, "line_no": line_no, "units": "1", "amount": amount, **more})


def _refused(period: str, line_no: int, record_id: str, text: str) -> dict[str, Any]:
    reason = {"column": "amount", "rule": "decimal", "value": "bad", "message": "is not a number"}
    return _filled(
        ops.quarantine,
        {
            "period": period,
            "record_id": record_id,
            "file_id": FILES[period],
            "source": "distrokid_13",
            "line_no": line_no,
            "text": text,
            "cells": text.split("\t"),
            "reasons": [reason],
            "amount": Decimal("0.5"),
            "currency": "EUR",
            "dialect_sha256": "d" * 64,
        },
    )


def _filled(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    """The row with a neutral value in every required column that the story does not mention."""
    neutral = {"string": "-", "bigint": 0, "int": 0, "boolean": False, "map<string,string>": {}, "array<string>": []}
    missing = {f.name: neutral[f.type] for f in table.fields if f.required and f.name not in row}
    return missing | row


def _receipts(root: Path) -> None:
    def receipt(folder: str, file_id: str, name: str, **more: Any) -> None:
        file = root / "landing" / "receipts" / folder / f"{file_id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "file_id": file_id,
            "name": name,
            "source": "distrokid_13",
            "report_period": folder,
            "status": "landed",
            "reason": None,
        }
        file.write_text(json.dumps({**facts, **more}), encoding="utf-8")

    receipt("2026-05", FILES["2026-05"], "may.tsv")
    receipt("2026-07", JULY, "july.tsv")
    receipt("rejected", "0" * 64, "photo.jpg", source=None, report_period=None, status="rejected", reason="no dialect knows it")
    copy = root / "landing" / "names" / FILES["2026-05"] / "copy"
    copy.parent.mkdir(parents=True)
    copy.write_text("may (1).tsv", encoding="utf-8")
