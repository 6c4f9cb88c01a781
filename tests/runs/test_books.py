"""What of a contract book a lake does not take. No JVM."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Findings
from lakehouse.runs.admin import load_contracts
from lakehouse.runs.environment import Environment
from lakehouse.settings import load_settings

BOOK = """\
pools: [{name: premium, method: user_centric}]
---
contract: C-1
version: "1"
effective: {from: 2026-01}
label: P-LABEL
parties: {P-LABEL: Label, P-A: A}
terms: [{clause: master_share, rate: 50%, to: P-A}]
"""


def test_a_book_with_pools_is_not_loaded_rather_than_paid_without_them(tmp_path: Path) -> None:
    (tmp_path / "book.yaml").write_text(BOOK, encoding="utf-8")
    env = Environment(load_settings(root=str(tmp_path / "lake")))
    with pytest.raises(
        Findings, match=r"divides pools \(premium\) and was not loaded\. In a lake every line is worth what its report"
    ):
        load_contracts(env, tmp_path / "book.yaml")
