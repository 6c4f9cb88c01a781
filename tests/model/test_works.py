"""Contracts for works (F-16): what they may cover and say, and which of them a work is paid by; what routing keeps of a link."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.model.lint import read_book
from lakehouse.model.routing import Payload, read_ruleset
from lakehouse.settings import conf_dir
from tests.model.test_routing import NOBODY, payload

_TERM = "{clause: publishing_share, rate: 12%, to: {P-MIRA: 100%}}"


def _book(covers: str, term: str = _TERM, more: str = "") -> tuple[Any, list[str]]:
    text = f"""contract: W-1
version: "1"
title: Publishing
effective: {{from: 2026-01, to: 2026-06}}
label: P-LABEL
parties:
  P-LABEL: {{name: Kitetail Records}}
  P-MIRA: {{name: Mira Okoye}}
covers: {covers}
{more}terms:
  - {term}
"""
    book, findings = read_book({"works.yaml": text})
    return book, [str(finding) for finding in findings if finding.severity == "error"]


def test_a_work_is_paid_by_its_contract_while_that_is_in_force_and_a_recording_never_is() -> None:
    book, errors = _book("{works: [T-034.524.680-1]}")
    assert errors == []
    found = book.in_force("work:T0345246801", "", None, "2026-05")
    assert found is not None
    assert found.contract == "W-1"
    assert book.in_force("work:T0345246801", "", None, "2026-07") is None
    assert book.in_force("work:T9109247316", "", None, "2026-05") is None
    assert book.in_force("T0345246801", "Mira Okoye", None, "2026-05") is None
    assert [contract.contract for contract in book.of_works] == ["W-1"]


@pytest.mark.parametrize(
    ("covers", "term", "more", "why"),
    [
        ("{works: [T3452468001]}", _TERM, "", "is no ISWC, or its check digit is wrong"),
        ("{works: [T0345246801], artists: [Mira Okoye]}", _TERM, "", "a contract for works covers nothing else"),
        ("{works: [T0345246801], unmatched: [EU]}", _TERM, "", "covers nothing else"),
        ("{works: [T0345246801]}", "{clause: master_share, rate: 50%, to: P-MIRA}", "", "master_share is about the recording"),
        ("{works: [T0345246801]}", "{clause: distribution_fee, rate: 10%, to: P-LABEL}", "", "is about the recording"),
        ("{works: [T0345246801]}", _TERM, "tree: {P-MIRA: {P-LABEL: 50%}}\n", "it has no tree"),
    ],
)
def test_a_contract_for_works_that_says_more_is_refused_by_the_linter(covers: str, term: str, more: str, why: str) -> None:
    _, errors = _book(covers, term, more)
    assert any(why in error for error in errors), errors


def test_one_work_of_two_contracts_at_a_time_is_an_overlap() -> None:
    texts = {}
    for name in ("W-1", "W-2"):
        texts[f"{name}.yaml"] = f"""contract: {name}
version: "1"
effective: {{from: 2026-01}}
label: P-LABEL
parties: {{P-LABEL: {{name: Kitetail Records}}}}
covers: {{works: [T0345246801]}}
terms: [{{clause: publishing_share, rate: 12%, to: {{P-LABEL: 100%}}}}]
"""
    _, findings = read_book(texts)
    assert [finding.rule for finding in findings if finding.severity == "error"] == ["overlap"]


def test_a_payload_without_works_is_the_text_that_it_was_before_there_were_any() -> None:
    without, linked = payload(**NOBODY), payload(**NOBODY, works=("T0345246801",))
    assert "works" not in without.canonical()
    assert without.sha256 != linked.sha256
    assert Payload.model_validate_json(linked.canonical()) == linked
    assert Payload.model_validate_json(without.canonical()).sha256 == without.sha256


def test_the_flag_is_part_of_the_document_and_is_off_in_the_shipped_one() -> None:
    text = (conf_dir() / "routing.yaml").read_text(encoding="utf-8")
    assert read_ruleset(text).works is None
    on = read_ruleset(text.replace("# works:", "works:"))
    assert on.works is not None
    assert str(on.works.confidence) == "0.8"
