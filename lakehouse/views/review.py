"""Usage keys that a person must decide on: the money at stake, and the recordings they may be, side by side."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lakehouse.model.money import minor_digits
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ops, silver
from lakehouse.views.common import write_money, write_number
from lakehouse.views.holding import open_holds

IDENTITY = ("isrc", "upc", "title", "artist", "album", "label", "proprietary_id")
_CATALOG = ("title", "artist", "album", "isrc")


def newest_decisions(reader: LakeReader, ruleset: str) -> str:
    """A query for the decision on each usage key that stands: under this ruleset where there is one, on the newest catalog and review."""
    return f"""(
        SELECT * FROM {reader.relation(silver.matches.name)} QUALIFY row_number() OVER (
            PARTITION BY usage_key ORDER BY (ruleset = '{ruleset}') DESC, catalog_version DESC, review_no DESC, period DESC) = 1)"""


def standing_reviews(reader: LakeReader) -> str:
    """A query for the latest review of each usage key."""
    latest = "QUALIFY row_number() OVER (PARTITION BY usage_key ORDER BY review_no DESC) = 1"
    return f"(SELECT * FROM {reader.relation(ops.reviews.name)} {latest})"


def review_queue(reader: LakeReader, ruleset: str, period: str | None = None) -> list[dict[str, Any]]:
    """The AMBIGUOUS keys whose money is held, the most at stake first, then the oldest; with `period`, those of its reports alone.

    Each with its identity as reported, sources, money by currency, tier, confidence and `candidates`: recording, title,
    artist, album, isrc, score and evidence. Money of several currencies is compared in minor units, for no rate is known.
    A key that was reviewed is not listed again until the catalog has changed and the matcher is in doubt anew.
    """
    rows = reader.sql(
        f"""
        WITH held AS (
            SELECT usage_key, currency, min(held_since) AS held_since, sum(amount) AS amount, sum(usage_lines)::BIGINT AS usage_lines,
                   sum(units) AS units, list_sort(list(DISTINCT source)) AS sources
            FROM {open_holds(reader)} WHERE ? IS NULL OR period = ? GROUP BY usage_key, currency)
        SELECT h.*, d.tier, d.match_confidence, d.offered, d.offered_evidence
        FROM held h JOIN {newest_decisions(reader, ruleset)} d USING (usage_key)
        LEFT JOIN {standing_reviews(reader)} r USING (usage_key)
        WHERE d.reconciliation_status = 'AMBIGUOUS' AND (r.usage_key IS NULL OR r.catalog_version < d.catalog_version)
        ORDER BY usage_key, currency
        """,
        [period, period],
    )
    if not rows:
        return []
    keys = {row["usage_key"] for row in rows}
    names, recordings = (
        _identities(reader, keys),
        _recordings(reader, {o["recording_id"] for r in rows for o in r["offered"] or ()}),
    )
    found: dict[str, dict[str, Any]] = {}
    at_stake: dict[str, Decimal] = {}
    for row in rows:
        key, currency = row["usage_key"], row["currency"]
        entry = found.setdefault(key, {**_entry(row, recordings), **names.get(key, dict.fromkeys(IDENTITY))})
        entry["money"][currency] = write_money(row["amount"], currency)
        entry["held_since"] = min(entry["held_since"], row["held_since"])
        entry["usage_lines"] += row["usage_lines"]
        entry["sources"] = sorted({*entry["sources"], *row["sources"]})
        at_stake[key] = max(at_stake.get(key, Decimal("-Infinity")), row["amount"].scaleb(minor_digits(currency)))
    return sorted(found.values(), key=lambda entry: (-at_stake[entry["usage_key"]], entry["held_since"], entry["usage_key"]))


def _entry(row: dict[str, Any], recordings: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "usage_key": row["usage_key"], **dict.fromkeys(IDENTITY), "money": {}, "held_since": row["held_since"], "usage_lines": 0,
        "sources": [], "tier": row["tier"], "confidence": _score(Decimal(str(row["match_confidence"]))),
        "candidates": [_candidate(one, row["offered_evidence"] or (), recordings) for one in row["offered"] or ()],
    }  # fmt: skip


def _candidate(one: dict[str, Any], evidence: Any, recordings: dict[str, dict[str, Any]]) -> dict[str, Any]:
    recording = one["recording_id"]
    parts = [
        {part: item[part] for part in ("field", "level", "usage", "catalog")}
        for item in evidence
        if item["recording_id"] == recording
    ]
    known = recordings.get(recording, dict.fromkeys(_CATALOG))
    return {"recording_id": recording, **known, "score": _score(one["score"]), "evidence": parts}


def _score(score: Decimal) -> str:
    return write_number(score.quantize(Decimal("0.0001")))


def _identities(reader: LakeReader, keys: set[str]) -> dict[str, dict[str, Any]]:
    """What the reports call each key. Spellings of one key differ in case and punctuation; the first in order stands for them."""
    first = ", ".join(f"min({name}) AS {name}" for name in IDENTITY)
    rows = reader.sql(
        f"SELECT usage_key, {first} FROM {reader.relation(silver.usage.name)} WHERE list_contains(?, usage_key) GROUP BY 1",
        [sorted(keys)],
    )
    return {row.pop("usage_key"): row for row in rows}


def _recordings(reader: LakeReader, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """The offered recordings, each by its first release in order of UPC."""
    rows = reader.sql(
        f"""SELECT recording_id, {", ".join(_CATALOG)} FROM {reader.relation(silver.catalog.name)}
            WHERE list_contains(?, recording_id) QUALIFY row_number() OVER (PARTITION BY recording_id ORDER BY upc) = 1""",
        [sorted(wanted)],
    )
    return {row.pop("recording_id"): row for row in rows}
