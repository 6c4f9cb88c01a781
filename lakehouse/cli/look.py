"""Commands that only look. None of them needs a JVM, and none changes anything."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli import app, people
from lakehouse.cli.frame import AnyPeriod, Output, Period, command, table
from lakehouse.errors import Misuse

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

quarantine = typer.Typer(help="What was refused, why, and its way back.", no_args_is_help=True)
files_app = typer.Typer()
app.add_typer(quarantine, name="quarantine")
app.add_typer(files_app, name="files")


@command(files_app, None)
def files(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """What became of each file."""
    from lakehouse.views.files import list_files

    found = list_files(env.reader, period)
    out.show(found, people.print_files)
    return 1 if any(file["status"] in ("rejected", "held") for file in found) else 0


@command(files_app, "duplicates")
def files_duplicates(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """Lines that are held because another source reports the same sale, each beside the line that is paid."""
    from lakehouse.views.duplicates import list_duplicates

    shown = ("period", "name", "line_no", "of_name", "of_line_no", "of_period", "amount", "currency")
    out.show(list_duplicates(env.reader, period), lambda rows: table(rows, "Duplicates", shown))
    return 0


@command(files_app, "release")
def files_release(
    env: Environment, out: Output,
    file_id: Annotated[str, typer.Argument(help="As `lakehouse files` lists it.")],
    accept_difference: Annotated[str | None, typer.Option(metavar="REASON", help="Why its lines are right although its own totals differ.")] = None,
    accept_quarantine: Annotated[str | None, typer.Option(metavar="REASON", help="Why its good lines go on although too many are refused.")] = None,
    book: Annotated[list[str] | None, typer.Option(metavar="CURRENCY=AMOUNT", help="Money it declares beyond its lines, where its controls do not tell.")] = None,
    by: Annotated[str | None, typer.Option(help="Who decides; by default the user of this machine.")] = None,
) -> int:  # fmt: skip
    """Lets a report that is held whole go on, once, and books its difference."""
    from lakehouse.runs.file_release import release_file
    from lakehouse.sources.limits import Refused
    from lakehouse.sources.told import pairs
    from lakehouse.store.lease import writer_lease

    reason = (accept_difference or accept_quarantine or "").strip()
    if not reason or (accept_difference and accept_quarantine):
        raise Misuse("Give one reason: --accept-difference REASON, or --accept-quarantine REASON.")
    try:
        booked = pairs(book) if book else None
    except Refused as refusal:
        raise Misuse(f"{refusal}.") from None
    cause = "controls" if accept_difference else "quarantine"
    with writer_lease(env.place):
        outcome = release_file(env, file_id, cause, reason, by or getpass.getuser(), booked)
    out.show(outcome, people.print_released)
    return 0


@command(app, "statements")
def statements(
    env: Environment, out: Output, period: AnyPeriod = None,
    payee: Annotated[str | None, typer.Option(help="Party id.")] = None,
) -> int:  # fmt: skip
    """Statements, drafts and closed."""
    from lakehouse.views.statements import list_statements

    out.show(list_statements(env.reader, period, payee), people.print_statements)
    return 0


@command(app, "show")
def show(
    env: Environment, out: Output, statement_id: Annotated[str, typer.Argument(help="As `lakehouse statements` lists it.")]
) -> int:
    """One statement with its lines."""
    from lakehouse.views.statements import show_statement

    out.show(show_statement(env.reader, statement_id), people.print_statement)
    return 0


@command(app, "why")
def why(env: Environment, out: Output, line_id: Annotated[str, typer.Argument(help="As `lakehouse show` lists it.")]) -> int:
    """A royalty line through every stage, back to the lines of the reports."""
    from lakehouse.views.statements import why as explain

    out.show(explain(env.reader, line_id), people.print_why)
    return 0


@command(app, "verify")
def verify(
    env: Environment, out: Output, period: AnyPeriod = None,
    engine: Annotated[str, typer.Option(help="duckdb (no JVM) or spark.")] = "duckdb",
) -> int:  # fmt: skip
    """Recomputes roots, totals, manifests and conservation of what is published."""
    if engine == "duckdb":
        from lakehouse.store.verify import verify as verify_duckdb

        report = verify_duckdb(env.place, period).as_json()
    elif engine == "spark":
        from lakehouse.runs.verify import verify_with_spark

        report = verify_with_spark(env, period)
    else:
        raise Misuse(f"There is no engine {engine!r}: duckdb or spark.")
    out.show(report, people.print_verified)
    return 0 if report["ok"] else 1


@command(app, "export")
def export(
    env: Environment, out: Output, period: Period,
    to: Annotated[str, typer.Option("--to", help="statements-csv, statements-xlsx, journal-beancount or journal-hledger.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path(),
) -> int:  # fmt: skip
    """Writes a period's statements or its journal for other systems."""
    from lakehouse.export import export as write_export

    written = write_export(env.reader, period, to, out_dir)
    out.show(written, lambda data: table([{k: f[k] for k in ("path", "rows", "sha256")} for f in data["files"]]))
    return 0


