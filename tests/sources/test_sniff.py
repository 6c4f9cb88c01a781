"""What a file looks like, how it differs, and a first dialect for what is unknown."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import yaml

from lakehouse.sources.dialect import Header
from lakehouse.sources.draft import OPEN, dialect_id, draft
from lakehouse.sources.guess import guess_column, guess_encoding, guess_table
from lakehouse.sources.lint_dialect import lint_dialect
from lakehouse.sources.recognise import Dialects, load_dialect, load_dialects
from lakehouse.sources.sniff import compare_columns, sniff
from tests.support.reports import SAMPLES, dialects

KNOWN = dialects()
TUNECORE = (SAMPLES / "tunecore/sample.csv").read_bytes()
CONF = SAMPLES.parents[1] / "conf" / "sources"

UNKNOWN = """\
Harbour Audio statement;;;;;;;;;
Sale month;Store;Country of sale;ISRC;EAN;Track title;Artist;Quantity;Net revenue;Buyer e-mail
2026-05;Northstream;DE;QZMO12600001;4006381333931;Night Ferry;Mara Okafor;12;1,204567;a@example.org
2026-05;Northstream;FR;QZMO12600002;4006381333931;Late Later;Mara Okafor;3;0,5;b@example.org
2026-04;Tidewater;AT;QZTL12600001;4006381333931;Glass Harbor;Tove Lindahl;1;-12,25;
"""


def kind(*cells: str) -> tuple[str, str | None]:
    guess = guess_column(1, "x", cells)
    return guess.kind, guess.spelling


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("QZMO12600001", "QZ-MO1-26-00002", ""), ("isrc", None)),
        (("4006381333931", "036000291452"), ("upc", None)),
        (("EUR", "usd"), ("currency", None)),
        (("DE", "FR"), ("territory", "alpha2")),
        (("Germany", "France"), ("territory", "name")),
        (("2026-05-13", "2026-05-14"), ("day", "YYYY-MM-DD")),
        (("05/13/2026", "05/14/2026"), ("day", "MM/DD/YYYY")),
        (("13/05/2026", "01/05/2026"), ("day", "DD/MM/YYYY")),
        (("May 2026", "June 2026"), ("month", "MMMM YYYY")),
        (("2026-05", "2026-06"), ("month", "YYYY-MM")),
        (("12", "1204"), ("count", None)),
        (("1,204.50", "0.000001"), ("amount", "decimal point, up to 6 places")),
        (("1.204,50", "-3,5"), ("amount", "decimal comma, up to 2 places")),
        (("(12.34)", "5E-7", "$3.10"), ("amount", "decimal point, up to 2 places")),
        (('="008"', '="12"'), ("count", 'wrapped as ="..."')),
        (("Night Ferry", "12"), ("text", None)),
        (("", " "), ("blank", None)),
    ],
)
def test_a_column_is_known_by_its_cells(cells: tuple[str, ...], expected: tuple[str, str | None]) -> None:
    assert kind(*cells) == expected


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("é".encode(), "utf-8"),
        ("﻿a".encode(), "utf-8-bom"),
        ("a".encode("utf-16"), "utf-16-le-bom"),
        ("café\r\n".encode("cp1252"), "cp1252"),
        ("夜のフェリー".encode("cp932"), "cp932"),
        (b"\x81\x8d", "latin-1"),
    ],
)
def test_an_encoding_is_guessed(data: bytes, encoding: str) -> None:
    assert guess_encoding(data) == encoding


@pytest.mark.parametrize("folder", sorted(path.parent for path in SAMPLES.glob("*/sample.*")), ids=lambda folder: folder.name)
def test_the_look_of_every_sample_agrees_with_its_dialect(folder: Path) -> None:
    known = KNOWN[folder.name]
    sample = next(folder.glob("sample.*"))
    parts = sniff(sample.read_bytes(), sample.name, KNOWN)
    # What no file of the format says, whoever lands it says.
    assert parts["dialect"] == (None if known.given else folder.name)
    part = next(part for part in parts["parts"] if any(near["fits"] for near in part["nearest"]))
    if known.dsr is None:
        assert part["looks"]["delimiter"] == known.delimiter
        assert len(part["looks"]["preamble"]) <= len(known.preamble)
        assert {*known.header.columns} - {*part["looks"]["header"]} <= {*known.header.also}


def test_an_unknown_file_is_described() -> None:
    looks = guess_table(UNKNOWN.encode())
    assert looks is not None
    assert (looks.encoding, looks.line_end, looks.delimiter, looks.rows) == ("utf-8", "LF", ";", 3)
    assert looks.preamble == ("Harbour Audio statement;;;;;;;;;",)
    kinds = [(column.kind, column.spelling) for column in looks.columns]
    assert kinds == [
        ("month", "YYYY-MM"), ("text", None), ("territory", "alpha2"), ("isrc", None), ("upc", None), ("text", None), ("text", None),
        ("count", None), ("amount", "decimal comma, up to 6 places"), ("text", None),
    ]  # fmt: skip
    assert [column.personal for column in looks.columns] == [False] * 9 + [True]
    assert [column.filled for column in looks.columns] == [3] * 9 + [2]


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02" * 500, b"one column\n1\n2\n", b"1,2\n3,4\n", b"%PDF-1.7\nxx\n"])
def test_what_is_no_table_is_not_made_one(data: bytes) -> None:
    assert guess_table(data) is None


def test_a_drifted_report_is_compared_column_by_column() -> None:
    drifted = TUNECORE.replace(b"Sales Period,Posted Date", b"Posted Date,Sales Period", 1).replace(
        b"Total Earned", b"Total Earnings", 1
    )
    found = sniff(gzip.compress(drifted.replace(b"Label,", b"Imprint,", 1)), "june.csv.gz", KNOWN)
    assert found["dialect"] is None
    near = found["parts"][0]["nearest"][0]
    assert (near["dialect"], found["parts"][0]["container"]) == ("tunecore", "gzip")
    status = {(column["found"], column["expected"]): column["status"] for column in near["columns"]}
    assert status["Posted Date", "Posted Date"] == "moved"
    assert status["Total Earnings", "Total Earned"] == "renamed"
    assert status["Imprint", None] == "unknown"
    assert status[None, "Label"] == "missing"
    assert status[None, "Commission"] == "optional"
    assert status["UPC", "UPC"] == "same"


def test_every_column_of_either_side_is_compared_once() -> None:
    rows = compare_columns(["a", "total sum", "x"], Header(columns=("total sums", "a", "b")))
    assert [(row["found"], row["expected"], row["status"]) for row in rows] == [
        ("a", "a", "moved"),
        ("total sum", "total sums", "renamed"),
        ("x", None, "unknown"),
        (None, "b", "missing"),
    ]


def test_a_draft_leaves_open_what_only_a_person_knows(tmp_path: Path) -> None:
    looks = guess_table(UNKNOWN.encode())
    assert looks is not None
    text, left = draft(looks, "harbour")
    assert [sentence.split(":")[0] for sentence in left] == ["configuration", "currency", "amount"]
    document = yaml.safe_load(text)
    assert document["grammar"] == {"decimal": ",", "months": ["YYYY-MM"], "territories": ["alpha2"]}
    assert document["personal"] == ["Buyer e-mail"]
    assert document["map"]["amount"] == "Net revenue"
    assert document["map"]["currency"] == OPEN
    path = tmp_path / "harbour.yaml"
    path.write_text(text, encoding="utf-8")
    findings = lint_dialect(path, KNOWN)
    assert {finding["rule"] for finding in findings} == {"open"}
    lines = text.splitlines()
    assert all(OPEN in lines[finding["line"] - 1] for finding in findings)


def test_a_finished_draft_reads_the_file_it_came_from(tmp_path: Path) -> None:
    looks = guess_table(UNKNOWN.encode())
    assert looks is not None
    text, _ = draft(looks, "harbour")
    finished = (
        text.replace(f'configuration: "{OPEN}"', "configuration: {constant: stream}")
        .replace(f'currency: "{OPEN}"', "currency: {constant: EUR}")
        .replace(f'"{OPEN} Who', '"Who')
    )
    path = tmp_path / "harbour.yaml"
    path.write_text(finished, encoding="utf-8")
    assert [finding for finding in lint_dialect(path, KNOWN) if finding["severity"] == "error"] == []
    own = load_dialects([CONF, tmp_path])
    seen = own.recognise(UNKNOWN.encode(), "may.csv")
    assert seen.dialect is not None
    assert seen.dialect.id == "harbour"


@pytest.mark.parametrize("name", sorted(KNOWN.by_id))
def test_no_shipped_dialect_has_an_error(name: str) -> None:
    assert [finding for finding in lint_dialect(CONF / f"{name}.yaml", KNOWN) if finding["severity"] == "error"] == []


@pytest.mark.parametrize(
    ("change", "line_of", "rule", "said"),
    [
        (
            ("amount: Total Earned", "amount: Total Earnd"),
            "amount: Total Earnd",
            "value_error",
            "there is no column 'Total Earnd'",
        ),
        (("key:", "keys:"), "keys:", "extra_forbidden", "keys"),
        (("id: tunecore", "id: Tune Core"), "id:", "string_pattern_mismatch", "id"),
        (("header:", "header: ["), "map:", "yaml", "not YAML"),
    ],
)
def test_what_is_wrong_with_a_dialect_is_said_with_its_line(
    tmp_path: Path, change: tuple[str, str], line_of: str, rule: str, said: str
) -> None:
    text = (CONF / "tunecore.yaml").read_text(encoding="utf-8")
    if change[0] not in text:
        text += "key: [name]\n"
    path = tmp_path / "tunecore.yaml"
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    findings = lint_dialect(path, KNOWN)
    assert findings
    found = next(finding for finding in findings if finding["rule"] == rule)
    assert said in found["message"]
    if rule != "yaml":
        assert line_of in path.read_text(encoding="utf-8").splitlines()[found["line"] - 1]


def test_a_dialect_that_cannot_be_told_from_another_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((CONF / "tunecore.yaml").read_text(encoding="utf-8").replace("id: tunecore", "id: mine", 1), encoding="utf-8")
    findings = lint_dialect(path, KNOWN)
    assert [(finding["rule"], "tunecore" in finding["message"]) for finding in findings if finding["severity"] == "error"] == [
        ("ambiguous", True)
    ]
    alone = lint_dialect(path, Dialects({"mine": load_dialect(path)}))
    assert {finding["severity"] for finding in alone} == {"warn"}


@pytest.mark.parametrize(
    ("name", "identity"), [("June Report_2026-06.csv", "june_report"), ("2026.csv", "2026"), ("--.csv", "my_report")]
)
def test_an_id_comes_from_the_files_name(name: str, identity: str) -> None:
    assert dialect_id(name) == identity
