"""The stages of a period, in order: ingest, conform, reconcile, resolve, state. Each is one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.checks.totals import require_no_difference, require_parts_add_up
from lakehouse.model.counting import counting_groups
from lakehouse.model.vocabulary import PAID
from lakehouse.runs import declared
from lakehouse.runs.adjusting import adjusted
from lakehouse.runs.catalog_index import index_of_catalog, parts_to_send
from lakehouse.runs.declared import DRAFT
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Append, Job, Replace, Work, job
from lakehouse.runs.linked import has_paid_on_works, linked_works, newly_linked, pays_on_works, routed_works
from lakehouse.runs.links import reported_links
from lakehouse.runs.overfull import hold_overfull, reports_let_go
from lakehouse.runs.pooling import as_pooled, pooled_keys, pools_again, through_pools
from lakehouse.runs.report_drift import drift_of_reports
from lakehouse.runs.routing import routed, routing_events
from lakehouse.sources.scan import KEY_COLUMNS, scan_files
from lakehouse.store.landing import Receipt
from lakehouse.tables import Table, bronze, gold, ops, silver
from lakehouse.tables.declare import MONEY
from lakehouse.tables.gold import UNMATCHED
from lakehouse.transforms.conform import conform as conform_lines
from lakehouse.transforms.conserve import conserve
from lakehouse.transforms.duplicates import find_duplicates
from lakehouse.transforms.groups import group_usage, join_recordings, latest_decisions, open_holds
from lakehouse.transforms.hold import duplicate_holds, holds, may_find_an_owner, months_held, taken_away, to_pools, went_where
from lakehouse.transforms.ledger import book_ledger
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.market import divide_by_market, owners_of_markets
from lakehouse.transforms.on_works import pay_on_works, with_rest_of_works, without_rest_of
from lakehouse.transforms.pools import pool_parts
from lakehouse.transforms.reconcile import match_keys
from lakehouse.transforms.release import released_lines
from lakehouse.transforms.resolve import groups_again, mirrors, reversals, royalty_lines, standing
from lakehouse.transforms.resolve import resolve as resolve_groups
from lakehouse.transforms.resolved import STAGES as STEPS_TYPE
from lakehouse.transforms.review import alias_decisions, refused_pairs, standing_reviews
from lakehouse.transforms.roots import partition_roots
from lakehouse.transforms.route import as_routed, reported
from lakehouse.transforms.statements import counts_before, opening_balances, settle_accounts
from lakehouse.views.drift import lines_to_correct, touched_keys
from lakehouse.views.held import accepted_differences, adjustments_of_replaced, contradicted, superseded

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakehouse.model.book import ContractBook

# What a report says of a recording: the matcher, and routing, see it by the least of each.
IDENTITY = ("isrc", "upc", "title", "artist", "album", "label", "proprietary_id")


def due_receipts(env: Environment, period: str) -> list[Receipt]:
    """What has landed for this period and is not in the lake yet, with what came late for a period that is closed."""
    closed = set(env.closed_periods())
    periods = [p for p in env.landing.report_periods() if p == period or (p < period and p in closed)]
    receipts = [receipt for p in periods for receipt in env.landing.receipts(p)]
    reader = env.reader
    known = {row["file_id"] for row in reader.sql(f"SELECT file_id FROM {reader.relation('bronze.files')}")}
    return sorted((r for r in receipts if r.file_id not in known), key=lambda r: r.file_id)


def _landed(env: Environment) -> Mapping[str, str]:
    return {"landed": ",".join(f"{p}:{env.landing.count(p)}" for p in env.landing.report_periods())}


def _conforming(env: Environment) -> Mapping[str, str]:
    return {"rules": env.dialects_sha256, "let_go": ",".join(reports_let_go(env))}


def matching_rules(env: Environment) -> Mapping[str, str]:
    return {"rules": env.rules.ruleset}


def _resolving(env: Environment) -> Mapping[str, str]:
    return {**matching_rules(env), "channels": env.channels.sha256}


@job(declared.INGEST, rules=_landed)
def ingest(work: Work) -> Iterator[Append]:
    """Reads what has landed into bronze: every record verbatim, every file once."""
    receipts = due_receipts(work.env, work.period)
    if not receipts:
        return
    scanned = scan_files(work.env.spark, receipts, work.env.dialects, work.env.landing.open, work.period)
    # The files are listed last: a file that is listed has all its lines. Lines of a run that was killed between the two are not written again.
    written = work.env.store.read(bronze.lines, period=work.period).select("file_id").distinct()
    yield Append(bronze.lines, scanned.lines.join(F.broadcast(written), "file_id", "left_anti"))
    yield Append(bronze.files, local_rows(work.env.spark, bronze.files.types, scanned.files()).coalesce(1))


@job(declared.CONFORM, rules=_conforming)
def conform(work: Work) -> Sequence[Append | Replace]:
    """Types every line of the period's reports: usage, not income, or refused with every reason."""
    store = work.env.store
    placed = [store.read(table, period=work.period).select(*KEY_COLUMNS) for table in (ops.quarantine, ops.ignored, silver.usage)]
    seen = placed[0].union(placed[1]).union(placed[2])
    fresh = _lines_that_go_on(work).where("kind = 'data'").join(seen, [*KEY_COLUMNS], "left_anti")
    refused = store.read(ops.quarantine, up_to=work.period)
    back = released_lines(work.read(bronze.lines), refused, work.read_period(ops.releases), work.env.dialects)
    back = back.withColumn("period", F.lit(work.period)).join(placed[2], [*KEY_COLUMNS], "left_anti")
    typed = conform_lines(fresh.unionByName(back), work.read(bronze.files), work.env.dialects, work.keep)
    let_go = work.read(ops.file_releases).where("cause = 'quarantine'").select("file_id")
    begun = seen.select("file_id").union(refused.select("file_id")).union(let_go)
    entries, going = hold_overfull(work, typed, begun)
    return [
        *reported_links(work),
        *entries,
        Append(ops.quarantine, going.quarantine.join(refused.select("record_id"), "record_id", "left_anti")),
        Append(ops.ignored, going.ignored),
        Append(silver.usage, going.usage),
    ]


