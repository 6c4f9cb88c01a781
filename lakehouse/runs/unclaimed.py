"""What nobody claimed in time leaves holding: by the decision of a person, in the open period, to those who earned in its market."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.holding import HoldingPolicy
from lakehouse.runs.environment import Environment
from lakehouse.runs.period import require_open
from lakehouse.tables import ops
from lakehouse.transforms.local import local_rows
from lakehouse.views.common import sums_by_currency, write_money
from lakehouse.views.unclaimed import Due, due_by_market


def release_unclaimed(
    env: Environment, period: str, policies: Sequence[HoldingPolicy], reason: str, by: str, *, dry_run: bool = False, year_ends: int = 12
) -> dict[str, Any]:  # fmt: skip
    """Lets the holds go whose policy releases by market share and whose time is up: the next run of `period` divides them.

    {period, dry_run, reason, by, released, waiting, money}: of each hold its id, policy, due month, market and amount, and why it waits; the
    sums by currency. What has found an owner by then goes to that owner instead. Raises Findings for a closed period, Misuse where no
    policy releases by market share.
    """
    require_open(env, period)
    if not any(policy.release == "market_share" for policy in policies):
        raise Misuse(
            "No holding policy releases by market share: what is held stays held and is shown. Write one with `release: market_share`."
        )
    found = due_by_market(env.reader, policies, period, year_ends)
    going = [one for one in found if not one.waits]
    if going and not dry_run:
        now = datetime.now(timezone.utc)
        rows = [(period, one.row["entry_id"], one.policy.policy, one.policy.authority, reason, by, now) for one in going]
        frame = local_rows(env.spark, ops.unclaimed_releases.types, rows)
        env.store.append(ops.unclaimed_releases, frame.coalesce(1), {"job": "unclaimed", "period": period, "by": by})
    return {
        "period": period, "dry_run": dry_run, "reason": reason, "by": by, "money": sums_by_currency(one.row for one in going),
        "released": [_told(one) for one in going],
        "waiting": [{**_told(one), "waits": one.waits} for one in found if one.waits],
    }  # fmt: skip


def _told(one: Due) -> dict[str, Any]:
    row = one.row
    named = ("entry_id", "usage_key", "source", "territory", "usage_period", "held_since", "reason", "currency")
    told = {name: row[name] for name in named}
    return {
        **told,
        "amount": write_money(row["amount"], row["currency"]),
        "policy": one.policy.policy,
        "due": one.due,
        "owners": row["owners"],
    }
