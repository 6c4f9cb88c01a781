"""The statutory report: money without an owner under the policy that holds it, and what of it is due."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lakehouse.errors import Misuse
from lakehouse.model.documents import Finding, read_document, told
from lakehouse.model.holding import Held, HeldItem, HoldingPolicy, read_policies, statutory_report
from lakehouse.model.places import countries_of
from lakehouse.store.reader import LakeReader
from lakehouse.views.common import write_money
from lakehouse.views.holding import newest_period, open_holds


def load_policies(file: Path) -> tuple[HoldingPolicy, ...]:
    """The holding policies of a document. Raises Misuse where it is none."""
    try:
        document = read_document(file.read_text(encoding="utf-8"), file.name)
    except OSError as error:
        raise Misuse(f"{file}: cannot be read ({error.strerror}). It holds the holding policies.") from None
    if isinstance(document, Finding):
        raise Misuse(str(document))
    try:
        return read_policies(document)
    except ValidationError as error:
        raise Misuse(f"{file} is no document of holding policies: {told(error)}") from None


def statutory(
    reader: LakeReader,
    policies: tuple[HoldingPolicy, ...],
    period: str | None = None,
    territory: str | None = None,
    year_ends: int = 12,
) -> dict[str, Any]:
    """{period, territory, totals, items}: what is held at the end of a period (by default the newest), item by item.

    An item is a recording as reported, in one territory, of one month of use, first held in one statement period. It is `due` once the hold of its
    policy has run out, else `held`. `territory` is a code or a group. Income of public performance falls under performance rights, all other
    under those of the recording. Raises Misuse for an unknown territory.
    """
    if territory and not countries_of(territory):
        raise Misuse(f"{territory!r} is neither an ISO 3166-1 alpha-2 code nor a territory group, such as DE or EU.")
    now = period or newest_period(reader)
    rows = statutory_report(_items(reader, now), policies, now, territory, year_ends) if now else []
    totals: dict[tuple[str, str, str], Decimal] = {}
    for row in rows:
        key = (row.policy.policy, row.status, row.item.currency)
        totals[key] = totals.get(key, Decimal(0)) + row.item.amount
    return {
        "period": now,
        "territory": territory,
        "totals": [
            {"policy": policy, "status": status, "currency": currency, "amount": write_money(amount, currency)}
            for (policy, status, currency), amount in sorted(totals.items())
        ],
        "items": [_told(row) for row in rows],
    }


def _items(reader: LakeReader, period: str) -> list[HeldItem]:
    rows = reader.sql(f"""
        WITH held AS (
            SELECT usage_key, territory, CASE configuration WHEN 'performance' THEN 'performance' ELSE 'recording' END AS right_, usage_period,
                   held_since, currency, min(entry_id) AS entry_id, sum(amount) AS amount
            FROM {open_holds(reader, period)} GROUP BY ALL),
        reported AS (
            SELECT usage_key, min(isrc) AS isrc, min(title) AS title, min(artist) AS artist
            FROM {reader.relation("silver.usage")} WHERE usage_key IN (SELECT usage_key FROM held) GROUP BY 1)
        SELECT * FROM held LEFT JOIN reported USING (usage_key)""")
    return [
        HeldItem(
            row["entry_id"], row["isrc"] or "", row["title"] or "", row["artist"] or "", row["territory"], row["right_"],
            row["usage_period"], row["held_since"], row["amount"], row["currency"],
        )
        for row in rows
    ]  # fmt: skip


def _told(row: Held) -> dict[str, Any]:
    item = row.item
    return {
        "entry_id": item.entry_id, "isrc": item.isrc, "title": item.title, "artist": item.artist, "territory": item.territory,
        "right": item.right, "accrued": item.accrued, "received": item.received, "amount": write_money(item.amount, item.currency),
        "currency": item.currency, "policy": row.policy.policy, "authority": row.policy.authority, "release": row.policy.release,
        "due": row.due, "status": row.status,
    }  # fmt: skip
