"""Recognition is strict: a file is one format exactly, or is refused with what differs."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from lakehouse.errors import Misuse
from lakehouse.sources.dialect import Dialect
from lakehouse.sources.recognise import load_dialect, load_dialects
from lakehouse.sources.report import describe_report, name_stem
from tests.support.reports import SAMPLES, dialects

KNOWN = dialects()
TUNECORE = (SAMPLES / "tunecore/sample.csv").read_bytes()
SPOTIFY = (SAMPLES / "spotify_a/sample.txt").read_bytes()
DSR = (SAMPLES / "dsr_basic_audio/sample.tsv").read_bytes()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def refusal(data: bytes) -> str:
    recognition = KNOWN.recognise(data, "report.csv")
    assert recognition.dialect is None
    assert recognition.reason is not None
    return recognition.reason


def test_the_same_bytes_have_one_id_under_any_name_or_compression() -> None:
    plain = KNOWN.recognise(TUNECORE, "june.csv")
    packed = [
        gzip.compress(TUNECORE),
        zipped(a=TUNECORE),
        zipped(a=gzip.compress(TUNECORE)),
        gzip.compress(TUNECORE[:99]) + gzip.compress(TUNECORE[99:]),
    ]
    found = [KNOWN.recognise(data, "not-really.csv") for data in packed]
    assert {recognition.file_id for recognition in found} == {plain.file_id}
    assert [recognition.container for recognition in found] == ["gzip", "zip", "zip+gzip", "gzip"]


def test_of_a_zip_with_summaries_only_the_report_counts() -> None:
    recognition = KNOWN.recognise(
        zipped(**{"stores.csv": b"Store,Total\nX,1\n", "report.csv": TUNECORE, "__MACOSX/x": b"y"}), "june.zip"
    )
    assert recognition.dialect is not None
    assert recognition.dialect.id == "tunecore"
    assert recognition.name == "report.csv"


def test_a_zip_with_two_reports_is_refused() -> None:
    assert "exactly one must be a report; found: a.csv (tunecore), b.txt (spotify_a)" in refusal(
        zipped(**{"a.csv": TUNECORE, "b.txt": SPOTIFY})
    )


def test_a_missing_column_is_named() -> None:
    lines = TUNECORE.decode().replace("Optional UPC,", "", 1)
    assert "nearest is tunecore (TuneCore sales), but column 'Optional UPC' is missing" in refusal(lines.encode())


def test_a_drifted_column_is_named_with_its_place() -> None:
    reason = refusal(TUNECORE.replace(b"Total Earned", b"Total Earnings", 1))
    assert "column 'Total Earned' is missing; column 20 'Total Earnings' is not known" in reason


def test_columns_in_another_order_are_refused_where_order_is_exact() -> None:
    reason = refusal(TUNECORE.replace(b"Sales Period,Posted Date", b"Posted Date,Sales Period", 1))
    assert (
        "column 1 is 'Posted Date' where 'Sales Period' is expected; column 2 is 'Sales Period' where 'Posted Date' is expected"
        in reason
    )


def test_a_column_that_stands_twice_is_refused() -> None:
    assert "column 'UPC' stands twice" in refusal(TUNECORE.replace(b"Optional UPC", b"UPC", 1))


def test_optional_columns_must_trail_in_their_order() -> None:
    assert KNOWN.recognise(TUNECORE.replace(b",Currency\r\n", b",Currency,Commission\r\n", 1), "x").dialect is not None
    assert "where 'Currency' is expected" in refusal(TUNECORE.replace(b",Currency\r\n", b",Commission,Currency\r\n", 1))


def test_a_preamble_that_differs_is_shown() -> None:
    assert "line 2 is 'no dates here' where a line like" in refusal(b"1.2\nno dates here\n" + SPOTIFY.split(b"\n", 2)[2])


def test_bytes_that_are_not_text_of_the_encoding_are_shown_with_their_line() -> None:
    broken = TUNECORE.replace(b"Porchlight", b"Porch\x9dight", 1)
    assert "byte 0x9D near line 2 is not utf-8" in refusal(broken)


def test_a_decimal_mark_that_changes_in_the_file_is_refused() -> None:
    sample = (SAMPLES / "believe/sample.csv").read_bytes()
    comma = (SAMPLES / "believe/comma.csv").read_bytes().split(b"\n", 1)[1]
    assert "its numbers are written in two ways" in refusal(sample + comma)


def test_an_unknown_dsr_record_version_is_refused_by_name() -> None:
    assert "no layout for record SU02.02" in refusal(DSR.replace(b"\nSU02\tB2\tS1", b"\nSU02.02\tB2\tS1"))


def test_another_dsr_profile_is_refused_by_name() -> None:
    assert "HEAD declares the profile 'LicensingProfile'" in refusal(DSR.replace(b"BasicAudioProfile", b"LicensingProfile", 1))
    assert "dsr_ugc has no layout for record SU01, SU02" in refusal(DSR.replace(b"BasicAudioProfile", b"UgcProfile", 1))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"\x00\x01\x02" * 1000, "no known report looks like it"),
        (b"Date,Balance\n2026-01-01,3\n", "no known report looks like it"),
        (gzip.compress(TUNECORE)[:-20], "its gzip data is cut off"),
        (gzip.compress(b"\0" * (40 << 20)), "a decompression bomb"),
        (zipped(a=b"\0" * (40 << 20)), "a decompression bomb"),
        (gzip.compress(gzip.compress(gzip.compress(TUNECORE))), "nested more than twice"),
        (b"PK\x03\x04 not a zip", "its ZIP data cannot be read"),
        (zipped(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}), "its workbook cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old binary form"),
        (b"<html><body>sorry</body></html>", "its HTML holds no table"),
    ],
)
def test_what_is_no_report_is_refused_in_words(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


@pytest.mark.parametrize(
    ("name", "stem", "hint"),
    [
        ("dumps/June Report_v2.CSV.gz", "june report", "v2"),
        ("june report (1).csv", "june report", "1"),
        ("june-report-restated.csv", "june-report", "restated"),
        ("june_corrections.csv", "june_corrections", None),
        ("v2.csv", "v2", "v2"),
        ("ev2.csv", "ev2", None),
    ],
)
def test_marks_of_another_sending_are_told_from_the_name(name: str, stem: str, hint: str | None) -> None:
    assert name_stem(name) == (stem, hint)


def test_two_sendings_of_one_report_share_a_key_and_two_reports_do_not() -> None:
    first, again, other = (
        describe_report(KNOWN.recognise(TUNECORE, name)) for name in ("june.csv", "june_v2.csv.gz", "july.csv")
    )
    assert first.report_key == again.report_key != other.report_key
    assert (first.version_hint, again.version_hint) == (None, "v2")


def test_a_dialect_that_names_no_column_of_its_own_is_refused(tmp_path: Path) -> None:
    text = (SAMPLES.parents[1] / "conf/sources/cdbaby.yaml").read_text(encoding="utf-8")
    path = tmp_path / "cdbaby.yaml"
    path.write_text(text.replace("amount: Subtotal", "amount: Subtotall"), encoding="utf-8")
    with pytest.raises(Misuse, match=r"cdbaby\.yaml: .*map: there is no column 'Subtotall'"):
        load_dialect(path)


def test_a_dialect_of_ones_own_may_not_redefine_a_known_one(tmp_path: Path) -> None:
    conf = SAMPLES.parents[1] / "conf/sources"
    (tmp_path / "cdbaby.yaml").write_text((conf / "cdbaby.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(Misuse, match="a dialect named 'cdbaby' exists already"):
        load_dialects([conf, tmp_path])


def test_the_dialect_has_a_json_schema() -> None:
    schema = Dialect.model_json_schema()
    assert schema["additionalProperties"] is False
    assert {"id", "header", "map", "period"} <= set(schema["required"])
