"""Every public worked example, as a document: contract, usage, what comes of it, where it is from and what it teaches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.model.documents import Document, read_document
from tests.support.trials import differences, trial

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.yaml"))


def _example(file: Path) -> dict[str, Any]:
    document = read_document(file.read_text(encoding="utf-8"), file.name)
    assert isinstance(document, Document), document
    assert isinstance(document.data, dict)
    return document.data


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_worked_example_comes_out_to_the_last_digit(file: Path, tmp_path: Path) -> None:
    example = _example(file)
    assert differences(trial(tmp_path, example["book"], example["usage"]), example["expect"]) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_worked_example_says_where_it_is_from_and_what_it_teaches(file: Path) -> None:
    example = _example(file)
    assert file.name.startswith(f"{example['id']}-")
    assert example["kind"] in ("printed", "derived", "own")
    assert set(example) <= {"id", "teaches", "source", "kind", "wrong", "book", "usage", "expect"}
    assert all(example[key] for key in ("teaches", "source", "expect"))
