"""What of a contract book a lake does not take. No JVM."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Findings
from lakehouse.runs.admin import load_contracts
from lakehouse.runs.environment import Environment
from lakehouse.settings import load_settings

BOOK = """\
pools: [{pool}]
---
contract: C-1
version: "1"
effective: {{from: 2026-01}}
label: P-LABEL
parties: {{P-LABEL: Label, P-A: A}}
terms: [{{clause: master_share, rate: 50%, to: P-A}}]
"""


@pytest.mark.parametrize(
    ("pool", "why"),
    [
        ("{name: premium, method: user_centric}", r"the pool premium: no report says which subscriber listened"),
        (
            "{name: albums, method: pro_rata, when: {release_type: album}}",
            r"the pool albums: `release_type` is what the catalog says",
        ),
    ],
)
def test_a_pool_that_reports_cannot_tell_is_not_loaded_rather_than_left_out(tmp_path: Path, pool: str, why: str) -> None:
    (tmp_path / "book.yaml").write_text(BOOK.format(pool=pool), encoding="utf-8")
    env = Environment(load_settings(root=str(tmp_path / "lake")))
    with pytest.raises(Findings, match=why):
        load_contracts(env, tmp_path / "book.yaml")
