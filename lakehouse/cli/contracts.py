"""Contracts at the desk: what a book gives on a table, and what a new version of it changes. No lake, no JVM."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli.frame import Output, command, table
from lakehouse.cli.people import print_changes
from lakehouse.cli.work import contracts
from lakehouse.errors import Misuse

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

_BALANCE = (
    "opening", "earned", "deducted", "recouped", "reserved", "taxed", "converted", "payable", "carried", "unrecouped", "held",
)  # fmt: skip
Book = Annotated[Path, typer.Argument(help="The book: a folder or one file.", exists=True)]
Usage = Annotated[Path, typer.Argument(help="A CSV of usage lines and events.", exists=True, dir_okay=False)]


@command(contracts, "try")
def contracts_try(
    env: Environment, out: Output, book: Book, usage: Usage,
    trace: Annotated[bool, typer.Option("--trace", help="Show every line stage by stage.")] = False,
) -> int:  # fmt: skip
    """Tries a contract book on a CSV of usage: royalty lines, movements and statements, with no lake."""
    from lakehouse.runs.trial import try_contracts

    report = try_contracts(book, usage)
    out.show(report, lambda data: _print_trial(data, trace))
    return 1 if report["unresolved"] or any(f["severity"] == "error" for f in report["findings"]) else 0


def _print_trial(report: dict[str, Any], trace: bool) -> None:
    if report["findings"]:
        table(report["findings"], "Findings")
    if trace:
        for line in report["lines"]:
            typer.echo(
                f"\nLine {line['line_id']}: {line['amount']} {line['currency']} to {line['payee']} as {line['role']}, {line['category']}"
            )
            table(line["stages"])
    else:
        columns = ("line_id", "period", "contract", "payee", "role", "category", "amount", "currency")
        table(report["lines"], "Royalty lines", columns)
    table(report["movements"], "Movements", ("period", "account", "kind", "amount", "currency", "source"))
    shown = [
        name for name in _BALANCE if name in ("earned", "payable") or any(Decimal(row[name]) for row in report["statements"])
    ]
    table(report["statements"], "Statements", ("period", "currency", "payee", *shown))
    if report["unresolved"]:
        table(report["unresolved"], "Held: nothing could be applied")


@command(contracts, "diff")
def contracts_diff(
    env: Environment, out: Output, old: Book, new: Book, usage: Annotated[Path | None, typer.Argument(help="A CSV of usage lines and events; without one, the usage of --period in the lake.", exists=True, dir_okay=False)] = None,
    period: Annotated[str | None, typer.Option("--period", metavar="YYYY-MM", help="Only this statement period.")] = None,
) -> int:  # fmt: skip
    """Compares two versions of a contract book: what changes on whose statement. Exit code 0 also where something does."""
    from lakehouse.runs.books import check_period
    from lakehouse.runs.trial import diff_contracts, diff_in_lake

    only = check_period(period) if period else None
    if usage is None and only is None:
        raise Misuse("Give a table of usage, or --period for the usage of that period in the lake.")
    out.show(diff_contracts(old, new, usage, only) if usage else diff_in_lake(env, old, new, str(only)), _print_diff)
    return 0


def _print_diff(report: dict[str, Any]) -> None:
    print_changes(report["changes"])
    if report["unresolved"]:
        table(report["unresolved"], "Lines that only one of the two can resolve")
