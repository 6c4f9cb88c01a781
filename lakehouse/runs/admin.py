"""Work on a lake outside its periods: making it, loading the catalog and the contract book."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lakehouse
from lakehouse.errors import Findings
from lakehouse.model.drift import drift_events
from lakehouse.model.lint import read_book
from lakehouse.model.pools import not_in_a_lake
from lakehouse.runs.books import book_documents
from lakehouse.runs.catalog_links import note_links
from lakehouse.runs.environment import Environment
from lakehouse.sources.ern_rows import TABLES, ErnRows
from lakehouse.store.light import append_rows, create_tables, replace_rows
from lakehouse.store.reader import LakeReader
from lakehouse.tables import Table, silver


def init_lake(env: Environment) -> bool:
    """Creates the tables that are missing. True when there were any."""
    return bool(create_tables(env.place))


def load_catalog(env: Environment, files: Sequence[Path]) -> dict[str, Any]:
    """Adds and updates recordings; the catalog changes its version only when something differs."""
    from lakehouse.sources.catalog import merge_catalog, read_catalog

    loaded = read_catalog(files)
    reader = env.reader
    existing = reader.sql(f"SELECT * FROM {reader.relation(silver.catalog.name)}")
    rows, changed = merge_catalog(existing, loaded.recordings)
    version = reader.version(silver.catalog.name)
    drifted = drift_events(existing, rows, version + 1) if changed else []
    if drifted:
        # Before the catalog: a load that is killed between the two is loaded again, and its events have the same ids.
        _note_drift(env, drifted)
    if changed:
        note_links(env, rows, version + 1)
        version = _replace(reader, silver.catalog, rows, {"job": "catalog load"})
    _load_messages(env, loaded.messages)
    return {
        "version": version,
        "releases": len({row["upc"] for row in rows if row["upc"]}),
        "recordings": len({row["recording_id"] for row in rows}),
        "changed": changed,
        "drift": len(drifted),
        "findings": loaded.findings,
    }


def _note_drift(env: Environment, events: list[dict[str, Any]]) -> None:
    create_tables(env.place, [silver.drift_events])
    reader = env.reader
    known = {row["event_id"] for row in reader.sql(f"SELECT event_id FROM {reader.relation(silver.drift_events.name)}")}
    if fresh := [event for event in events if event["event_id"] not in known]:
        append_rows(env.place, silver.drift_events, fresh, {"job": "catalog load", "code_version": lakehouse.__version__})


def _load_messages(env: Environment, messages: ErnRows) -> None:
    """What DDEX messages say of releases, parties, contributors and deals; a table that stays as it is keeps its version."""
    for table in [table for table in TABLES if messages.by_table[table.name]]:
        # A lake made by an earlier version has no such tables.
        create_tables(env.place, [table])
        reader = env.reader
        existing = reader.sql(f"SELECT * FROM {reader.relation(table.name)}")
        rows = messages.merged(table, existing)
        if rows != sorted(existing, key=lambda row: tuple(row[column] for column in table.grain)):
            _replace(reader, table, rows, {"job": "catalog load"})


def load_contracts(env: Environment, path: Path) -> dict[str, Any]:
    """Loads the book at `path` in place of the one before. Raises Findings where the linter finds an error, or a lake cannot divide a pool."""
    documents = book_documents(path)
    book, findings = read_book(documents)
    if errors := [str(finding) for finding in findings if finding.severity == "error"]:
        raise Findings("The contract book has errors and was not loaded:\n" + "\n".join(errors))
    if unfit := [f"the pool {pool.name}: {why}" for pool in book.rules.pools if (why := not_in_a_lake(pool))]:
        # Left alone it would be ignored, and every line of it paid as its report has it.
        raise Findings(
            f"The contract book was not loaded. A lake cannot divide {'; '.join(unfit)}. Take it out of the book, and try it with"
            " `lakehouse contracts try`."
        )
    if book.rules.pools and book.of_works:
        raise Findings(
            "The contract book was not loaded. A lake cannot pay publishing on works (`covers: works`) from usage that is pooled: what is left of a"
            " pool's part would be divided again with the pool. Keep the two in books of their own."
        )
    reader = env.reader
    known = reader.sql(f"SELECT DISTINCT book_sha256 FROM {reader.relation(silver.contracts.name)}")
    version = reader.version(silver.contracts.name)
    if [row["book_sha256"] for row in known] != [book.sha256]:
        rows = [
            {"file": file, "text": text, "sha256": hashlib.sha256(text.encode()).hexdigest(), "book_sha256": book.sha256}
            for file, text in sorted(documents.items())
        ]
        version = _replace(reader, silver.contracts, rows, {"job": "contracts load", "book_sha256": book.sha256})
    return {"version": version, "sha256": book.sha256, "contracts": len(book.contracts)}


def load_events(env: Environment, files: Sequence[Path]) -> dict[str, Any]:
    """Adds events of accounts (advances, costs, payments). {version, events, added}.

    An id that is known already, with the same facts, is not added again. Raises Findings where a file cannot be read, an id comes with
    other facts, or the period is closed.
    """
    from lakehouse.sources.events import read_events

    reader = env.reader
    known = {row["event_id"]: row for row in reader.sql(f"SELECT * FROM {reader.relation(silver.account_events.name)}")}
    given = read_events(files)
    changed = sorted(event["event_id"] for event in given if known.get(event["event_id"], event) != event)
    fresh = [event for event in given if event["event_id"] not in known]
    closed = set(env.closed_periods())
    late = sorted({event["period"] for event in fresh} & closed)
    if changed or late:
        told = [
            f"{event_id} is booked already with other facts: book the difference under an id of its own" for event_id in changed
        ]
        told += [f"{period} is closed: book what belongs to it in an open period" for period in late]
        raise Findings("The events were not loaded: " + "; ".join(told) + ".")
    rows = sorted([*known.values(), *fresh], key=lambda event: event["event_id"])
    version = (
        _replace(reader, silver.account_events, rows, {"job": "events load"})
        if fresh
        else reader.version(silver.account_events.name)
    )
    return {"version": version, "events": len(rows), "added": len(fresh)}


def _replace(reader: LakeReader, table: Table, rows: list[dict[str, Any]], note: dict[str, str]) -> int:
    """Replaces the rows that `reader` has seen."""
    told = {**note, "code_version": lakehouse.__version__}
    return replace_rows(reader.place, table, rows, told, read_at=reader.version(table.name))
