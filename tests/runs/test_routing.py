"""A run routes every decision by the document of its version, once; a changed document needs a new one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Misuse
from lakehouse.runs.period import run_period
from lakehouse.settings import conf_dir
from lakehouse.views.outcomes import matching
from lakehouse.views.routing import rebuild, stored_ruleset
from tests.support.golden import rows_of
from tests.support.lakes import MAY, commits, copy_of, environment, rows_written_twice

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.spark
def test_a_run_leaves_events_that_rebuild_its_decisions_and_a_new_version_supersedes_them(
    drafted_lake: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-02, F-22, F-39."""
    lake = copy_of(drafted_lake, tmp_path)
    env = environment(lake)
    assert rebuild(env.reader) == {"events": 3, "decisions": 3, "ok": True, "findings": []}
    assert {event["supersedes"] for event in rows_of(env.reader, "silver.routing_audit")} == {None}
    before = matching(env.reader, env.rules.ruleset, MAY)["rates"]
    monkeypatch.setenv("LAKEHOUSE_CONF", str(shutil.copytree(conf_dir(), tmp_path / "conf")))
    document = tmp_path / "conf" / "routing.yaml"
    stricter = document.read_text(encoding="utf-8").replace(
        "tier: isrc,           level: 1, threshold: 0.95", "tier: isrc, level: 1, threshold: 1.0"
    )
    document.write_text(stricter, encoding="utf-8")
    log = commits(lake)
    with pytest.raises(Misuse, match="Give the changed document a new version"):
        run_period(environment(lake), MAY)
    assert commits(lake) == log
    document.write_text(stricter.replace("version: 4", "version: 5"), encoding="utf-8")
    run_period(env := environment(lake), MAY)
    assert rebuild(env.reader) == {"events": 6, "decisions": 6, "ok": True, "findings": []}
    events = rows_of(env.reader, "silver.routing_audit")
    first = {event["usage_key"]: event["event_id"] for event in events if event["routing_version"] == 4}
    assert {e["usage_key"]: e["supersedes"] for e in events if e["routing_version"] == 5} == first
    assert (stored_ruleset(env.reader, 4)[0].version, stored_ruleset(env.reader, 5)[1]) == (
        4,
        document.read_text(encoding="utf-8"),
    )
    # Every ISRC match is exact: what is asked for more is met.
    assert matching(env.reader, env.rules.ruleset, MAY)["rates"] == before
    assert rows_written_twice(lake) == {}
