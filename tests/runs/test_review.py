"""What people decide in matching: offered by money, kept with who and why, offered once. No JVM."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from lakehouse.errors import Misuse
from lakehouse.export.review import read_workbook, review_workbook
from lakehouse.runs.environment import Environment
from lakehouse.runs.review import Verdict, review
from lakehouse.tables import silver
from lakehouse.views.review import review_queue
from tests.support.doubt import HARBOUR, INTRO, JUNE, MAY, ZANZIBAR, decision, lake_in_doubt
from tests.support.golden import rows_of
from tests.support.lake import append


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return lake_in_doubt(tmp_path / "lake")


def listed(env: Environment) -> list[str]:
    return [entry["usage_key"] for entry in review_queue(env.reader, env.rules.ruleset)]


def kept_reviews(env: Environment) -> list[dict[str, Any]]:
    return sorted(rows_of(env.reader, "ops.reviews"), key=lambda row: row["review_no"])


def test_what_is_in_doubt_is_offered_by_money_with_the_evidence_of_each_recording(env: Environment) -> None:
    first, second = review_queue(env.reader, env.rules.ruleset, MAY)
    assert (first["usage_key"], second["usage_key"]) == (INTRO, HARBOUR)
    assert first["money"] == {"EUR": "12.50", "JPY": "900"}
    assert (first["title"], first["held_since"], first["sources"], first["usage_lines"]) == ("Intro", MAY, ["distrokid_13"], 4)
    assert [(one["recording_id"], one["artist"], one["score"]) for one in first["candidates"]] == [
        ("R-3", "Kiri Stone", "0.88"), ("R-4", "Kiri Stone", "0.85"),
    ]  # fmt: skip
    assert first["candidates"][0]["evidence"] == [{"field": "title", "level": "near", "usage": "Intro", "catalog": "Intro"}]
    assert review_queue(env.reader, env.rules.ruleset, JUNE) == []


def test_a_review_is_kept_with_who_and_why_and_said_twice_is_kept_once(env: Environment) -> None:
    """R-14."""
    (said,) = review(env, [Verdict(INTRO[:8], "R-4", " the second album ")], "Ada")
    assert said == {
        "review_no": 1, "usage_key": INTRO, "decision": "accept", "recording_id": "R-4", "reviewer": "Ada",
        "reason": "the second album", "changed": True,
    }  # fmt: skip
    (again,) = review(env, [Verdict(INTRO, "R-4", "the same")], "Bo")
    assert (again["changed"], again["review_no"], again["reviewer"]) == (False, 1, "Ada")
    (other,) = review(env, [Verdict(INTRO, "R-3", "no, the first")], "Bo")
    assert (other["changed"], other["review_no"]) == (True, 2)
    assert [row["recording_id"] for row in kept_reviews(env)] == ["R-4", "R-3"]
    assert listed(env) == [HARBOUR]


def test_what_is_rejected_is_not_offered_again_until_the_matcher_is_in_doubt_on_another_catalog(env: Environment) -> None:
    """R-14."""
    ruleset = env.rules.ruleset
    review(env, [Verdict(INTRO, None, "a cover")], "Ada")
    (kept,) = kept_reviews(env)
    assert (kept["decision"], kept["refused"], kept["recording_id"]) == ("reject", ["R-3", "R-4"], None)
    root = Path(env.root)
    append(root, silver.matches, [decision(ruleset, "Intro", "AMBIGUOUS", [("R-5", "0.8")], review_no=1)])
    assert listed(env) == [HARBOUR]
    append(root, silver.matches, [decision(ruleset, "Intro", "AMBIGUOUS", [("R-6", "0.8")], review_no=1, catalog_version=2)])
    assert listed(env) == [INTRO, HARBOUR]
    (again,) = review(env, [Verdict(INTRO, None, "that neither")], "Ada")
    assert again["changed"]
    assert kept_reviews(env)[-1]["refused"] == ["R-3", "R-4", "R-6"]


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict("xyz", "R-1", "why"), "no usage key"),
        (Verdict("0" * 64, "R-1", "why"), "No usage key begins"),
        (Verdict(INTRO, "R-99", "why"), "Not in the catalog: R-99"),
        (Verdict(INTRO, "R-3", "  "), "needs a --reason"),
    ],
)
def test_a_review_that_cannot_hold_is_refused_and_none_of_its_company_is_kept(
    env: Environment, verdict: Verdict, said: str
) -> None:
    with pytest.raises(Misuse, match=said):
        review(env, [Verdict(HARBOUR, "R-1", "fine"), verdict], "Ada")
    assert kept_reviews(env) == []


def test_a_key_that_the_matcher_has_matched_is_no_matter_of_review(env: Environment) -> None:
    matched = decision(env.rules.ruleset, "Zanzibar", "MATCHED", catalog_version=2, recording_id="R-1", tier="isrc")
    review(env, [Verdict(ZANZIBAR, "R-1", "unclaimed keys may be claimed by a person")], "Ada")
    append(Path(env.root), silver.matches, [matched])
    with pytest.raises(Misuse, match="MATCHED with R-1 by isrc: there is no doubt to decide"):
        review(env, [Verdict(ZANZIBAR, "R-3", "why")], "Ada")


def fill(workbook: Path, marks: dict[int, tuple[str, str]]) -> Path:
    book = load_workbook(workbook)
    for row, (word, reason) in marks.items():
        book.worksheets[0].cell(row, 1, word)
        book.worksheets[0].cell(row, 2, reason)
    book.save(workbook)
    return workbook


def test_a_workbook_goes_out_and_comes_back_as_verdicts(env: Environment, tmp_path: Path) -> None:
    queue = review_queue(env.reader, env.rules.ruleset)
    written = review_workbook(queue, tmp_path)
    assert review_workbook(queue, tmp_path) == written, "the same queue is the same bytes"
    (file,) = written["files"]
    assert file["rows"] == 3
    verdicts = read_workbook(fill(Path(file["path"]), {2: ("reject", "no"), 3: ("Accept", "yes"), 4: ("reject", "a cover")}))
    assert [(v["usage_key"], v["decision"], v["recording_id"]) for v in verdicts] == [
        (INTRO, "accept", "R-4"), (HARBOUR, "reject", "R-1"),
    ]  # fmt: skip
    assert Decimal(queue[0]["money"]["EUR"]) == Decimal("12.5")


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({2: ("maybe", "x")}, "row 2: 'maybe' is neither accept nor reject"),
        ({2: ("accept", "")}, "row 2: a decision needs a reason"),
        ({2: ("accept", "x"), 3: ("accept", "y")}, "row 3: another recording is accepted"),
    ],
)
def test_a_workbook_that_contradicts_itself_is_refused_by_row(
    env: Environment, tmp_path: Path, marks: dict[int, tuple[str, str]], said: str
) -> None:
    (file,) = review_workbook(review_queue(env.reader, env.rules.ruleset), tmp_path)["files"]
    with pytest.raises(Misuse, match=said):
        read_workbook(fill(Path(file["path"]), marks))


def test_a_file_that_is_no_workbook_of_reviews_is_refused(tmp_path: Path) -> None:
    (text := tmp_path / "a.xlsx").write_text("decision,reason", encoding="utf-8")
    with pytest.raises(Misuse, match="not an XLSX workbook"):
        read_workbook(text)
