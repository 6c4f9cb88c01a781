"""Every format: its sample file becomes exactly what its expectation says. Adding a format adds a folder here, and no code."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import astuple
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse.model.plain_yaml import read_yaml
from lakehouse.model.usage import FIELDS, UsageLine, reasons_against
from lakehouse.model.vocabulary import NOT_INCOME
from lakehouse.sources.beside import beside_reader
from lakehouse.sources.controls import check_controls
from lakehouse.sources.dialect import REPORT_PERIOD
from lakehouse.sources.mapping import RowReader
from lakehouse.sources.recognise import Recognition
from lakehouse.sources.records import Record, read_records
from lakehouse.sources.report import describe_report
from lakehouse.sources.text import encode
from tests.support.reports import SAMPLES, bronze_frames, dialects, recognised

EXPECTATIONS = sorted(SAMPLES.glob("*/expected*.yaml"))
KNOWN = dialects()


@functools.cache
def expected_of(path: Path) -> dict[str, Any]:
    expected: dict[str, Any] = read_yaml(path.read_text(encoding="utf-8"))
    return expected


def sample_of(expectation: Path) -> Path:
    name = expected_of(expectation).get("sample")
    return expectation.parent / name if name else next(expectation.parent.glob("sample.*"))


def name_of(expectation: Path) -> str:
    return f"{expectation.parent.name}/{sample_of(expectation).name}"


def recognised_as_expected(path: Path) -> tuple[dict[str, Any], Recognition]:
    """The expectation, and its sample recognised with what it says that whoever lands the file must tell."""
    expected = expected_of(path)
    return expected, recognised(sample_of(path), KNOWN, expected.get("given", {}))


def records_of(recognition: Recognition) -> list[Record]:
    assert recognition.dialect
    assert recognition.encoding
    return list(read_records(recognition.payload, recognition.dialect, recognition.encoding, recognition.variant))


@pytest.fixture(scope="module")
def conformed(spark: Any) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """file_id: its rows of each result. One pass over all samples together."""
    from lakehouse.transforms.conform import conform

    samples = [recognised_as_expected(path) for path in EXPECTATIONS]
    periods = {recognition.file_id: expected["period"] for expected, recognition in samples if "period" in expected}
    lines, files = bronze_frames(spark, [recognition for _, recognition in samples], periods)
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for name, frame in conform(lines, files, KNOWN)._asdict().items():
        for row in sorted(frame.collect(), key=lambda row: row.line_no):
            found[row.file_id][name].append(row.asDict(recursive=True))
    return found


def test_every_dialect_has_a_sample_and_an_expectation() -> None:
    assert {path.parent.name for path in EXPECTATIONS} == set(KNOWN.by_id)


@pytest.mark.parametrize("path", EXPECTATIONS, ids=name_of)
def test_a_sample_is_recognised_as_its_own_format(path: Path) -> None:
    expected, recognition = recognised_as_expected(path)
    assert recognition.dialect is not None
    assert recognition.dialect.id == path.parent.name
    assert recognition.variant == expected.get("variant")
    assert recognition.encoding == expected.get("encoding", "utf-8")
    assert describe_report(recognition, expected.get("period")).report_period == expected["report_period"]


@pytest.mark.parametrize("path", EXPECTATIONS, ids=name_of)
def test_a_sample_is_rebuilt_from_its_records(path: Path) -> None:
    _, recognition = recognised_as_expected(path)
    assert recognition.dialect
    assert recognition.encoding
    records = records_of(recognition)
    rebuilt = encode("".join(record.text + record.eol for record in records), recognition.encoding)
    if recognition.dialect.personal:
        planted = encode("PLANTED", recognition.encoding).removeprefix(encode("", recognition.encoding))
        assert planted in recognition.payload
        assert planted not in rebuilt
        assert not any("PLANTED" in str(record) for record in records)
    else:
        assert rebuilt == recognition.payload
    following = [record.line_no + (record.text + record.eol).count("\n") for record in records if record.eol]
    assert [record.line_no for record in records] == [1, *following][: len(records)]


@pytest.mark.parametrize("path", EXPECTATIONS, ids=name_of)
def test_the_senders_figures_are_held_against_the_rows(path: Path) -> None:
    expected, recognition = recognised_as_expected(path)
    assert recognition.dialect
    results = check_controls(records_of(recognition), recognition.dialect, recognition.variant)
    assert [list(astuple(result)) for result in results] == expected.get("controls", [])


@pytest.mark.parametrize("path", EXPECTATIONS, ids=name_of)
def test_a_sample_becomes_what_its_expectation_says(path: Path) -> None:
    """By the reader and the contract of a usage line alone, without Spark."""
    expected, recognition = recognised_as_expected(path)
    hold_against(expected, read_alone(recognition, expected["report_period"]))


@pytest.mark.spark
@pytest.mark.parametrize("path", EXPECTATIONS, ids=name_of)
def test_a_sample_becomes_the_same_in_spark(path: Path, conformed: dict[str, Any]) -> None:
    expected, recognition = recognised_as_expected(path)
    hold_against(expected, conformed[recognition.file_id])


@pytest.mark.spark
def test_every_data_line_ends_in_exactly_one_place(conformed: dict[str, Any]) -> None:
    for path in EXPECTATIONS:
        _, recognition = recognised_as_expected(path)
        placed = sorted(row["line_no"] for rows in conformed[recognition.file_id].values() for row in rows)
        assert placed == [record.line_no for record in records_of(recognition) if record.kind == "data"]


def read_alone(recognition: Recognition, report_period: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each result of `conform`, as far as an expectation looks at them."""
    assert recognition.dialect
    read_as = recognition.dialect.under(recognition.variant)
    reader, beside = RowReader(read_as), beside_reader(read_as)
    captured = {**recognition.captured, REPORT_PERIOD: report_period}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records_of(recognition):
        if record.kind != "data":
            continue
        texts, faults = reader.read(record.cells, captured, record.error)
        canonical = dict(zip(FIELDS, texts, strict=True))
        if canonical["meaning"] in NOT_INCOME:
            rows["ignored"].append({"line_no": record.line_no, "meaning": canonical["meaning"]})
            continue
        reasons = [*faults, *(reasons_against(canonical) if record.cells is not None else [])]
        if reasons:
            readable = all(canonical[name] and FIELDS[name].fits(canonical[name] or "") for name in ("amount", "currency"))
            money = {"amount": Decimal(canonical["amount"] or 0) if readable else None, "currency": canonical["currency"]}
            listed = [reason._asdict() for reason in reasons]
            rows["quarantine"].append({"line_no": record.line_no, **money, "reasons": listed})
        else:
            line = UsageLine.model_validate(canonical)
            further, odd = beside(record.cells or []) if beside else ({}, [])
            found = {
                "amounts": {name: Decimal(text) for name, text in further.items()},
                "warnings": [*line.warnings, *odd] or None,
            }
            rows["usage"].append({"line_no": record.line_no, **line.model_dump(), **found})
    return rows