def _lines_that_go_on(work: Work) -> DataFrame:
    """The lines of the period's reports that do not contradict themselves, and of earlier ones that a person released in it."""
    reader, period = work.env.reader, work.period
    files, releases = (reader.relation(table.name, work.pins[table.name]) for table in (bronze.files, ops.file_releases))
    here = {row["file_id"] for row in reader.sql(f"SELECT file_id FROM {files} WHERE period = ?", [period])}
    let_go = {row["file_id"] for row in reader.sql(f"SELECT file_id FROM {releases} WHERE period = ?", [period])}
    own, late = work.reports(here - contradicted(reader, period, work.pins)), work.reports(let_go - here)
    lines = work.read(bronze.lines).join(late, "file_id", "left_semi").withColumn("period", F.lit(period))
    return work.read_period(bronze.lines).join(own, "file_id", "left_semi").unionByName(lines)


@job(declared.RECONCILE, rules=matching_rules)
def reconcile(work: Work) -> Iterator[Append | Replace]:
    """Matches every usage key to a recording, or says why not. A decision is made once for a catalog, ruleset and review."""
    ruleset, catalog_version = work.env.rules.ruleset, work.pins[silver.catalog.name]
    standing = work.cut(standing_reviews(work.read(ops.reviews)))
    usage = work.read(silver.usage)
    held = open_holds(work.read(gold.holding)).select("usage_key").distinct()
    if drifted := touched_keys(work.env.reader, work.period, bool(work.env.routing.pool_rules), has_paid_on_works(work.env)):
        held = held.union(local_rows(work.env.spark, {"usage_key": "string"}, [(key,) for key in drifted])).distinct()
    told = usage.select("period", "usage_key", *IDENTITY, "source", "currency", "amount")
    again = told.where(F.col("period") < work.period).join(held, "usage_key", "left_semi").select(*told.columns)
    keys = reported(told.where(F.col("period") == work.period).union(again), IDENTITY)
    keys = keys.join(F.broadcast(standing.select("usage_key", "review_no")), "usage_key", "left").fillna(0, ["review_no"])
    # The decisions are read as they are now: a key decided by a run that was killed is not decided twice.
    decided = work.env.store.read(silver.matches, up_to=work.period).where(
        (F.col("ruleset") == ruleset) & (F.col("catalog_version") == catalog_version)
    )
    fresh = work.cut(keys.join(decided.select("usage_key", "review_no"), ["usage_key", "review_no"], "left_anti"))
    catalog = work.read(silver.catalog)
    aliases = work.cut(alias_decisions(fresh, standing, catalog, work.env.rules))
    open_keys = fresh.join(aliases.select("usage_key"), "usage_key", "left_anti")
    index = yield from index_of_catalog(work, catalog)
    parts = parts_to_send(work, fresh)
    matched = match_keys(open_keys, catalog, work.env.rules, work.cut, refused_pairs(standing), index, parts)
    decisions = aliases.unionByName(matched).join(fresh.select("usage_key", "review_no"), "usage_key")
    of_now = {"catalog_version": F.lit(catalog_version).cast("bigint"), "period": F.lit(work.period)}
    proposed = work.cut(decisions.withColumns(of_now).coalesce(1))
    linked = linked_works(work, keys)
    events = routing_events(work, proposed.join(fresh.drop("review_no"), "usage_key"), linked)
    rows = as_routed(proposed, events).coalesce(1)
    if linked is not None:
        standing_ = newly_linked(work, latest_decisions(decided, ruleset, catalog_version), linked)
        events = work.cut(events.unionByName(routing_events(work, standing_.join(keys.drop("review_no"), "usage_key"), linked)))
    # A key is decided when it is in silver.matches: so its event comes first, and a run that was killed between the two repeats it.
    yield from routed(work, events)
    yield Append(silver.matches, rows)
    yield from drift_of_reports(work)


