"""Trying held money again: under today's reviews, catalog, rules and contracts, the holds that have found an owner move, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pyspark.sql import functions as F

from lakehouse.checks.totals import require_parts_add_up
from lakehouse.model.money import ZERO, add
from lakehouse.model.vocabulary import PAID
from lakehouse.runs.declared import DRAFT
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Work, run_jobs
from lakehouse.runs.linked import pays_on_works, routed_works
from lakehouse.runs.period import require_open
from lakehouse.runs.pooling import pooled_keys
from lakehouse.runs.resolve import resolve
from lakehouse.runs.stages import STAGES, reconcile
from lakehouse.runs.standing import before, superseded_reports
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, silver
from lakehouse.tables.declare import MONEY
from lakehouse.transforms.groups import MEASURES, join_recordings, latest_decisions
from lakehouse.transforms.groups import open_holds as never_taken
from lakehouse.transforms.hold import may_find_an_owner, months_held, to_pools
from lakehouse.transforms.on_works import pay_on_works, with_rest_of_works
from lakehouse.transforms.resolve import AGAIN
from lakehouse.transforms.resolve import resolve as resolve_groups
from lakehouse.views.common import same_group, sums_by_currency, write_money
from lakehouse.views.holding import open_holds
from lakehouse.views.review import newest_decisions

Owner = dict[str, Any]


def replay(env: Environment, period: str, dry_run: bool = False) -> dict[str, Any]:
    """What moves from holding to its owners in the open `period`; with `dry_run`, what would, and nothing is written.

    {period, dry_run, ruleset, moved: [{entry_id, usage_key, recording_id, tier, reason, held_since, source, currency, amount}], money,
    still_held}: the sums by currency. Only what is in the lake takes part: reports that have landed since wait for `run`.
    Raises Findings for a closed period.
    """
    require_open(env, period)
    held = _holds(env.reader, period)
    if dry_run:
        owners = _would_move(env, period)
    else:
        run_jobs(STAGES[STAGES.index(reconcile) :], env, period)
        owners = _have_moved(env, period, held)
    moved = [{**held[entry], **owners[entry]} for entry in sorted(held) if entry in owners]
    kept = [hold for entry, hold in held.items() if entry not in owners]
    # Of a hold whose publishing is paid on a work, the rest stays.
    rests = (
        {**held[row["entry_id"]], "amount": add(held[row["entry_id"]]["amount"], row["amount"].copy_negate())} for row in moved
    )
    kept += [rest for rest in rests if rest["amount"]]
    return {
        "period": period, "dry_run": dry_run, "ruleset": env.routing.version, "money": sums_by_currency(moved), "still_held": sums_by_currency(kept),
        "moved": [{**row, "amount": write_money(row["amount"], row["currency"])} for row in moved],
    }  # fmt: skip


def _holds(reader: LakeReader, period: str) -> dict[str, dict[str, Any]]:
    rows = reader.sql(f"""
        SELECT entry_id, usage_key, reason, held_since, source, currency, amount
        FROM {open_holds(reader, period, own_draft_alone=True)}""")
    return {row["entry_id"]: row for row in rows}


def _have_moved(env: Environment, period: str, held: dict[str, dict[str, Any]]) -> dict[str, Owner]:
    """Of what was held before the run, what now is not, and whose report was not replaced instead."""
    reader = env.reader
    drafted = reader.relation(DRAFT["holding"].name, where={"period": period})
    reversed_ = {row["releases"] for row in reader.sql(f"SELECT releases FROM {drafted} WHERE entry = 'reversal'")}
    gone = held.keys() - _holds(reader, period).keys() - reversed_
    decisions = reader.sql(
        f"SELECT usage_key, recording_id, tier FROM {newest_decisions(reader, env.rules.ruleset)} WHERE list_contains(?, usage_key)",
        [sorted({held[entry]["usage_key"] for entry in gone})],
    )
    by_key = {row.pop("usage_key"): row for row in decisions}
    rests = _held_again(reader, period, gone)
    moved = {entry: add(held[entry]["amount"], rests.get(entry, ZERO).copy_negate()) for entry in gone}
    return {entry: {**by_key[held[entry]["usage_key"]], "amount": moved[entry]} for entry in gone}


def _held_again(reader: LakeReader, period: str, gone: Iterable[str]) -> dict[str, Decimal]:
    """entry_id: what of a hold that is gone the period's drafts hold again, with its age: the rest of what was paid on a work."""
    rows = reader.sql(
        f"""SELECT h.entry_id, sum(r.amount)::DECIMAL(38, 18) AS amount FROM {reader.relation(gold.holding.name)} h
            JOIN {reader.relation(DRAFT["holding"].name, where={"period": period})} r ON {same_group("h", "r")}
            WHERE h.entry = 'hold' AND r.entry = 'hold' AND r.held_since < ? AND list_contains(?, h.entry_id) GROUP BY 1""",
        [period, sorted(gone)],
    )
    return {row["entry_id"]: row["amount"] for row in rows}


