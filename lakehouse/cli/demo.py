"""The whole way once: a synthetic label's dumps become statements, held against what its generator knows to be true."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lakehouse.cli import people
from lakehouse.cli.frame import table
from lakehouse.errors import Misuse

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

_PLACES = ("revenue", "payable", "retained", "fees", "tax", "held", "quarantined")


def run_demo(env: Environment, directory: Path, lines: int) -> int:
    """Makes the label and the lake anew, runs and closes every period, and says what to try next. 0 where all is as expected."""
    from lakehouse.demo import write_demo
    from lakehouse.runs.admin import init_lake, load_catalog, load_contracts
    from lakehouse.runs.close import close_period
    from lakehouse.runs.period import run_period
    from lakehouse.store.lease import writer_lease
    from lakehouse.store.verify import verify

    began = time.monotonic()
    if not env.place.is_local:
        raise Misuse("The demo makes its lake anew, which it does in folders only: give --root FOLDER.")
    for folder in (directory, Path(env.root)):
        shutil.rmtree(folder, ignore_errors=True)
    # Spark takes seconds to start: it does so while the label is made.
    spark = ThreadPoolExecutor(1).submit(_warm_up, env)
    made = write_demo(directory, lines=lines, months=2, seed=1)
    expected = json.loads((directory / "expected.json").read_text(encoding="utf-8"))
    _say(f"A label with {made.files} files and {made.lines} usage lines is in {directory}/.")
    with writer_lease(env.place, new=True):
        init_lake(env)
        loaded = load_catalog(env, sorted((directory / "catalog").iterdir()))
        book = load_contracts(env, directory / "contracts")
        _say(
            f"Catalog: {loaded['recordings']} recordings on {loaded['releases']} releases. Contract book: {book['contracts']} contracts."
        )
        landed = [env.landing.put(file, env.dialects) for file in sorted((directory / "dumps").rglob("*")) if file.is_file()]
        for file in landed:
            if file.status != "landed":
                _say(f"  {file.status}: {Path(file.path).name}: {file.reason}")
        spark.result()
        wrong: list[str] = []
        for period in sorted(expected["periods"]):
            report = run_period(env, period, progress=_say)
            people.print_report(report)
            wrong += differences(report, expected["periods"][period], env, period)
            closed = close_period(env, period)
            _say(f"[closed] {period}  root {closed['root']}\n")
    _print_result(env, sorted(expected["periods"])[-1])
    report = verify(env.place).as_json()
    people.print_verified(report)
    _print_next(env, time.monotonic() - began)
    for difference in wrong:
        typer.echo(f"NOT AS EXPECTED: {difference}")
    return 0 if report["ok"] and not wrong else 1


def differences(report: dict[str, Any], truth: dict[str, Any], env: Environment, period: str) -> list[str]:
    """Every figure of the run that is not exactly the generator's: lines, money by currency, earnings by payee."""
    from lakehouse.views.statements import list_statements

    found: list[str] = []
    for name in ("read", "accepted", "ignored", "quarantined"):
        if report["lines"][name] != truth["lines"][name]:
            found.append(f"{period} lines {name}: {report['lines'][name]}, expected {truth['lines'][name]}")
    money = {row["currency"]: row for row in report["money"]}
    for row in truth["money"]:
        for place in _PLACES:
            value = Decimal(money.get(row["currency"], {}).get(place, 0))
            if value != Decimal(row[place]):
                found.append(f"{period} {row['currency']} {place}: {value}, expected {row[place]}")
    earned = {(row["payee"], row["currency"]): Decimal(row["earned"]) for row in list_statements(env.reader, period)}
    for row in truth["payees"]:
        if earned.get((row["payee"], row["currency"])) != Decimal(row["earned"]):
            found.append(
                f"{period} {row['payee']} {row['currency']}: {earned.get((row['payee'], row['currency']))}, expected {row['earned']}"
            )
    if not found:
        typer.echo(
            f"  reconciled with expected.json: lines, money and {len(truth['payees'])} payees' earnings, to the last decimal"
        )
    return found


def _print_result(env: Environment, period: str) -> None:
    from lakehouse.views.statements import list_statements, show_statement, why

    statements = list_statements(env.reader, period)
    people.print_statements(statements)
    largest = max(statements, key=lambda row: row["line_count"])
    lines = show_statement(env.reader, largest["statement_id"])["lines"]
    # The line that went through most stages says most.
    explained = max((why(env.reader, line["line_id"]) for line in lines[:5]), key=lambda line: len(line["stages"]))
    people.print_why(explained)


def _print_next(env: Environment, seconds: float) -> None:
    root = env.settings.root
    typer.echo(f"\nDone in {seconds:.0f} s. To try next:")
    table([
        {"command": f".venv/bin/lakehouse files --root {root}", "shows": "what became of each file"},
        {"command": f".venv/bin/lakehouse statements --root {root} --payee A-ANA", "shows": "one payee's statements"},
        {"command": f".venv/bin/lakehouse quarantine list --root {root}", "shows": "what was refused, and every reason"},
        {"command": f".venv/bin/lakehouse export --root {root} --period 2026-06 --to statements-xlsx --out out", "shows": "statements for a spreadsheet"},
        {"command": f".venv/bin/lakehouse verify --root {root} --engine spark", "shows": "the same roots, computed again from the pinned inputs"},
    ])  # fmt: skip


def _say(text: str) -> None:
    typer.echo(text)


def _warm_up(env: Environment) -> None:
    """Starts Spark and the Python beside it, each of its workers with the readers of reports."""
    env.spark.range(env.spark.sparkContext.defaultParallelism).mapInArrow(_with_readers, "id long").count()


def _with_readers(batches: Iterator[Any]) -> Iterator[Any]:
    import lakehouse.sources.scan  # noqa: F401  (takes its time once for each worker)

    yield from batches
