"""A lake with money in doubt, written without a JVM: three keys that are held in May, one of them in two currencies.

Intro may be R-3 or R-4: 12.5 EUR and 900 JPY. Harbour may be R-1: 3 EUR. Zanzibar is in no catalog: 1.25 EUR.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.runs.environment import Environment
from lakehouse.store.light import create_tables
from lakehouse.tables import bronze, gold, silver
from tests.support.lake import append
from tests.support.lakes import environment

MAY, JUNE = "2026-05", "2026-06"
FILE = hashlib.sha256(b"may").hexdigest()


def key_of(title: str) -> str:
    return hashlib.sha256(title.encode()).hexdigest()


INTRO, HARBOUR, ZANZIBAR = (key_of(title) for title in ("Intro", "Harbour", "Zanzibar"))


def hold(title: str, amount: str, currency: str = "EUR", period: str = MAY, **more: Any) -> dict[str, Any]:
    entry = hashlib.sha256(f"{period}{title}{currency}".encode()).hexdigest()[:32]
    return {
        "period": period, "entry_id": entry, "entry": "hold", "file_id": FILE, "source": "distrokid_13", "report_period": period,
        "usage_period": "2026-04", "meaning": "generation", "channel": "Spotify", "configuration": "stream", "territory": "DE",
        "currency": currency, "usage_key": key_of(title), "reason": "AMBIGUOUS", "held_since": period, "usage_lines": 2, "units": "3",
        "amount": amount, **more,
    }  # fmt: skip


def release(held: dict[str, Any], period: str, entry: str = "release") -> dict[str, Any]:
    own = hashlib.sha256(f"{period}{held['entry_id']}".encode()).hexdigest()[:32]
    taken = {name: str(-Decimal(held[name])) for name in ("units", "amount")}
    return held | taken | {"period": period, "entry": entry, "entry_id": own, "releases": held["entry_id"]}


def decision(ruleset: str, title: str, status: str, offered: Sequence[tuple[str, str]] = (), **more: Any) -> dict[str, Any]:
    evidence = [
        {"recording_id": recording, "field": "title", "level": "near", "usage": title, "catalog": "Intro"}
        for recording, _ in offered
    ]
    return {
        "period": MAY, "usage_key": key_of(title), "ruleset": ruleset, "catalog_version": 1, "review_no": 0, "candidates": len(offered),
        "reconciliation_status": status, "match_confidence": 0.8, "tier": "fuzzy" if offered else "none",
        "offered": [{"recording_id": recording, "score": Decimal(score)} for recording, score in offered] or None,
        "offered_evidence": evidence or None, **more,
    }  # fmt: skip


def lake_in_doubt(root: Path) -> Environment:
    env = environment(root)
    ruleset = env.rules.ruleset
    recordings = [("R-1", "Harbor"), ("R-3", "Intro"), ("R-4", "Intro")]
    append(
        root, silver.catalog, [{"recording_id": r, "title": title, "artist": "Kiri Stone", "upc": ""} for r, title in recordings]
    )
    may = {
        "period": MAY, "report_period": MAY, "usage_period": "2026-04", "file_id": FILE, "source": "distrokid_13",
        "meaning": "generation", "channel": "Spotify", "configuration": "stream", "territory": "DE", "units": "3", "amount": "1",
        "currency": "EUR",
    }  # fmt: skip
    titles = ("Intro", "Harbour", "Zanzibar")
    append(root, silver.usage, [{**may, "line_no": n, "title": t, "usage_key": key_of(t)} for n, t in enumerate(titles, start=2)])
    append(
        root,
        silver.matches,
        [
            decision(ruleset, "Intro", "AMBIGUOUS", [("R-3", "0.88"), ("R-4", "0.85")]),
            decision(ruleset, "Harbour", "AMBIGUOUS", [("R-1", "0.8")]),
            decision(ruleset, "Zanzibar", "UNCLAIMED"),
        ],
    )
    held = [
        hold("Intro", "12.5"),
        hold("Intro", "900", "JPY"),
        hold("Harbour", "3"),
        hold("Zanzibar", "1.25", reason="UNCLAIMED"),
    ]
    append(root, gold.holding, held)
    append(root, gold.periods, [_published(MAY)])
    # delta-rs cannot check RLIKE: what tests append to is made without its constraints, the rest with them.
    for table in (gold.holding.draft(), bronze.files, silver.routing_audit, silver.routing_payloads):
        append(root, table, [])
    create_tables(str(root))
    return env


def _published(period: str) -> dict[str, Any]:
    empty = {"string": "0" * 64, "bigint": 0, "map<string,string>": {}, "timestamp": datetime(2026, 6, 1, tzinfo=timezone.utc)}
    return {field.name: empty[field.type] for field in gold.periods.fields} | {"period": period}
