"""Resolving: every group of the period's usage, and of what waits or is corrected, to its owners under the contract in force.

The steps in order: what is due, with whom it may be, what contracts make of it, and what is written of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.checks.totals import require_parts_add_up
from lakehouse.model.counting import counting_groups
from lakehouse.model.vocabulary import PAID
from lakehouse.runs import declared
from lakehouse.runs.adjusting import adjusted
from lakehouse.runs.declared import DRAFT
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Append, Replace, Work, job
from lakehouse.runs.linked import has_paid_on_works, pays_on_works, routed_works
from lakehouse.runs.pooling import Again, as_pooled, pooled_keys, pools_again, through_pools
from lakehouse.runs.rulesets import matching_rules
from lakehouse.runs.standing import before, opening_of, superseded_reports
from lakehouse.sources.scan import KEY_COLUMNS
from lakehouse.tables import gold, ops, silver
from lakehouse.tables.gold import UNMATCHED
from lakehouse.transforms.duplicates import find_duplicates
from lakehouse.transforms.groups import group_usage, join_recordings, latest_decisions, open_holds
from lakehouse.transforms.hold import duplicate_holds, holds, may_find_an_owner, months_held, taken_away, to_pools, went_where
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.market import divide_by_market, owners_of_markets
from lakehouse.transforms.on_works import pay_on_works, with_rest_of_works, without_rest_of
from lakehouse.transforms.pools import pool_parts
from lakehouse.transforms.resolve import groups_again, mirrors, reversals, royalty_lines, standing
from lakehouse.transforms.resolve import resolve as resolve_groups
from lakehouse.transforms.resolved import STAGES as STEPS_TYPE
from lakehouse.transforms.statements import counts_before
from lakehouse.views.drift import lines_to_correct

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.model.book import ContractBook


@dataclass(frozen=True)
class _Due:
    """What the period divides, and what it takes back. Most periods have nothing of what may be None.

    `usage`: lines, those of closed pools that are divided anew too (`redone`). `waiting`: open holds that may find an owner; `undone`: those
    that go with their report or pool. `undoing`: mirrors of published lines. `again`: published lines whose usage is divided anew, for a change
    of the catalog gives it to others; `rests`: holds of what was left of works whose recording is known now. `adjustments`: entries of people.
    """

    usage: DataFrame
    waiting: DataFrame
    undone: DataFrame
    undoing: DataFrame
    redone: Again | None
    again: DataFrame | None
    rests: DataFrame | None
    adjustments: DataFrame | None


@dataclass(frozen=True)
class _Owed:
    """What became of it: `parts` of groups that contracts gave to somebody; [entry_id, went] of the holds that found an `owner`."""

    parts: DataFrame
    owned: DataFrame


def _resolving(env: Environment) -> Mapping[str, str]:
    return {**matching_rules(env), "channels": env.channels.sha256}


@job(declared.RESOLVE, rules=_resolving)
def resolve(work: Work) -> Sequence[Append | Replace]:
    """Gives every group of usage lines to those who own it under the contract in force; holds what has no owner."""
    book = work.env.book(work.pins[silver.contracts.name])
    dead = superseded_reports(work)
    twice = work.cut(_duplicates(work, dead))
    own, held_twice = (
        work.read_period(silver.usage).join(twice.select(*KEY_COLUMNS), [*KEY_COLUMNS], how) for how in ("left_anti", "left_semi")
    )
    due = _due(work, book, dead, own)
    fresh = through_pools(work, book, due.usage, dead, due.redone)
    groups, on_works = _with_their_owners(work, book, _candidates(work, book, fresh, due))
    is_paid = F.col("reconciliation_status").isin(*PAID) | F.col("recording_id").eqNullSafe(UNMATCHED)
    owed = _owed(work, book, groups.where(is_paid), due, on_works)
    lines = royalty_lines(owed.parts, work.period).unionByName(due.undoing)
    if book.rules.pools:
        lines = lines.unionByName(royalty_lines(pool_parts(fresh, book.sha256[:12]), work.period))
    entries = [
        holds(groups.where(~is_paid), owed.parts, work.period),
        duplicate_holds(group_usage(held_twice, dead, book.asks_for_days), work.period),
        taken_away(due.waiting.join(owed.owned, "entry_id"), F.col("went"), work.period),
        taken_away(due.undone, F.lit("reversal"), work.period),
        *([due.adjustments] if due.adjustments is not None else []),
        *([taken_away(due.rests, F.lit("release"), work.period)] if due.rests is not None else []),
    ]
    held = reduce(lambda one, other: one.unionByName(other), entries)
    return [Replace(silver.duplicates, twice), Replace(DRAFT["royalty_lines"], lines), Replace(DRAFT["holding"], held)]


def _due(work: Work, book: ContractBook, dead: DataFrame, usage: DataFrame) -> _Due:
    opening = work.cut(before(work, gold.holding).transform(open_holds))
    undone, waiting = (opening.join(F.broadcast(dead), "file_id", how) for how in ("left_semi", "left_anti"))
    waiting, adjustments = adjusted(work, book, waiting)
    published = before(work, gold.royalty_lines)
    on_works = has_paid_on_works(work.env)
    corrected, undoing = _lines_that_drifted(work, book, dead, on_works), reversals(published, dead, work.period)
    rests, again = None, corrected
    if on_works and not book.rules.pools:
        waiting = work.cut(with_rest_of_works(waiting, published))
        if corrected is not None:
            waiting, rests, again = without_rest_of(waiting, corrected)
    redone = pools_again(work, book, usage, waiting, published, dead)
    if redone is not None:
        usage, undone = usage.unionByName(redone.usage), undone.unionByName(redone.holds)
        waiting, corrected = redone.not_among(waiting), redone.not_among_lines(corrected)
        undoing = undoing.unionByName(mirrors(redone.lines, work.period))
    if corrected is not None:
        undoing = work.keep(undoing.unionByName(mirrors(corrected, work.period)))
    return _Due(usage, waiting.where(may_find_an_owner(work.env.channels)), undone, undoing, redone, again, rests, adjustments)


def _with_their_owners(work: Work, book: ContractBook, candidates: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """The groups with their recordings, or the pools that take what has none; and the parts that were paid on works before, where any are."""
    decisions = latest_decisions(work.read(silver.matches), work.env.rules.ruleset, work.pins[silver.catalog.name])
    groups = work.cut(join_recordings(candidates, decisions, work.read(silver.catalog)))
    on_works = None
    if pays_on_works(work, book):
        works = routed_works(work, work.read(silver.routing_audit))
        groups, on_works = pay_on_works(groups, works, book, require_parts_add_up, work.cut)
    if book.pools and work.env.routing.pool_rules:
        groups = work.cut(to_pools(groups, pooled_keys(work.read(silver.routing_audit), work.env)))
    return groups, on_works


def _owed(work: Work, book: ContractBook, paid: DataFrame, due: _Due, on_works: DataFrame | None) -> _Owed:
    counts = counts_before(opening_of(work), due.undoing) if counting_groups(book) else {}
    parts = work.cut(resolve_groups(paid, book, counts, work.keep))
    owned = parts.where("contract_id IS NOT NULL").select(F.col("hold_id").alias("entry_id"), went_where(book)).distinct()
    if on_works is not None:
        owned = owned.unionByName(_released(on_works))
    if (shared := _by_market(work, book, due.waiting, owned)) is not None:
        owned = owned.unionByName(_released(shared))
        parts = work.cut(parts.unionByName(shared, allowMissingColumns=True))
    require_parts_add_up(parts)
    if on_works is not None:
        parts = work.cut(parts.unionByName(on_works, allowMissingColumns=True))
    return _Owed(parts, owned)


def _released(parts: DataFrame) -> DataFrame:
    """[entry_id, went] of the holds that these parts come from."""
    return parts.select(F.col("hold_id").alias("entry_id"), F.lit("release").alias("went")).distinct()


def _candidates(work: Work, book: ContractBook, fresh: DataFrame, due: _Due) -> DataFrame:
    """Every group that a contract is looked for: fresh usage, what is held, and what closed books gave to others than today's decisions do."""
    held = due.waiting.withColumns({"hold_id": F.col("entry_id"), "months_held": months_held(work.period)})
    if book.rules.pools:
        fresh = fresh.withColumn("months_held", F.coalesce(months_held(work.period), F.lit(0)))
        held = as_pooled(held, before(work, gold.royalty_lines))
    else:
        fresh = fresh.withColumn("months_held", F.lit(0))
        if "pooled" in due.waiting.columns:
            fresh = fresh.withColumns({"base": F.col("amount"), "pooled": F.lit(None).cast(STEPS_TYPE)})
        if "on_work" in due.waiting.columns:
            fresh = fresh.withColumns({"on_work": F.lit(False), "held_since": F.lit(None).cast("string")})
    found = fresh.withColumn("hold_id", F.lit(None).cast("string"))
    found = found.unionByName(held.select(*found.columns))
    if due.again is not None:
        unheld = {"months_held": F.lit(0), "held_since": F.lit(None).cast("string"), "on_work": F.lit(False)}
        again = groups_again(due.again).withColumns(unheld)
        found = found.unionByName(again.select(*found.columns))
    return found


