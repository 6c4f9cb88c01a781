"""What is held is adjusted by the decision of a person: an entry of the holding ledger, in the open period, that names its hold. No JVM.

Such as interest that the law adds to money held (17 USC 115(d)(3)(H)(ii)), a correction by the sender, a rounding settled with a service.
"""

from __future__ import annotations

import getpass
import hashlib
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import lakehouse
from lakehouse.errors import Misuse
from lakehouse.model.money import add
from lakehouse.model.period import next_period
from lakehouse.model.vocabulary import OF_WORK
from lakehouse.runs.environment import Environment
from lakehouse.runs.given import the_one
from lakehouse.runs.period import require_open
from lakehouse.store.light import append_rows
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, ops
from lakehouse.views.common import same_group, write_money, write_number
from lakehouse.views.holding import open_holds, pending_adjustments


def adjust_hold(
    env: Environment, entry: str, amount: Decimal, reason: str, by: str | None = None, period: str | None = None
) -> dict[str, Any]:
    """Keeps the decision to add `amount` to a hold of closed books (or to take it away); the next run of the open `period` books it.

    {adjustment_id, entry_id, period, amount, currency, held, reason, by, changed}: `held` is what the hold comes to. `entry` may be shortened to
    its first 8 digits; `period` is by default the month after the last that was closed. The same decision again adds nothing. Raises Misuse where
    there is no such hold, and where more is taken away than is held; Findings where the period is closed.
    """
    reader, who, why = env.reader, by or getpass.getuser(), reason.strip()
    if not why:
        raise Misuse("Why? An adjustment of what is held needs a --reason: it is kept for auditors.")
    if env.book().rules.pools:
        raise Misuse(
            "The contract book has pools, which may be divided again with all that is held of them, so that no hold of its own can be adjusted."
            " Land the amount as a report of its own."
        )
    hold = _hold(reader, entry)
    if _paid_on_a_work(reader, hold["entry_id"]):
        raise Misuse(
            f"{hold['entry_id']} is what is left after its publishing was paid on a work. Once its recording is known all of the usage is divided"
            " anew, so that this rest cannot be adjusted by itself. Land the amount as a report of its own."
        )
    closed = env.closed_periods()
    period = period or next_period(max(closed))
    require_open(env, period)
    told = {"entry_id": hold["entry_id"], "period": period, "amount": amount, "currency": hold["currency"], "reason": why}
    adjustment_id = hashlib.sha256("\x1f".join([hold["entry_id"], period, write_number(amount), why]).encode()).hexdigest()[:32]
    pending = pending_adjustments(reader, closed)
    known = next((row for row in pending if row["adjustment_id"] == adjustment_id), None)
    added = [] if known else [amount]
    held = add(hold["amount"], *added, *(row["amount"] for row in pending if row["entry_id"] == hold["entry_id"]))
    if known is None:
        _require_sense(hold, amount, held)
        row = {**told, "adjustment_id": adjustment_id, "adjusted_by": who, "adjusted_at": datetime.now(timezone.utc)}
        append_rows(env.place, ops.holding_adjustments, [row], {"job": "holding adjust", "code_version": lakehouse.__version__})
    money = {name: write_money(value, hold["currency"]) for name, value in (("amount", amount), ("held", held))}
    return {"adjustment_id": adjustment_id, **told, **money, "by": known["by"] if known else who, "changed": known is None}


def _hold(reader: LakeReader, entry: str) -> dict[str, Any]:
    """The open hold of closed books with this id. Its amount has what was added in closed books, and nothing that is drafted."""
    query = f"SELECT entry_id, currency, amount FROM {open_holds(reader, closed_alone=True)} WHERE starts_with(entry_id, ?)"
    hint = "`lakehouse holding list` lists them; what is drafted can be adjusted once its period is closed."
    return the_one(reader, query, entry, ("open hold of closed books", "open holds"), hint)


def _paid_on_a_work(reader: LakeReader, entry_id: str) -> bool:
    holds, lines = (reader.relation(table.name) for table in (gold.holding, gold.royalty_lines))
    rows = reader.sql(
        f"""SELECT sum(l.amount) AS amount FROM {holds} h JOIN {lines} l ON {same_group("h", "l")}
            WHERE h.entry_id = ? AND h.reason <> 'DUPLICATE' AND starts_with(l.recording_id, '{OF_WORK}')""",
        [entry_id],
    )
    return bool(rows[0]["amount"])


def _require_sense(hold: dict[str, Any], amount: Decimal, held: Decimal) -> None:
    if not amount:
        raise Misuse("An adjustment of 0 changes nothing.")
    if held and (held > 0) != (hold["amount"] > 0):
        raise Misuse(
            f"{hold['entry_id']} holds {write_money(hold['amount'], hold['currency'])} {hold['currency']}: with {amount:f} it would come to {held:f}."
            " What is owed beyond that is no adjustment of this hold."
        )
