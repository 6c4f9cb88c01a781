"""Routing decisions are rebuilt from their events exactly; what was changed, dropped or slipped in is found. No JVM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import Misuse
from lakehouse.model.routing import Payload
from lakehouse.runs.environment import Environment
from lakehouse.runs.rulesets import unseen_ruleset
from lakehouse.views.routing import rebuild, stored_ruleset
from tests.support.doubt import ZANZIBAR, lake_in_doubt
from tests.support.routed import events_of, keep_events

Events = list[dict[str, Any]]


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return lake_in_doubt(tmp_path / "lake")


def test_every_decision_has_an_event_that_rebuilds_it(env: Environment) -> None:
    """F-22, F-23."""
    events = events_of(env)
    keep_events(env, events)
    assert rebuild(env.reader) == {"events": 3, "decisions": 3, "ok": True, "findings": []}
    by_key = {event["usage_key"]: event for event in events}
    assert (by_key[ZANZIBAR]["rule_id"], by_key[ZANZIBAR]["destination"]) == ("held-until-known", "gold.holding/period=2026-05")
    assert by_key[ZANZIBAR]["path"] == ["RECEIVED", "TIER2", "TIER3", "TIER4", "HELD"]


def _paid(events: Events) -> None:
    events[0].update(rule_id="paid-by-tier-1", destination="gold.royalty_lines/period=2026-05")


def _raised(events: Events) -> None:
    payload = Payload.model_validate_json(events[0]["payload"])
    events[0]["payload"] = payload.model_copy(update={"match_confidence": "1.0"}).canonical()


def _redated(events: Events) -> None:
    events[0]["destination"] = events[0]["destination"].replace("05", "06")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_paid, r"rule_id: recorded paid-by-tier-1, rebuilt \S+; destination"),
        (_raised, "payload_sha256: recorded"),
        (_redated, "destination: recorded gold.holding/period=2026-06"),
        (lambda events: events.pop(), r"the decision on usage key [0-9a-f]{64} has no event"),
    ],
)
def test_an_event_that_was_touched_is_found(env: Environment, change: Callable[[Events], Any], said: str) -> None:
    import re

    events = events_of(env)
    change(events)
    keep_events(env, events)
    report = rebuild(env.reader)
    assert not report["ok"]
    assert any(re.search(said, finding["message"]) for finding in report["findings"]), report["findings"]


def test_a_document_that_changed_under_its_version_is_refused_and_the_old_one_loads(env: Environment) -> None:
    """F-39."""
    keep_events(env, [])
    assert unseen_ruleset(env.reader, env.routing_text) is None
    changed = env.routing_text.replace("threshold: 0.90", "threshold: 0.93")
    with pytest.raises(Misuse, match="version 4, which this lake knows with another content"):
        unseen_ruleset(env.reader, changed)
    assert unseen_ruleset(env.reader, changed.replace("version: 4", "version: 5"))
    ruleset, text = stored_ruleset(env.reader, 4)
    assert (ruleset, text) == (env.routing, env.routing_text)
    with pytest.raises(Misuse, match="never used version 7"):
        stored_ruleset(env.reader, 7)