@command(app, "audit-pack")
def audit_pack(
    env: Environment, out: Output, period: Period,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the pack; it must be new or empty.")],
    reports: Annotated[bool, typer.Option(help="The reports themselves, or only their SHA-256.")] = True,
) -> int:  # fmt: skip
    """Writes a folder with which a stranger verifies a published period and follows any line back to the reports."""
    from lakehouse.runs.audit import audit_pack as write_pack

    out.show(write_pack(env, period, out_dir, reports))
    return 0


@command(app, "history")
def history(
    env: Environment, out: Output, name: Annotated[str, typer.Argument(metavar="TABLE", help="Such as gold.statements.")]
) -> int:
    """The Delta versions of a table, with the run that made each."""
    from lakehouse.tables import table as declared
    from lakehouse.views.states import history as versions

    try:
        declared(name)
    except KeyError as error:
        raise Misuse(str(error.args[0])) from None
    out.show(versions(env.reader, name))
    return 0


@command(app, "status")
def status(env: Environment, out: Output) -> int:
    """The state of every period."""
    from lakehouse.views.states import status as states

    out.show(states(env.reader))
    return 0


@command(quarantine, "list")
def quarantine_list(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """Every refused line with its reasons."""
    from lakehouse.views.files import quarantine_list as refusals

    found = refusals(env.reader, period)
    out.show(found, people.print_quarantine)
    return 1 if any(record["status"] == "quarantined" for record in found) else 0


@command(quarantine, "show")
def quarantine_show(env: Environment, out: Output, record_id: Annotated[str, typer.Argument()]) -> int:
    """One refused line."""
    from lakehouse.views.files import quarantine_show as refusal

    out.show(refusal(env.reader, record_id), lambda record: people.print_quarantine([record]))
    return 0


@command(quarantine, "report")
def quarantine_report(
    env: Environment, out: Output,
    file_id: Annotated[str, typer.Argument(help="As `lakehouse files` lists it.")],
    to: Annotated[str, typer.Option("--to", help="csv or xlsx.")] = "csv",
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the file.")] = Path(),
) -> int:  # fmt: skip
    """Writes a file's refused rows for its sender, in the file's own columns with what is wrong with each."""
    from lakehouse.export.refusals import refusal_report

    written = refusal_report(env.reader, env.dialects, file_id, to, out_dir)
    out.show(written, lambda data: table([{k: f[k] for k in ("path", "rows", "sha256")} for f in data["files"]]))
    return 0


@command(quarantine, "release")
def quarantine_release(
    env: Environment, out: Output,
    records: Annotated[list[str] | None, typer.Argument(help="Record ids; all that wait without one.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is right now: kept for auditors.")] = "dialect mended",
    changes: Annotated[list[str] | None, typer.Option("--set", metavar="COLUMN=VALUE", help="A value in place of the report's.")] = None,
) -> int:  # fmt: skip
    """Tries refused lines again, and books those that pass into the open period, once."""
    from lakehouse.runs.quarantine import release_records
    from lakehouse.store.lease import writer_lease

    if wrong := [change for change in changes or () if "=" not in change]:
        raise Misuse(f"--set takes COLUMN=VALUE, not {wrong[0]!r}.")
    if changes and not records:
        raise Misuse("--set needs the records it is for.")
    pairs: dict[str, Any] = dict(change.split("=", 1) for change in changes or ())
    with writer_lease(env.place):
        outcome = release_records(env, records or [], reason, pairs)
    out.show(outcome, lambda rows: table([{**row, "reasons": "; ".join(r["message"] for r in row["reasons"])} for row in rows]))
    return 1 if any(row["status"] == "refused" for row in outcome) else 0


@command(app, "territories")
def territories(
    env: Environment, out: Output,
    within: Annotated[str, typer.Argument(metavar="CODE|GROUP", help="An ISO 3166-1 code, or a group such as EU.")] = "WORLD",
    policies: Annotated[Path | None, typer.Option(help="Holding policies of your own; by default the shipped ones.")] = None,
) -> int:  # fmt: skip
    """Countries with currency, official languages and groups, the law of unclaimed money there, and which services have reported from them."""
    from lakehouse.settings import conf_dir
    from lakehouse.views.statutory import load_policies
    from lakehouse.views.territories import territories as known

    found = known(env.reader, load_policies(policies or conf_dir() / "presets" / "holding.yaml"), within)
    out.show(found, people.print_territories)
    return 0
