"""DSR flat files: layouts are data, rows inherit, and what the file says of itself is held against its rows."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import Misuse
from lakehouse.model.usage import FIELDS, reasons_against
from lakehouse.settings import conf_dir
from lakehouse.sources.beside import beside_reader
from lakehouse.sources.controls import GIVEN, check_controls
from lakehouse.sources.dsr_layouts import load_layouts, parse_row, values_of
from lakehouse.sources.mapping import RowReader
from lakehouse.sources.recognise import Recognition
from lakehouse.sources.records import Record, read_records
from tests.support.dsr import PROFILES, block_file, layouts, row, single_file
from tests.support.reports import SAMPLES, dialects

KNOWN = dialects()
ALL = layouts()
VERSIONS = yaml.safe_load((conf_dir() / "dsr" / "records.yaml").read_text(encoding="utf-8"))["profiles"]
UGC = (SAMPLES / "dsr_ugc/sample.tsv").read_bytes()
FINANCIAL = (SAMPLES / "dsr_financial_reporting/sample.tsv").read_text(encoding="utf-8")


def recognised(text: str | bytes) -> Recognition:
    found = KNOWN.recognise(text.encode() if isinstance(text, str) else text, "report.tsv")
    assert found.dialect, found.reason
    return found


def records(text: str | bytes) -> list[Record]:
    found = recognised(text)
    assert found.dialect
    return list(read_records(found.payload, found.dialect, found.encoding or "utf-8"))


def usage_lines(text: str | bytes) -> list[dict[str, str | None]]:
    """The canonical text of the data rows that nothing is held against."""
    found = recognised(text)
    assert found.dialect
    reader = RowReader(found.dialect)
    lines = []
    for record in records(text):
        if record.kind == "data":
            fields, faults = reader.read(record.cells, found.captured, record.error)[:2]
            canonical = dict(zip(FIELDS, fields, strict=True))
            if not faults and not reasons_against(canonical):
                lines.append(canonical)
    return lines


def broken(text: str) -> dict[str, tuple[str, str]]:
    """The controls that do not hold: declared and found."""
    found = recognised(text)
    assert found.dialect
    return {c.name: (c.declared, c.found) for c in check_controls(records(text), found.dialect) if not c.ok}


def test_every_profile_and_version_has_its_layouts() -> None:
    assert sum(len(versions) for versions in VERSIONS.values()) == 12
    assert set(VERSIONS) == set(PROFILES)
    for name, versions in VERSIONS.items():
        kinds = {kind for version in versions.values() for kind in version.split()}
        assert set(layouts(name).records) == kinds
        assert kinds & {"HEAD", "SRHE"}
        assert kinds & {"FOOT", "SRFO"}


@pytest.mark.parametrize("kind", sorted(ALL.records))
def test_a_record_of_every_layout_is_cut_into_its_columns(kind: str) -> None:
    columns = ALL.records[kind]
    filled = {column.name: f"{column.name} of {kind}" for column in columns[1:]}
    assert parse_row(row(kind, **filled), ALL) == {"RecordType": kind, **filled}
    assert "cells where its layout has" in str(parse_row(row(kind, **filled) + "\tmore", ALL))
    needed = next((column for column in columns[1:] if not column.optional), None)
    if needed:
        assert parse_row(row(kind, **{**filled, needed.name: ""}), ALL) == f"a {kind} record has no {needed.name}"


def test_layouts_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "records.yaml"
    path.write_text("records: {}\n", encoding="utf-8")
    with pytest.raises(Misuse, match="the record layouts of UgcProfile cannot be read"):
        load_layouts(path, ("UgcProfile",))


@given(st.lists(st.text(st.characters(blacklist_characters="\\|\t\n\r"), min_size=1), min_size=1))
def test_values_of_a_repeated_cell_come_back(values: list[str]) -> None:
    assert values_of("|".join(values)) == values
    assert values_of("|".join(value + r"\|x" for value in values)) == [value + "|x" for value in values]


def test_a_video_services_file_is_counted_record_by_record() -> None:
    found = records(UGC)
    kinds = Counter(record.text.split("\t")[0] for record in found if record.kind != "comment")
    assert kinds == {"HEAD": 1, "SY02.01": 3, "AS01": 4, "MW01.01": 4, "RU01": 4, "SU03.01": 4, "LI01.01": 5, "FOOT": 1}
    assert sum(record.kind == "comment" for record in found) == 8
    assert len(found) == 34


def test_summaries_of_one_id_say_only_what_they_agree_on() -> None:
    head = UGC.decode().replace("\tIS\tAdSupport\t700", "\tNO\tAdSupport\t700")
    # The line item of LABEL_2 takes its own summary's territory.
    assert [line["territory"] for line in usage_lines(head)] == ["IS", "IS", "NO", "IS"]
    stranger = head.replace("LI01.01\t1\t1\tLABEL_1", "LI01.01\t1\t1\tLABEL_9")
    # LABEL_9 has no summary of its own, and the three differ.
    assert usage_lines(stranger)[0]["territory"] == "ZZ"


def test_a_footer_that_counts_one_line_too_many_is_a_broken_control() -> None:
    text = UGC.decode().replace("FOOT\t34\t34", "FOOT\t35\t35")
    assert broken(text) == {"NumberOfLinesInFile": ("35", "34"), "NumberOfLinesInReport": ("35", "34")}


def test_one_file_of_two_does_not_answer_for_the_report() -> None:
    text = UGC.decode().replace("\t1\t1\t2026-05-01", "\t1\t2\t2026-05-01").replace("FOOT\t34\t34", "FOOT\t34\t68")
    assert broken(text) == {}


def test_a_financial_total_that_its_rows_do_not_make_is_a_broken_control() -> None:
    assert broken(FINANCIAL) == {}
    text = FINANCIAL.replace("\t0.900000000000000000\t", "\t0.900000000000000001\t")
    # The declared 0.99 and 2.79 have two decimals: the sum rounds to them.
    assert broken(text) == {}
    text = FINANCIAL.replace("\t0.900000000000000000\t", "\t0.906\t")
    assert broken(text) == {
        "AllocatedNetRevenueInCurrencyOfAccounting of summary S1": ("0.99", "0.996"),
        "FinalTotalAmountInCurrencyOfAccounting of summary S1": ("2.79", "2.796"),
    }


def test_deductions_are_added_up_and_an_exchange_rate_that_does_not_fit_is_a_warning() -> None:
    text = FINANCIAL.replace("\tStore\t1\t0.09\t", "\tVAT|Store\t1|2\t0.09|0.18\t", 1).replace(
        "\t10\t0.900000000000000000\t", "\t11\t0.900000000000000000\t"
    )
    read = beside_reader(KNOWN["dsr_financial_reporting"])
    assert read
    amounts, warnings = read(next(record.cells for record in records(text) if record.line_no == 4) or [])
    assert (amounts["SR.DeductionsInCurrencyOfTransaction+"], amounts["SR.DeductionsInCurrencyOfAccounting+"]) == ("3", "0.27")
    [warning] = warnings
    assert "SY.ExchangeRate" in warning
    assert "0.99" in warning
    for record in records(FINANCIAL):
        if record.cells:
            assert read(record.cells)[1] == []


@pytest.mark.parametrize(
    ("figure", "text", "ok"), [("revenue", "16.10", False), ("revenue", "25.095678901234567", True), ("rows", "6", True)]
)
def test_a_figure_that_is_given_is_held_against_the_rows(figure: str, text: str, ok: bool) -> None:
    found = recognised(UGC)
    assert found.dialect
    controls = check_controls(records(UGC), found.dialect, captured={**found.captured, f"{GIVEN}{figure}": text})
    [given_control] = [control for control in controls if control.name == f"given {figure}"]
    assert given_control.ok is ok


def test_fees_that_cannot_be_read_quarantine_their_summary() -> None:
    text = FINANCIAL.replace("1.35|0.45", "1.35|much")
    refused = [record for record in records(text) if record.error]
    assert [(record.line_no, record.error) for record in refused] == [(2, "the fees 1.35|much cannot be read")]


def test_the_variant_of_single_records_is_known_by_its_suffix() -> None:
    for profile in ("BasicAudioProfile", "basicaudioprofilesrb"):
        found = recognised((SAMPLES / "dsr_basic_audio/single.tsv").read_text().replace("BasicAudioProfileSRB", profile))
        assert found.dialect
        assert found.dialect.id == "dsr_basic_audio"


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10), st.booleans()), min_size=1, max_size=20),
    st.integers(0, 10**30),
)
def test_the_rows_of_a_summary_share_its_amount_to_the_last_digit(rows: list[tuple[int, int, bool]], amount: int) -> None:
    revenue = f"{Decimal(amount).scaleb(-18):f}"
    sold = [
        row(
            "SU01", BlockId="B1", SummaryRecordId="S1", SalesTransactionId=f"T{n}", TransactedResource="A1", IsRoyaltyBearing=str(bearing).lower(),
            SalesUpgrade="false", Usages=str(used), Returns=str(returned),
        )
        for n, (used, returned, bearing) in enumerate(rows)
    ]  # fmt: skip
    text = block_file(
        "BasicAudioProfile", "1.2",
        row("SY01.01", SummaryRecordId="S1", CommercialModel="PayAsYouGoModel", UseType="Download", Territory="DE", Usages="1", CurrencyOfReporting="EUR",
            NetRevenue=revenue),
        row("AS01.01", BlockId="B1", ResourceReference="A1", DspResourceId="d", Title="T", DisplayArtistName="A", ResourceType="SoundRecording"),
        *sold,
    )  # fmt: skip
    found = recognised(text)
    assert found.dialect
    reader = RowReader(found.dialect)
    place = list(FIELDS).index("amount")
    amounts = [
        Decimal(reader.read(record.cells, found.captured, record.error)[0][place] or 0)
        for record in records(text)
        if record.kind == "data" and record.cells
    ]
    # Where no row can carry the amount, the summary's own line carries it into quarantine.
    with localcontext(prec=100):
        assert sum(amounts) == Decimal(revenue)


def test_a_nineteenth_decimal_of_a_summary_is_not_paid_and_not_lost() -> None:
    text = (SAMPLES / "dsr_basic_audio/single.tsv").read_text(encoding="utf-8").replace("\t6.3\n", "\t6.3000000000000000019\n")
    found = recognised(text)
    assert found.dialect
    assert [line["amount"] for line in usage_lines(text)][-1] == "6.300000000000000001"
    controls = {c.name: (c.declared, c.found) for c in check_controls(records(text), found.dialect)}
    assert controls["residue of summary S2, not paid"] == ("6.3000000000000000019", "0.0000000000000000009")


def test_a_footer_of_single_records_counts_the_report() -> None:
    text = single_file("UgcProfileSRB", "1.2")
    assert [(c.name, c.declared, c.found) for c in check_controls(records(text), KNOWN["dsr_ugc"])] == [
        ("NumberOfLinesInReport", "2", "2"),
        ("NumberOfSummaryRecords", "0", "0"),
    ]
