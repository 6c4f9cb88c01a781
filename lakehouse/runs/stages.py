"""The stages of a period, in order: ingest, conform, reconcile, resolve, state. Each is one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.checks.totals import require_no_difference
from lakehouse.runs import declared
from lakehouse.runs.catalog_index import index_of_catalog, parts_to_send
from lakehouse.runs.declared import DRAFT
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import Append, Job, Replace, Work, job
from lakehouse.runs.linked import has_paid_on_works, linked_works, newly_linked
from lakehouse.runs.links import reported_links
from lakehouse.runs.overfull import hold_overfull, reports_let_go
from lakehouse.runs.report_drift import drift_of_reports
from lakehouse.runs.resolve import resolve
from lakehouse.runs.routing import routed, routing_events
from lakehouse.runs.rulesets import matching_rules
from lakehouse.runs.standing import before, opening_of, superseded_reports
from lakehouse.sources.scan import KEY_COLUMNS, scan_files
from lakehouse.store.landing import Receipt
from lakehouse.tables import bronze, gold, ops, silver
from lakehouse.tables.declare import MONEY
from lakehouse.transforms.conform import conform as conform_lines
from lakehouse.transforms.conserve import conserve
from lakehouse.transforms.groups import latest_decisions, open_holds
from lakehouse.transforms.ledger import book_ledger
from lakehouse.transforms.local import local_rows
from lakehouse.transforms.reconcile import match_keys
from lakehouse.transforms.release import released_lines
from lakehouse.transforms.review import alias_decisions, refused_pairs, standing_reviews
from lakehouse.transforms.roots import partition_roots
from lakehouse.transforms.route import as_routed, reported
from lakehouse.transforms.statements import settle_accounts
from lakehouse.views.drift import touched_keys
from lakehouse.views.held import accepted_differences, adjustments_of_replaced, contradicted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


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


@job(declared.STATE)
def state(work: Work) -> Sequence[Append | Replace]:
    """Draws up the statements, the ledger and the proof that nothing is lost; stops where something is."""
    period = work.period
    lines, holding = work.keep(work.read_period(DRAFT["royalty_lines"])), work.read_period(DRAFT["holding"])
    book = work.env.book(work.pins[silver.contracts.name])
    opening = opening_of(work)
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