def _would_move(env: Environment, period: str) -> dict[str, Owner]:
    """The holds that today's decisions and contracts give to somebody: what the stages would release, without their writes."""
    work = Work(env, period, env.store.versions({*reconcile.reads, *resolve.reads}))
    try:
        fresh = {write.table: write.rows for write in reconcile.body(work)}
        catalog = work.read(silver.catalog)
        known = work.read(silver.matches).unionByName(fresh[silver.matches].select(*silver.matches.columns))
        decisions = work.keep(latest_decisions(known, env.rules.ruleset, work.pins[silver.catalog.name]))
        dead = superseded_reports(work)
        drafted = env.store.read(DRAFT["holding"], period=period).where("entry = 'hold'")
        held = never_taken(before(work, gold.holding)).unionByName(drafted).join(F.broadcast(dead), "file_id", "left_anti")
        book = env.book(work.pins[silver.contracts.name])
        on_works = pays_on_works(work, book)
        if on_works:
            held = with_rest_of_works(held, before(work, gold.royalty_lines))
        more = ("held_since", "base", "pooled", "on_work") if on_works else ()
        groups = (
            held.where(may_find_an_owner(env.channels))
            .withColumns({"hold_id": F.col("entry_id"), "months_held": months_held(period)})
            .select(*gold.GROUP, *MEASURES, "hold_id", "months_held", *more)
        )
        found, parts = join_recordings(groups, decisions, catalog), None
        if on_works:
            known_events = work.read(silver.routing_audit).unionByName(
                fresh[silver.routing_audit].select(*silver.routing_audit.columns)
            )
            found, parts = pay_on_works(found, routed_works(work, known_events), book, require_parts_add_up, work.cut)
        if book.pools and env.routing.pool_rules:
            events = [
                rows.select("usage_key", "rule_id", "routing_sha256")
                for rows in (work.read(silver.routing_audit), fresh[silver.routing_audit])
            ]
            found = to_pools(found, pooled_keys(events[0].unionByName(events[1]), env))
        found = found.where(F.col("reconciliation_status").isin(*PAID) | F.col("recording_id").eqNullSafe(gold.UNMATCHED))
        owned = resolve_groups(found, book).where("contract_id IS NOT NULL").select("hold_id", "usage_key", "amount")
        if parts is not None:
            owned = owned.unionByName(parts.select(*owned.columns))
        of_hold = F.regexp_replace("hold_id", f"^{AGAIN}", "").alias("hold_id")
        sums = owned.groupBy(of_hold, "usage_key").agg(F.sum("amount").cast(MONEY).alias("amount"))
        rows = sums.join(decisions, "usage_key").select("hold_id", "recording_id", "tier", "amount")
        return {row.hold_id: {"recording_id": row.recording_id, "tier": row.tier, "amount": row.amount} for row in rows.collect()}
    finally:
        work.release()
