"""Working under another routing document than the shipped one: a version that the lake has used, or a file."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from lakehouse.errors import Misuse
from lakehouse.model.routing import ruleset_sha256
from lakehouse.settings import conf_dir
from lakehouse.tables import ops
from tests.support.doubt import lake_in_doubt
from tests.support.lake import append

SHIPPED = (conf_dir() / "routing.yaml").read_text(encoding="utf-8")


def test_a_version_and_a_file_take_the_place_of_the_shipped_document_and_make_another_ruleset(tmp_path: Path) -> None:
    env = lake_in_doubt(tmp_path / "lake")
    strict = SHIPPED.replace("threshold: 0.90", "threshold: 0.99").replace("version: 4", "version: 7")
    kept_at = datetime(2026, 6, 1, tzinfo=timezone.utc)
    append(
        tmp_path / "lake",
        ops.rulesets,
        [{"version": 7, "sha256": ruleset_sha256(strict), "text": strict, "kept_at": kept_at}],
    )
    file = tmp_path / "routing.yaml"
    file.write_text(strict, encoding="utf-8")
    for given in ("7", str(file)):
        other = env.under_ruleset(given)
        assert (other.routing.version, other.rules.thresholds["fuzzy"], other.root) == (7, 0.99, env.root)
        assert other.rules.ruleset != env.rules.ruleset
        assert other.under(max_quarantine="5%").routing.version == 7
    assert env.routing.version != 7


@pytest.mark.parametrize(
    ("given", "said"), [("12", "never used version 12"), ("nowhere.yaml", "cannot be read"), ("", "cannot be read")]
)
def test_a_document_that_is_nowhere_is_misuse(tmp_path: Path, given: str, said: str) -> None:
    env = lake_in_doubt(tmp_path / "lake")
    with pytest.raises(Misuse, match=said):
        env.under_ruleset(given)
