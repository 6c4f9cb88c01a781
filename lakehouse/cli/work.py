"""Commands that change a lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli import app
from lakehouse.cli.frame import Output, Period, command, table
from lakehouse.errors import Misuse
from lakehouse.store.lease import require_lake, writer_lease

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

catalog = typer.Typer(help="The recordings the label controls.", no_args_is_help=True)
contracts = typer.Typer(help="The contract book.", no_args_is_help=True)
events = typer.Typer(help="Advances, costs and payments of accounts.", no_args_is_help=True)
app.add_typer(catalog, name="catalog")
app.add_typer(events, name="events")
app.add_typer(contracts, name="contracts")

Paths = Annotated[list[Path], typer.Argument(help="Files or folders.", exists=True)]


@command(app, "init")
def init(env: Environment, out: Output) -> int:
    """Creates the lake's tables. Where they are there already, it does nothing."""
    from lakehouse.runs.admin import init_lake

    with writer_lease(env.place, new=True):
        created = init_lake(env)
    from lakehouse.tables import ALL

    out.show({"root": env.root, "tables": [t.name for t in ALL], "created": created}, lambda d: print_init(d))
    return 0


def print_init(data: dict[str, Any]) -> None:
    state = "created" if data["created"] else "was there already"
    typer.echo(f"The lake at {data['root']} {state}: {len(data['tables'])} tables.")


@command(app, "demo-data")
def demo_data(
    env: Environment, out: Output,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    lines: Annotated[int, typer.Option(help="About how many usage lines.")] = 6000,
    months: Annotated[int, typer.Option(help="Statement periods.")] = 2,
    seed: Annotated[int, typer.Option(help="The same seed gives the same label.")] = 1,
) -> int:  # fmt: skip
    """Writes a synthetic label: catalog, contracts, dumps with dirt, and expected.json with its true totals."""
    from lakehouse.demo import write_demo

    made = write_demo(directory, lines=lines, months=months, seed=seed)
    out.show({"dir": str(made.dir), "files": made.files, "lines": made.lines})
    return 0


@command(catalog, "load")
def catalog_load(env: Environment, out: Output, files: Paths) -> int:
    """Loads recordings from CSV, Parquet or DDEX ERN XML as a new version of the catalog."""
    from lakehouse.runs.admin import load_catalog

    with writer_lease(env.place):
        loaded = load_catalog(env, files)
    out.show(loaded, print_loaded)
    return 1 if any(f["severity"] == "error" for f in loaded["findings"]) else 0


@command(catalog, "contributors")
def catalog_contributors(
    env: Environment, out: Output, recording: Annotated[str | None, typer.Option(help="Of one recording, by its id.")] = None
) -> int:
    """Who took part in recordings, by DDEX ERN messages: the role as the message has it, and what it comes to: primary, featured, composer, lyricist,
    producer, engineer, remixer, session musician."""
    from lakehouse.views.contributors import contributors

    found = contributors(env.reader, recording)
    out.show(found, lambda rows: table([{**row, "classes": ", ".join(row["classes"])} for row in rows], "Contributors"))
    return 0


@command(events, "load")
def events_load(env: Environment, out: Output, files: Paths) -> int:
    """Loads advances, costs and payments from CSV, each once by its event_id."""
    from lakehouse.runs.admin import load_events

    with writer_lease(env.place):
        loaded = load_events(env, files)
    out.show(loaded, lambda d: typer.echo(f"{d['added']} events added; {d['events']} are in the books."))
    return 0


def print_loaded(loaded: dict[str, Any]) -> None:
    typer.echo(
        f"Catalog version {loaded['version']}: {loaded['recordings']} recordings on {loaded['releases']} releases, {loaded['changed']} changed."
    )
    if loaded["findings"]:
        table(loaded["findings"], "Findings")


@command(contracts, "lint")
def contracts_lint(
    env: Environment, out: Output, path: Annotated[Path, typer.Argument(help="The book: a folder or one file.", exists=True)],
    catalog: Annotated[list[Path] | None, typer.Option("--catalog", metavar="FILE", help="Hold names against this catalog: CSV, Parquet or DDEX ERN XML.", exists=True)] = None,
    lake: Annotated[bool, typer.Option("--lake", help="Hold names against the catalog of the lake.")] = False,
) -> int:  # fmt: skip
    """Finds what is wrong with a contract book, with file, line, rule and a sentence."""
    from lakehouse.runs.books import lint_book

    findings = lint_book(path, catalog or (), env.reader if lake else None)
    out.show(findings)
    return 1 if any(f["severity"] == "error" for f in findings) else 0


@command(contracts, "load")
def contracts_load(
    env: Environment, out: Output, path: Annotated[Path, typer.Argument(help="The book: a folder or one file.", exists=True)]
) -> int:
    """Loads a contract book without findings as a new version."""
    from lakehouse.runs.admin import load_contracts

    with writer_lease(env.place):
        out.show(load_contracts(env, path))
    return 0


