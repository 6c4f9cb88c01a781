"""YAML documents that remember their lines, and stay what is written."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from lakehouse.model.documents import Document, Finding, read_document


def _document(text: str) -> Document:
    document = read_document(text, "c.yaml")
    assert isinstance(document, Document)
    return document


def _refusal(text: str) -> Finding:
    finding = read_document(text, "c.yaml")
    assert isinstance(finding, Finding)
    assert (finding.file, finding.rule, finding.severity) == ("c.yaml", "yaml", "error")
    return finding


def test_scalars_stay_what_is_written() -> None:
    text = "country: NO\nfrom: 2026-01-15\nrate: 0.10\ntime: 12:30\nyes: on\nnothing:\nid: 0012345\n"
    assert _document(text).data == {
        "country": "NO", "from": "2026-01-15", "rate": "0.10", "time": "12:30", "yes": "on", "nothing": None, "id": "0012345",
    }  # fmt: skip


def test_every_node_knows_its_line() -> None:
    document = _document("# a comment\na: 1\nterms:\n  - clause: x\n    rate: 5%\n  - {clause: y}\n")
    assert document.line(("a",)) == 2
    assert document.line(("terms", 0, "rate")) == 5
    assert document.line(("terms", 1, "clause")) == 6


def test_a_node_that_is_not_there_has_the_line_of_its_nearest_ancestor() -> None:
    document = _document("a: 1\nterms:\n  - clause: x\n")
    assert document.line(("terms", 0, "to")) == 3
    assert document.line(("nowhere",)) == 1


def test_a_key_that_is_given_twice_is_refused_at_its_second_place() -> None:
    finding = _refusal("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert (finding.line, finding.message) == (4, "the key 'c' is given twice")


def test_text_that_is_not_yaml_is_refused_where_it_breaks() -> None:
    assert _refusal("a: 1\nb: [1, 2\nc: 3\n").line == 3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: &x {b: 1}\nc: *x\n", 2, "an alias stands for a value written elsewhere: write the value out"),
        ("a: &x [*x]\n", 1, "an alias stands for a value written elsewhere: write the value out"),
        ("a: 1\n? [b, c]\n: 2\n", 2, "a key is a list or a mapping"),
        ("a: 1\n---\nb: 2\n", 3, "but found another document"),
        ("[" * 5000, 1, "the document is nested too deeply to be read"),
        ("a: \x07\n", 1, "special characters are not allowed"),
    ],
)
def test_what_cannot_stand_in_a_contract_is_a_finding_and_no_crash(text: str, line: int, message: str) -> None:
    finding = _refusal(text)
    assert finding.line == line
    assert message in finding.message


def test_a_finding_says_file_line_severity_message_and_rule() -> None:
    assert str(Finding("c.yaml", 3, "cycle", "error", "it runs in a circle")) == "c.yaml:3: error: it runs in a circle [cycle]"


class _Term(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rate: int
    to: str


class _Contract(BaseModel):
    terms: list[_Term]


def test_what_the_model_refuses_is_found_with_its_line_and_its_name() -> None:
    document = _document("terms:\n  - rate: x\n    to: A\n    too: B\n  - rate: 1\n")
    with pytest.raises(ValidationError) as caught:
        _Contract.model_validate(document.data)
    found = {(f.line, f.rule, f.message.split(":")[0]) for f in document.findings_of(caught.value)}
    assert found == {(2, "int_parsing", "terms.0.rate"), (4, "extra_forbidden", "terms.0.too"), (5, "missing", "terms.1.to")}
