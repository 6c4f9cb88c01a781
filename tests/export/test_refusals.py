"""What was refused goes back to its sender in the file's own columns, and no spreadsheet runs any of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from lakehouse.cli import app, look  # noqa: F401  (importing it registers its commands)
from lakehouse.errors import Misuse
from lakehouse.export.refusals import OURS, refusal_report
from lakehouse.model.usage import FIELDS, reasons_against
from lakehouse.sources.mapping import RowReader
from lakehouse.sources.records import read_records
from lakehouse.store.reader import LakeReader
from lakehouse.tables import bronze, ops
from tests.hostile.corpus import HEADER, report, row
from tests.support.lake import append
from tests.support.reports import SAMPLES, dialects, file_row, line_rows

KNOWN = dialects()
FORMULA = "=cmd|'/c calc'!A1"
BAD = (
    row("-1.5", title=FORMULA, currency="EURO"),
    row("1.5x", artist="@SUM(1)", units="many"),
    "=2+5+cmd,too short",
)
Lake = Callable[[bytes, str], tuple[LakeReader, str]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake in which one report was read: its file, its lines, and what of it was refused."""

    def read(data: bytes, name: str) -> tuple[LakeReader, str]:
        root = tmp_path / "lake"
        seen = KNOWN.recognise(data, name)
        assert seen.dialect, seen.reason
        file, period = file_row(seen), "2026-05"
        append(root, bronze.files, [{**file, "report_version": 0, "received_at": datetime(2026, 6, 10, tzinfo=timezone.utc)}])
        append(root, bronze.lines, [{**line, "period": file["period"]} for line in line_rows(seen, file["period"])])
        append(root, ops.quarantine, list(refused(seen, period)))
        append(root, ops.releases, [])
        return LakeReader(str(root)), seen.file_id

    return read


def refused(seen: Any, period: str) -> list[dict[str, Any]]:
    reader = RowReader(seen.dialect.under(seen.variant))
    found = []
    for record in read_records(seen.payload, seen.dialect, seen.encoding, seen.variant):
        if record.kind != "data":
            continue
        fields, faults = reader.read(record.cells, seen.captured, record.error)
        canonical = dict(zip(FIELDS, fields, strict=True))
        if reasons := [*faults, *([] if record.cells is None else reasons_against(canonical))]:
            found.append({
                "period": period, "record_id": f"{record.line_no:032}", "file_id": seen.file_id, "source": seen.dialect.id, "line_no": record.line_no,
                "text": record.text, "cells": record.cells, "reasons": [reason._asdict() for reason in reasons], "dialect_sha256": "d" * 64,
                "amount": Decimal(canonical["amount"]) if record.line_no == 5 and canonical["amount"] else None, "currency": "EUR" if record.line_no == 5 else None,
            })  # fmt: skip
    return found


def written(reader: LakeReader, file_id: str, fmt: str, folder: Path) -> bytes:
    return Path(refusal_report(reader, KNOWN, file_id, fmt, folder)["files"][0]["path"]).read_bytes()