@job(declared.RESOLVE, rules=_resolving)
def resolve(work: Work) -> Sequence[Append | Replace]:
    """Gives every group of usage lines to those who own it under the contract in force; holds what has no owner."""
    book = work.env.book(work.pins[silver.contracts.name])
    dead = superseded_reports(work)
    opening = work.cut(before(work, gold.holding).transform(open_holds))
    undone, waiting = (opening.join(F.broadcast(dead), "file_id", how) for how in ("left_semi", "left_anti"))
    waiting, adjustments = adjusted(work, book, waiting)
    twice = work.cut(_duplicates(work, dead))
    usage, held_twice = (
        work.read_period(silver.usage).join(twice.select(*KEY_COLUMNS), [*KEY_COLUMNS], how) for how in ("left_anti", "left_semi")
    )
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
    waiting = waiting.where(may_find_an_owner(work.env.channels))
    fresh = through_pools(work, book, usage, dead, redone)
    decisions = latest_decisions(work.read(silver.matches), work.env.rules.ruleset, work.pins[silver.catalog.name])
    candidates = _candidates(work, book, fresh, waiting, again)
    groups = work.cut(join_recordings(candidates, decisions, work.read(silver.catalog)))
    published_parts = None
    if pays_on_works(work, book):
        groups, published_parts = pay_on_works(
            groups, routed_works(work, work.read(silver.routing_audit)), book, require_parts_add_up, work.cut
        )
    if book.pools and work.env.routing.pool_rules:
        groups = work.cut(to_pools(groups, pooled_keys(work.read(silver.routing_audit), work.env)))
    is_paid = F.col("reconciliation_status").isin(*PAID) | F.col("recording_id").eqNullSafe(UNMATCHED)
    if corrected is not None:
        undoing = work.keep(undoing.unionByName(mirrors(corrected, work.period)))
    counts = counts_before(_opening(work), undoing) if counting_groups(book) else {}
    resolved = work.cut(resolve_groups(groups.where(is_paid), book, counts, work.keep))
    owned = resolved.where("contract_id IS NOT NULL").select(F.col("hold_id").alias("entry_id"), went_where(book)).distinct()
    if published_parts is not None:
        owned = owned.unionByName(
            published_parts.select(F.col("hold_id").alias("entry_id"), F.lit("release").alias("went")).distinct()
        )
    if (shared := _by_market(work, book, waiting, owned)) is not None:
        owned = owned.unionByName(shared.select(F.col("hold_id").alias("entry_id"), F.lit("release").alias("went")).distinct())
        resolved = work.cut(resolved.unionByName(shared, allowMissingColumns=True))
    require_parts_add_up(resolved)
    if published_parts is not None:
        resolved = work.cut(resolved.unionByName(published_parts, allowMissingColumns=True))
    lines = royalty_lines(resolved, work.period).unionByName(undoing)
    if book.rules.pools:
        lines = lines.unionByName(royalty_lines(pool_parts(fresh, book.sha256[:12]), work.period))
    held = (
        holds(groups.where(~is_paid), resolved, work.period)
        .unionByName(duplicate_holds(group_usage(held_twice, dead, book.asks_for_days), work.period))
        .unionByName(taken_away(waiting.join(owned, "entry_id"), F.col("went"), work.period))
        .unionByName(taken_away(undone, F.lit("reversal"), work.period))
    )
    for entries in (adjustments, None if rests is None else taken_away(rests, F.lit("release"), work.period)):
        held = held if entries is None else held.unionByName(entries)
    return [Replace(silver.duplicates, twice), Replace(DRAFT["royalty_lines"], lines), Replace(DRAFT["holding"], held)]