def _by_market(work: Work, book: ContractBook, waiting: DataFrame, owned: DataFrame) -> DataFrame | None:
    """The parts of holds that a person lets go in this period and that nobody owns after all; None, as mostly, where there are none."""
    reader, name = work.env.reader, ops.unclaimed_releases.name
    released = reader.relation(name, work.pins[name])
    rows = reader.sql(f"SELECT entry_id, policy FROM {released} WHERE period = ?", [work.period])
    if not rows:
        return None
    policies = local_rows(work.env.spark, {"entry_id": "string", "policy": "string"}, [tuple(row.values()) for row in rows])
    going = waiting.join(F.broadcast(policies), "entry_id").join(owned, "entry_id", "left_anti")
    published = before(work, gold.royalty_lines)
    going = work.cut(as_pooled(going, published) if book.rules.pools else going)
    return divide_by_market(going, owners_of_markets(standing(published), going))


def _lines_that_drifted(work: Work, book: ContractBook, dead: DataFrame, on_works: bool) -> DataFrame | None:
    """Published lines that a change of the catalog gives to others, of reports that count; None, as mostly, where there are none."""
    routing = work.env.routing
    moved = lines_to_correct(work.env.reader, work.period, work.env.rules.ruleset, book, bool(routing.pool_rules), on_works)
    if not moved:
        return None
    wanted = local_rows(work.env.spark, {"line_id": "string"}, [(line_id,) for line_id in moved])
    lines = before(work, gold.royalty_lines).join(F.broadcast(wanted), "line_id", "left_semi")
    return work.cut(lines.join(F.broadcast(dead), "file_id", "left_anti"))


def _duplicates(work: Work, dead: DataFrame) -> DataFrame:
    """The period's lines that another source reports too, of reports that count."""
    gone = F.broadcast(dead)
    earlier = work.env.store.read(silver.duplicates, up_to=work.period).where(F.col("period") < work.period)
    # Where a held line's report was replaced, its equal is free again; where the paid one's was, the held line stays held.
    earlier = earlier.join(gone, "file_id", "left_anti")
    return find_duplicates(work.read(silver.usage).join(gone, "file_id", "left_anti"), earlier, work.env.channels, work.period)
