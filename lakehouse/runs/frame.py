"""The frame around every job: pins what it reads, skips what is done, writes in a fixed order, checks, journals.

A job is a function of `Work` that returns what to write. It sees its inputs at pinned Delta versions and, where a table
is partitioned by period, only up to its own period: so a period can be computed again, years later, to the same rows.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import lakehouse
from lakehouse.runs.declared import Declared
from lakehouse.runs.environment import Environment
from lakehouse.store.light import append_rows
from lakehouse.tables import Table, ops
from lakehouse.transforms.local import local_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Small writes are mostly planning: a few at a time keep the cores busy.
_SIDE_BY_SIDE = 3

log = logging.getLogger("lakehouse")


@dataclass(frozen=True)
class Append:
    table: Table
    rows: DataFrame


@dataclass(frozen=True)
class Replace:
    """Replaces the period's rows."""

    table: Table
    rows: DataFrame


@dataclass
class Work:
    """What a job may use: its period, its inputs at their pins, and the rules of the environment."""

    env: Environment
    period: str
    pins: Mapping[str, int]
    given: Mapping[str, DataFrame] = field(default_factory=dict)
    cached: list[DataFrame] = field(default_factory=list)
    # Spark counts metrics of a plan as long as somebody holds it, and logs an error where tasks of a forgotten one still report.
    planned: list[DataFrame] = field(default_factory=list)
    run_id: str = ""

    def read(self, table: Table) -> DataFrame:
        """The table at its pin, up to this period."""
        return self.env.store.read(table, self.pins[table.name], up_to=self.period if "period" in table.partition_by else None)

    def read_period(self, table: Table) -> DataFrame:
        """The table at its pin, of this period alone; or the rows that were given in its place."""
        if table.name in self.given:
            return self.given[table.name]
        return self.env.store.read(table, self.pins[table.name], period=self.period)

    def reports(self, file_ids: Iterable[str]) -> DataFrame:
        """[file_id] of these reports."""
        return local_rows(self.env.spark, {"file_id": "string"}, [(one,) for one in sorted(file_ids)])

    def keep(self, rows: DataFrame) -> DataFrame:
        """Rows that are used more than once: computed once, released when the job ends."""
        self.cached.append(rows.persist())
        return self.cached[-1]

    def cut(self, rows: DataFrame) -> DataFrame:
        """The same, and nothing built on them looks at their plan again: on one machine planning costs more than small rows do.

        On a cluster they are only kept: rows cut off from their plan would be lost with the executor that holds them.
        """
        one_machine = str(rows.sparkSession.sparkContext.master).startswith("local")
        self.planned.append(rows)
        return rows.localCheckpoint(eager=False) if one_machine else self.keep(rows)

    def release(self) -> None:
        for rows in self.cached:
            rows.unpersist()
        self.planned.clear()


Body = Callable[[Work], Iterable[Append | Replace]]


@dataclass(frozen=True)
class Job:
    """A stage: what it is declared to read and write, and the function between. `rules` names what else decides its outcome."""

    declared: Declared
    doc: str
    body: Body
    rules: Callable[[Environment], Mapping[str, str]]

    @property
    def name(self) -> str:
        return self.declared.name

    @property
    def reads(self) -> tuple[Table, ...]:
        return self.declared.reads

    @property
    def writes(self) -> tuple[Table, ...]:
        return self.declared.writes

    def fingerprint(self, env: Environment, period: str) -> str:
        """SHA-256 over everything that decides what the job would write: inputs, rules and code."""
        own = {table.name for table in self.writes}
        inputs = {table.name: env.store.state(table, period) for table in self.reads if table.name not in own}
        decides = [self.name, period, inputs, dict(self.rules(env)), lakehouse.__version__]
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Done:
    """A job that ran: its journal entry."""

    job: Job
    entry: dict[str, Any]


def job(declared: Declared, rules: Callable[[Environment], Mapping[str, str]] = lambda env: {}) -> Callable[[Body], Job]:
    """Makes a function the stage that is declared."""
    return lambda body: Job(declared, body.__doc__ or "", body, rules)


def run_jobs(jobs: Sequence[Job], env: Environment, period: str, progress: Callable[[str], None] = lambda name: None) -> bool:
    """Runs the stages in order and journals those that had something to do. True when anything was written."""
    known = {name: run["fingerprint"] for name, run in latest_runs(env, period).items()}
    done: list[Done] = []
    try:
        for stage in jobs:
            progress(stage.name)
            if finished := _run(stage, env, period, known):
                done.append(finished)
    finally:
        if done:
            _write_journal(env, done)
    return any(finished.entry["writes"] for finished in done)


def _run(stage: Job, env: Environment, period: str, known: Mapping[str, str]) -> Done | None:
    fingerprint = stage.fingerprint(env, period)
    if known.get(stage.name) == fingerprint:
        log.info("%s %s: nothing new", stage.name, period)
        return None
    work = Work(env, period, env.store.versions(stage.reads), run_id=uuid.uuid4().hex)
    entry: dict[str, Any] = {
        "run_id": work.run_id, "job": stage.name, "period": period, "fingerprint": fingerprint, "reads": dict(work.pins),
        "writes": {}, "code_version": lakehouse.__version__, "started_at": datetime.now(timezone.utc),
    }  # fmt: skip
    note = {key: entry[key] for key in ("run_id", "job", "period", "fingerprint", "reads", "code_version")}
    try:
        entry["writes"] = _write_all(env, stage, stage.body(work), note, period)
    finally:
        work.release()
    entry["ended_at"] = datetime.now(timezone.utc)
    log.info("%s %s: wrote %s", stage.name, period, entry["writes"] or "nothing")
    return Done(stage, entry)


def _write_all(
    env: Environment, stage: Job, writes: Iterable[Append | Replace], note: Mapping[str, Any], period: str
) -> dict[str, int]:
    """Table: version written. Appends keep their order, on which a rerun after a kill relies, and each is written before the next is
    asked for; replacements go side by side."""
    versions: dict[str, int] = {}
    replacements = []
    for write in writes:
        if write.table not in stage.writes:
            raise AssertionError(f"job {stage.name} writes {write.table.name}, which it does not declare")
        if isinstance(write, Append):
            versions[write.table.name] = _write(env, write, note, period)
        else:
            replacements.append(write)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        written = pool.map(lambda w: _write(env, w, note, period), replacements)
        return {**versions, **{w.table.name: version for w, version in zip(replacements, written, strict=True)}}


def _write(env: Environment, write: Append | Replace, note: Mapping[str, Any], period: str) -> int:
    if isinstance(write, Append):
        return env.store.append(write.table, write.rows, note)
    return env.store.replace(write.table, write.rows, note, period)


def latest_runs(env: Environment, period: str) -> dict[str, dict[str, Any]]:
    """Job: fingerprint and versions read of its latest run for this period."""
    reader = env.reader
    rows = reader.sql(
        f"""SELECT job, arg_max(fingerprint, ended_at) AS fingerprint, arg_max(reads, ended_at) AS reads
            FROM {reader.relation("ops.runs")} WHERE period = ? GROUP BY job""",
        [period],
    )
    return {row["job"]: {"fingerprint": row["fingerprint"], "reads": dict(row["reads"])} for row in rows}


def _write_journal(env: Environment, done: Sequence[Done]) -> None:
    versions = ({side: {t: str(v) for t, v in finished.entry[side].items()} for side in ("reads", "writes")} for finished in done)
    entries = [{**finished.entry, **written} for finished, written in zip(done, versions, strict=True)]
    append_rows(env.place, ops.runs, entries, {"journal": [finished.entry["run_id"] for finished in done]})
