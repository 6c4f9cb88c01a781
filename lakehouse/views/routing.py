"""Routing decisions rebuilt from their events: the payload by its hash, under the document of that time. No JVM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.routing import Payload, Ruleset, event_id, read_ruleset, ruleset_sha256
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ops, silver

# What an event and the decision it records have in common.
_DECIDED = (
    "usage_key",
    "ruleset",
    "catalog_version",
    "review_no",
    "reconciliation_status",
    "match_confidence",
    "tier",
    "recording_id",
)


def stored_ruleset(reader: LakeReader, version: int) -> tuple[Ruleset, str]:
    """The routing document of a version as it was used, and its text. Raises Misuse where the lake has none, or it has been changed."""
    rows = reader.sql(f"SELECT text, sha256 FROM {reader.relation(ops.rulesets.name)} WHERE version = ?", [version])
    if not rows:
        raise Misuse(f"This lake has never used version {version} of the routing document.")
    text = str(rows[0]["text"])
    if ruleset_sha256(text) != rows[0]["sha256"]:
        raise Misuse(f"ops.rulesets: the text of version {version} is not what was kept: its SHA-256 differs.")
    return read_ruleset(text, f"ops.rulesets version {version}"), text


def rebuild(reader: LakeReader, period: str | None = None) -> dict[str, Any]:
    """Every decision made again from its event and compared with what was recorded.

    {events, decisions, ok, findings: [{event_id, message}]}. Without a finding, payload and document give the rule, path, gap and
    destination that the event names, and the events give exactly the rows of silver.matches.
    """
    where = {"period": period} if period else None
    events = reader.sql(f"""
        SELECT e.*, p.payload FROM {reader.relation(silver.routing_audit.name, where=where)} e
        LEFT JOIN (SELECT payload_sha256, payload FROM {reader.relation(silver.routing_payloads.name)}) p USING (payload_sha256)
        ORDER BY event_id""")
    rulesets: dict[int, Ruleset] = {}
    findings, rebuilt = [], {}
    for event in events:
        version = event["routing_version"]
        if version not in rulesets:
            rulesets[version] = stored_ruleset(reader, version)[0]
        if wrong := _differences(event, rulesets[version].decide):
            findings.append({"event_id": event["event_id"], "message": wrong})
        else:
            payload = Payload.model_validate_json(event["payload"])
            rebuilt[_decided(_as_routed(payload, rulesets[version]))] = event["event_id"]
    decisions = reader.sql(f"SELECT {', '.join(_DECIDED)}, period FROM {reader.relation(silver.matches.name)}")
    # A decision is routed again in a later period when its recording is linked to a work.
    everywhere = {_decided({**row, "match_confidence": repr(row["match_confidence"])}) for row in decisions}
    decisions = [row for row in decisions if period in (None, row["period"])]
    recorded = {_decided({**row, "match_confidence": repr(row["match_confidence"])}) for row in decisions}
    findings += [
        {"event_id": rebuilt[d], "message": "no such decision is in silver.matches"}
        for d in sorted(rebuilt.keys() - everywhere, key=str)
    ]
    findings += [
        {"event_id": None, "message": f"the decision on usage key {d[0]} has no event"}
        for d in sorted(recorded - rebuilt.keys(), key=str)
    ]
    return {"events": len(events), "decisions": len(decisions), "ok": not findings, "findings": findings}


def _as_routed(payload: Payload, ruleset: Ruleset) -> dict[str, Any]:
    """The decision on a payload: the matcher's, where it may stand."""
    status = ruleset.decide(payload).status(payload.reconciliation_status)
    waits = {} if status == payload.reconciliation_status else {"reconciliation_status": status, "recording_id": None}
    return {**payload.model_dump(), **waits}


def _decided(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _DECIDED)


def _differences(event: dict[str, Any], decide: Callable[[Payload], Any]) -> str | None:
    """What of an event is not what its payload and document say; None where all of it is."""
    if event["payload"] is None:
        return f"payload {event['payload_sha256']} is missing"
    payload = Payload.model_validate_json(event["payload"])
    decision = decide(payload)
    expected = {
        "payload_sha256": payload.sha256, "usage_key": payload.usage_key, "rule_id": decision.rule_id, "path": list(decision.path),
        "gap": decision.gap, "score": decision.score, "works": list(payload.works) or None, "destination": f"{decision.to}/period={event['period']}",
        "event_id": event_id(payload.sha256, event["routing_sha256"]),
    }  # fmt: skip
    wrong = [f"{name}: recorded {event[name]}, rebuilt {value}" for name, value in expected.items() if event[name] != value]
    return "; ".join(wrong) or None