@command(app, "land")
def land(
    env: Environment, out: Output, paths: Paths,
    source: Annotated[str | None, typer.Option(help="Insist on this dialect.")] = None,
    period: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Statement period of the reports; by default what they say.")] = None,
    given: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="What the reports do not say themselves: currency=EUR.")] = None,
    control: Annotated[list[str] | None, typer.Option(metavar="NAME=FIGURE", help="A figure to hold the rows against: revenue=25556.07, revenue.EUR=..., units=..., rows=...")] = None,
) -> int:  # fmt: skip
    """Stores reports under the SHA-256 of their content and recognises their format. FILE.told.yaml beside a file may say the same."""
    from lakehouse.runs.books import check_period
    from lakehouse.sources.limits import Refused
    from lakehouse.sources.told import SIDECAR, Told, pairs

    require_lake(env.place)
    if period:
        check_period(period)
    try:
        told = Told(given=pairs(given or []), control=pairs(control or []))
    except Refused as refusal:
        raise Misuse(f"{refusal}.") from None
    files = [file for path in paths for file in (sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path])]
    reports = [file for file in files if not file.name.endswith(SIDECAR)]
    landed = [vars(env.landing.put(file, env.dialects, source, period, told)) for file in reports]
    out.show(landed, lambda rows: table([{**row, "file_id": row["file_id"][:12]} for row in rows]))
    return 1 if any(row["status"] == "rejected" for row in landed) else 0


@command(app, "adjust")
def adjust(
    env: Environment, out: Output, period: Period,
    adjustment: Annotated[str, typer.Option("--id", help="Its id in your books. The same id with another amount replaces the first.")],
    amount: Annotated[str, typer.Option(help="What it adds: negative for a tax or a fee.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")],
    reason: Annotated[str, typer.Option(help="Why: kept for auditors.")],
    report: Annotated[str | None, typer.Option(help="file_id of the one report it belongs to; its first digits are enough.")] = None,
) -> int:  # fmt: skip
    """Spreads an amount that stands on no line of the reports (a tax, a fee) over the usage of a period, in proportion to its amounts, and lands it
    as a report. Run the period before it, so that there is usage to spread it over, and after it."""
    from lakehouse.model.money import parse_amount
    from lakehouse.runs.adjust import adjust as spread
    from lakehouse.runs.books import check_period

    require_lake(env.place)
    try:
        added = parse_amount(amount)
    except ValueError as error:
        raise Misuse(f"{error}.") from None
    done = spread(env, adjustment, check_period(period), added, currency, reason, report)
    out.show(done, lambda row: table([{**row, "file_id": row["file_id"][:12]}]))
    return 0


@command(app, "ingest")
def ingest(
    env: Environment, out: Output,
    source: Annotated[str | None, typer.Option(help="One source; all that have sent something without it.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Look at every file again, not only from the last position on.")] = False,
) -> int:  # fmt: skip
    """Lands what others have sent to landing/incoming/SOURCE/, once it is complete. Nothing is moved or removed there."""
    from lakehouse.runs.land import take_incoming

    require_lake(env.place)
    landed = [vars(file) for file in take_incoming(env, source, whole)]
    out.show(landed, lambda rows: table([{**row, "file_id": row["file_id"][:12]} for row in rows]))
    return 1 if any(row["status"] == "rejected" for row in landed) else 0


@command(app, "run")
def run(
    env: Environment, out: Output, period: Period,
    max_quarantine: Annotated[str | None, typer.Option(metavar="SHARE", help="Hold a report whole of which more lines are refused: 5%. By default as the settings say.")] = None,
    compare: Annotated[str | None, typer.Option(metavar="PREVIOUS", help="Tell per payee what has changed since an earlier run of the period: its run id, a version of draft.statements, or `last`.")] = None,
) -> int:  # fmt: skip
    """Every stage of a period up to draft statements, then the reconciliation."""
    from lakehouse.cli.people import print_report
    from lakehouse.runs.period import run_period
    from lakehouse.runs.stages import STAGES
    from lakehouse.views.compare import compare_drafts, drafted_by

    if max_quarantine is not None:
        env = env.under(max_quarantine=max_quarantine)
    with writer_lease(env.place), out.progress(len(STAGES)) as began:
        previous = drafted_by(env.reader, period, compare) if compare else None
        report = run_period(env, period, progress=began)
    if previous is not None:
        report["compared"] = compare_drafts(env.reader, period, previous)
    out.show(report, print_report)
    return 1 if report["held_files"] else 0


@command(app, "quality")
def quality(
    env: Environment, out: Output, period: Period,
    pages: Annotated[Path | None, typer.Option("--pages", help="Folder for the HTML pages; by default quality/PERIOD in the lake.")] = None,
) -> int:  # fmt: skip
    """Holds silver and gold of a period against their declarations with Great Expectations, and keeps the results."""
    from lakehouse.cli.people import print_quality
    from lakehouse.runs.quality import check_quality

    with writer_lease(env.place):
        checked = check_quality(env, period, pages or _pages(env, period))
    out.show(checked, print_quality)
    return 0 if checked["ok"] else 1


def _pages(env: Environment, period: str) -> Path:
    """Pages are for a browser: beside the lake's tables, or in the working folder where the lake is in a bucket."""
    return (Path(env.root) if env.place.is_local else Path()) / "quality" / period


@command(app, "close")
def close(env: Environment, out: Output, period: Period) -> int:
    """Publishes the drafts of a period. After that the period refuses change."""
    from lakehouse.runs.close import close_period

    with writer_lease(env.place):
        out.show(close_period(env, period))
    return 0


@command(app, "demo")
def demo(
    env: Environment, out: Output,
    directory: Annotated[Path, typer.Option("--dir", help="Folder for the synthetic label.")] = Path("demo-label"),
    lines: Annotated[int, typer.Option(help="About how many usage lines.")] = 6000,
) -> int:  # fmt: skip
    """The whole way once, on a synthetic label: what `make demo` runs. The lake at --root is made anew."""
    from lakehouse.cli.demo import run_demo

    if out.as_json:
        raise Misuse("The demo is for people: run it without --json.")
    return run_demo(env, directory, lines)