def test_a_report_has_the_files_own_columns_and_says_what_is_wrong(lake: Lake, tmp_path: Path) -> None:
    reader, file_id = lake(report(*BAD), "may.csv")
    answer = refusal_report(reader, KNOWN, file_id, "csv", tmp_path / "out")
    [file] = answer["files"]
    assert (answer["format"], file["rows"], file["totals"], Path(file["path"]).name) == (
        "csv",
        3,
        {"EUR": "-1.50"},
        "may-refused.csv",
    )
    header, *rows = csv.reader(io.StringIO(Path(file["path"]).read_bytes().decode()))
    assert header == [*HEADER.split(","), *OURS]
    first, second, uncut = (dict(zip(header, cells, strict=True)) for cells in rows)
    assert (first["line"], first["Total Earned"], first["UPC"], first["row"]) == ("5", "-1.5", "4006381333931", "")
    assert first["error"].startswith("currency: expected an ISO 4217 currency code")
    assert first["error"].endswith("(found 'EURO')")
    assert [part.split(":")[0] for part in second["error"].split("; ")] == ["units", "amount"]
    assert (uncut["line"], uncut["UPC"]) == ("7", "")
    assert uncut["error"] == "the row has 2 cells where the header has 21"


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_nothing_in_a_report_is_run_as_a_formula(lake: Lake, tmp_path: Path, fmt: str) -> None:
    reader, file_id = lake(report(*BAD), "may.csv")
    content = written(reader, file_id, fmt, tmp_path)
    if fmt == "csv":
        cells = [cell for line in csv.reader(io.StringIO(content.decode())) for cell in line]
        assert {f"'{FORMULA}", "'@SUM(1)", "'=2+5+cmd,too short"} <= set(cells)
        assert "-1.5" in cells
        assert not any(cell.startswith(("=", "@", "+")) for cell in cells)
    else:
        sheet = load_workbook(io.BytesIO(content)).active
        assert sheet is not None
        found = {cell.value: cell.data_type for line in sheet.iter_rows() for cell in line if cell.value is not None}
        assert set(found.values()) == {"s"}
        assert {FORMULA, "@SUM(1)", "=2+5+cmd,too short", "-1.5"} <= set(found)


def test_columns_in_another_order_go_back_in_that_order(lake: Lake, tmp_path: Path) -> None:
    sample = (SAMPLES / "distrokid_13/sample.tsv").read_bytes()
    reader, file_id = lake(sample, "bank.tsv")
    header, *rows = csv.reader(io.StringIO(written(reader, file_id, "csv", tmp_path).decode()))
    own = sample.decode().splitlines()[0].split("\t")
    assert header == [*own, *OURS]
    lines = sample.decode().splitlines()
    for cells in rows:
        if not cells[-1]:
            assert [cell.removeprefix("'") for cell in cells[: len(own)]] == lines[int(cells[len(own)]) - 1].split("\t")


def test_personal_columns_go_back_blank(lake: Lake, tmp_path: Path) -> None:
    reader, file_id = lake((SAMPLES / "bandcamp_sales_52/sample.csv").read_bytes(), "sales.csv")
    assert b"PLANTED" not in written(reader, file_id, "csv", tmp_path)


def test_a_row_of_a_dsr_file_goes_back_as_it_stood(lake: Lake, tmp_path: Path) -> None:
    reader, file_id = lake((SAMPLES / "dsr_ugc/sample.tsv").read_bytes(), "ugc.tsv")
    header, *rows = csv.reader(io.StringIO(written(reader, file_id, "csv", tmp_path).decode()))
    assert header == list(OURS)
    assert [(line, text[:5]) for line, _, text in rows] == [("29", "SU03."), ("33", "LI01.")]


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_the_same_refusals_are_the_same_bytes(lake: Lake, tmp_path: Path, fmt: str) -> None:
    reader, file_id = lake(report(*BAD), "may.csv")
    assert written(reader, file_id, fmt, tmp_path / "a") == written(reader, file_id, fmt, tmp_path / "b")


def test_what_cannot_be_reported_is_said(lake: Lake, tmp_path: Path) -> None:
    reader, file_id = lake(report(), "may.csv")
    for identity, fmt, said in (
        (file_id, "csv", "Nothing of may.csv waits"),
        (file_id, "pdf", "no report format"),
        ("0", "csv", "no file 0"),
    ):
        with pytest.raises(Misuse, match=said):
            refusal_report(reader, KNOWN, identity, fmt, tmp_path)


def test_the_command_writes_and_names_the_file(lake: Lake, tmp_path: Path) -> None:
    reader, file_id = lake(report(*BAD), "may.csv")
    arguments = ["quarantine", "report", file_id, "--to", "xlsx", "--out", str(tmp_path / "out"), "--root", reader.root, "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    assert (tmp_path / "out" / "may-refused.xlsx").is_file()
