"""A report that is held whole goes on: by the decision of a person, once, in the open period, with its difference booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from pyspark.sql import functions as F

from lakehouse.errors import Misuse
from lakehouse.model.money import parse_amount
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import run_jobs
from lakehouse.runs.quarantine import books_of
from lakehouse.runs.stages import conform
from lakehouse.sources.controls import money_differences
from lakehouse.tables import bronze, ops
from lakehouse.transforms.conform import conform as conform_lines
from lakehouse.transforms.local import local_rows
from lakehouse.views.common import write_money
from lakehouse.views.held import held_files


def release_file(
    env: Environment, file_id: str, cause: str, reason: str, by: str, booked: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Lets a held report go on and books what it declares beyond its lines: `booked` (currency: amount), or what its controls say.

    `file_id` may be cut short, as `lakehouse files` prints it. {file_id, name, cause, period, reason, by, controls, booked}.
    Raises Misuse for a report that is not held for this cause, and where the money that differs cannot be told.
    """
    file = _held(env, file_id, cause)
    broken = [control for control in file["controls"] or () if not control["ok"]] if cause == "controls" else []
    amounts = _given(booked) if booked is not None else _told(env, file, broken)
    period = books_of(file["period"], env.closed_periods())
    row = {
        "period": period, "file_id": file["file_id"], "source": file["source"], "cause": cause, "reason": reason, "released_by": by,
        "controls": [{name: c[name] for name in ("name", "declared", "found")} for c in broken],
        "booked": amounts, "released_at": datetime.now(timezone.utc),
    }  # fmt: skip
    frame = local_rows(env.spark, ops.file_releases.types, [tuple(row[column] for column in ops.file_releases.columns)])
    note = {"job": "files release", "file_id": file["file_id"], "cause": cause, "by": by}
    env.store.append(ops.file_releases, frame.coalesce(1), note, once=f"files release:{cause}:{file['file_id']}")
    run_jobs([conform], env, period)
    return {
        "file_id": file["file_id"], "name": file["name"], "cause": cause, "period": period, "reason": reason, "by": by,
        "controls": broken, "booked": {currency: write_money(amount, currency) for currency, amount in amounts.items()},
    }  # fmt: skip


def _held(env: Environment, file_id: str, cause: str) -> dict[str, Any]:
    """The one report of that id or beginning of an id, which must be held for this cause."""
    reader = env.reader
    rows = reader.sql(f"SELECT * FROM {reader.relation(bronze.files.name)} WHERE starts_with(file_id, ?)", [file_id])
    if len(rows) != 1:
        raise Misuse(f"{'No file' if not rows else 'More than one file'} has the id {file_id}. `lakehouse files` lists them.")
    causes = [hold["cause"] for hold in held_files(reader).get(rows[0]["file_id"], [])]
    if cause not in causes:
        why = f"it is held for its {causes[0]}" if causes else "it is not held, or was released already"
        raise Misuse(f"{rows[0]['name']} cannot be released so: {why}. `lakehouse files` shows what is held.")
    return rows[0]


def _given(booked: Mapping[str, str]) -> dict[str, Decimal]:
    try:
        return {currency: parse_amount(text) for currency, text in booked.items() if parse_amount(text)}
    except ValueError as error:
        raise Misuse(f"--book: {error}.") from None


def _told(env: Environment, file: Mapping[str, Any], broken: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """The money that the broken controls declare beyond the lines, by currency."""
    dialect = env.dialects[file["source"]].under(file["variant"])
    differences = money_differences(dialect, broken)
    if unclear := [control for control, _, amount in differences if amount is None]:
        raise Misuse(
            f"{file['name']}: how much money {', '.join(unclear)} lacks is not to be told. Say it with --book CURRENCY=AMOUNT."
        )
    known: dict[str, set[Decimal]] = {}
    for _, currency, amount in differences:
        if amount is not None:
            known.setdefault(currency or _currency(env, file), set()).add(amount)
    if several := {currency: amounts for currency, amounts in known.items() if len(amounts) > 1}:
        told = "; ".join(f"{' or '.join(f'{a:f}' for a in sorted(amounts))} {currency}" for currency, amounts in several.items())
        raise Misuse(
            f"{file['name']}: its controls differ in how much is missing ({told}). Say which with --book CURRENCY=AMOUNT."
        )
    return {currency: amount for currency, (amount,) in known.items() if amount}


def _currency(env: Environment, file: Mapping[str, Any]) -> str:
    """The one currency of the report's lines. Raises Misuse where there are several, or none that can be read."""
    store = env.store
    this = F.col("file_id") == file["file_id"]
    typed = conform_lines(
        store.read(bronze.lines, period=file["period"]).where(this), store.read(bronze.files).where(this), env.dialects
    )
    rows = (
        typed.usage.select("currency")
        .union(typed.quarantine.select("currency"))
        .where("currency IS NOT NULL")
        .distinct()
        .collect()
    )
    if len(rows) != 1:
        found = ", ".join(sorted(row.currency for row in rows)) or "none that can be read"
        raise Misuse(f"{file['name']}: its figures are of no one currency (found: {found}). Say --book CURRENCY=AMOUNT.")
    return str(rows[0].currency)