def _candidates(work: Work, book: ContractBook, fresh: DataFrame, waiting: DataFrame, corrected: DataFrame | None) -> DataFrame:
    """Every group that a contract is looked for: fresh usage, what is held, and what closed books gave to others than today's decisions do."""
    held = waiting.withColumns({"hold_id": F.col("entry_id"), "months_held": months_held(work.period)})
    if book.rules.pools:
        fresh = fresh.withColumn("months_held", F.coalesce(months_held(work.period), F.lit(0)))
        held = as_pooled(held, before(work, gold.royalty_lines))
    else:
        fresh = fresh.withColumn("months_held", F.lit(0))
        if "pooled" in waiting.columns:
            fresh = fresh.withColumns({"base": F.col("amount"), "pooled": F.lit(None).cast(STEPS_TYPE)})
        if "on_work" in waiting.columns:
            fresh = fresh.withColumns({"on_work": F.lit(False), "held_since": F.lit(None).cast("string")})
    found = fresh.withColumn("hold_id", F.lit(None).cast("string"))
    found = found.unionByName(held.select(*found.columns))
    if corrected is not None:
        unheld = {"months_held": F.lit(0), "held_since": F.lit(None).cast("string"), "on_work": F.lit(False)}
        again = groups_again(corrected).withColumns(unheld)
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


def _opening(work: Work) -> DataFrame:
    """What accounts held when the latest closed period ended."""
    return opening_balances(before(work, gold.balances), work.env.closed_periods(), work.period)


def _duplicates(work: Work, dead: DataFrame) -> DataFrame:
    """The period's lines that another source reports too, of reports that count."""
    gone = F.broadcast(dead)
    before = work.env.store.read(silver.duplicates, up_to=work.period).where(F.col("period") < work.period)
    # Where a held line's report was replaced, its equal is free again; where the paid one's was, the held line stays held.
    standing = before.join(gone, "file_id", "left_anti")
    return find_duplicates(work.read(silver.usage).join(gone, "file_id", "left_anti"), standing, work.env.channels, work.period)


@job(declared.STATE)
def state(work: Work) -> Sequence[Append | Replace]:
    """Draws up the statements, the ledger and the proof that nothing is lost; stops where something is."""
    period = work.period
    lines, holding = work.keep(work.read_period(DRAFT["royalty_lines"])), work.read_period(DRAFT["holding"])
    book = work.env.book(work.pins[silver.contracts.name])
    opening = _opening(work)
    events = work.read(silver.account_events).where(F.col("period") == period)
    settled = settle_accounts(lines, opening, events, book, period, work.cut)
    dead = superseded_reports(work)
    conserved = work.cut(_conserved(work, lines, holding, dead))
    require_no_difference(conserved)
    partitions = (
        partition_roots(lines, gold.royalty_lines, ("currency", "payee"))
        .join(lines.groupBy("currency", "payee").agg(F.sum("amount").alias("total")), ["currency", "payee"])
        .withColumn("period", F.lit(period))
    )
    differences = local_rows(
        work.env.spark,
        {"file_id": "string", "source": "string", "currency": "string", "amount": MONEY, "memo": "string"},
        accepted_differences(work.env.reader, period, work.pins),
    )
    undone = local_rows(
        work.env.spark,
        {"file_id": "string", "source": "string", "currency": "string", "amount": MONEY},
        adjustments_of_replaced(work.env.reader, period, work.pins),
    )
    return [
        Replace(DRAFT["ledger"], book_ledger(lines, holding, settled.movements, differences, undone, period)),
        Replace(DRAFT["balances"], settled.balances),
        Replace(DRAFT["conservation"], conserved),
        Replace(DRAFT["partitions"], partitions),
        Replace(DRAFT["statements"], settled.statements),
    ]


def before(work: Work, table: Table) -> DataFrame:
    """The published rows of earlier periods."""
    return work.read(table).where(F.col("period") < work.period)


def superseded_reports(work: Work) -> DataFrame:
    """[file_id] of the reports that a later version replaces, up to this period."""
    return work.reports(superseded(work.env.reader, work.period, work.pins))


def _conserved(work: Work, lines: DataFrame, holding: DataFrame, dead: DataFrame) -> DataFrame:
    """The conservation rows of the period, from its reports that count: those not in `dead`."""
    back = work.read(ops.releases)
    refused = work.read(ops.quarantine).join(F.broadcast(dead), "file_id", "left_anti")
    published = before(work, gold.conservation).join(F.broadcast(dead), "file_id", "left_semi")
    undone = published.groupBy("file_id", "source", "currency").agg(
        *(F.sum(name).alias(name) for name in ("revenue", "quarantined", "adjusted"))
    )
    return conserve(
        usage=work.read_period(silver.usage).join(F.broadcast(dead), "file_id", "left_anti"),
        refused=refused.where(F.col("period") == work.period).join(back, "record_id", "left_anti"),
        returned=refused.where(F.col("period") < work.period).join(
            back.where(F.col("period") == work.period), "record_id", "left_semi"
        ),
        lines=lines,
        holding=holding,
        undone=undone,
        period=work.period,
    )


STAGES: tuple[Job, ...] = (ingest, conform, reconcile, resolve, state)
