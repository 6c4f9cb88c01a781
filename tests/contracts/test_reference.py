"""The reference page is true: every example on it is run, and every clause has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakehouse.model.clauses import CLAUSES, STAGES
from lakehouse.model.documents import Document, read_document
from tests.support.trials import differences, trial

PAGE = (Path(__file__).parents[2] / "docs/reference/contracts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- example -->\n```yaml\n(.*?)```\n```csv\n(.*?)```\n```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page_gives_what_it_says(example: tuple[str, str, str], tmp_path: Path) -> None:
    book, usage, expected = example
    document = read_document(expected, "expected")
    assert isinstance(document, Document)
    assert differences(trial(tmp_path, book, usage), document.data) == []


def test_every_example_is_found() -> None:
    assert len(EXAMPLES) == PAGE.count("<!-- example -->") > 20


def test_every_clause_has_an_example() -> None:
    # those of one family are told apart by their names alone
    family = {"free_goods", "territory_deduction"}
    shown = set(re.findall(r"clause: (\w+)", "".join(book for book, _, _ in EXAMPLES)))
    assert {clause.kind() for clause in CLAUSES} - shown <= family


def test_the_page_tells_the_order_of_the_stages() -> None:
    told = re.findall(r"`(\w+)`", PAGE.split("Line by line, in this order:")[1].split("then the `tree`")[0])
    assert [stage for stage in told if stage in STAGES] == list(STAGES)
