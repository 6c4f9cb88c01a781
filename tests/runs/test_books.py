"""What of a contract book a lake does not take. No JVM."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Findings
from lakehouse.runs.admin import init_lake, load_contracts
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


def _load(folder: Path, pool: str) -> Environment:
    (folder / "book.yaml").write_text(BOOK.format(pool=pool), encoding="utf-8")
    env = Environment(load_settings(root=str(folder / "lake")))
    init_lake(env)
    load_contracts(env, folder / "book.yaml")
    return env


@pytest.mark.parametrize("method", ["pro_rata", "user_centric"])
def test_a_pool_that_reports_cannot_tell_is_not_loaded_rather_than_left_out(tmp_path: Path, method: str) -> None:
    with pytest.raises(Findings, match=r"the pool albums: `release_type` is what the catalog says"):
        _load(tmp_path, f"{{name: albums, method: {method}, when: {{release_type: album}}}}")


def test_a_user_centric_pool_is_loaded(tmp_path: Path) -> None:
    env = _load(tmp_path, "{name: premium, method: user_centric, when: {channel: Harbour}}")
    assert [(pool.name, pool.method) for pool in env.book().rules.pools] == [("premium", "user_centric")]