def hold_against(expected: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    usage, ignored, refused = rows["usage"], rows["ignored"], rows["quarantine"]
    found = {
        row["line_no"]: [" ".join(filter(None, (reason["column"], reason["rule"]))) for reason in row["reasons"]]
        for row in refused
    }
    assert found == expected.get("refused", {})
    assert {row["line_no"]: row["meaning"] for row in ignored} == expected.get("ignored", {})
    assert {"accepted": len(usage), "ignored": len(ignored), "quarantined": len(refused)} == expected["rows"]
    assert totals(usage) == amounts(expected["totals"])
    assert totals(refused) == amounts(expected.get("quarantined_totals", {}))
    by_line = {row["line_no"]: row for row in usage}
    for line in expected.get("first", ()):
        assert {name: by_line[line["line_no"]][name] for name in line} == {
            name: value_of(name, text) for name, text in line.items()
        }


def totals(rows: list[dict[str, Any]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["amount"] is not None:
            sums[row["currency"]] += row["amount"]
    return dict(sums)


def amounts(texts: dict[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(text) for currency, text in texts.items()}


def value_of(name: str, text: Any) -> Any:
    if name == "amounts":
        return {column: Decimal(figure) for column, figure in text.items()}
    if name in ("amount", "units", "gross") and text is not None:
        return Decimal(text)
    # YAML reads a day as a date and a month as text.
    return date.fromisoformat(text) if name == "sale_date" and isinstance(text, str) else text
