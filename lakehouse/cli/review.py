"""Commands for what people decide in matching, and for the money that waits for them. None of these needs a JVM but `replay` and `unclaimed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli import app
from lakehouse.cli.frame import AnyPeriod, Output, Period, command, table

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

review = typer.Typer(help="Matches in doubt: what they may be, and what a person says.", no_args_is_help=True)
app.add_typer(review, name="review")

holding = typer.Typer(help="Money without an owner: what is held, why, since when.")
app.add_typer(holding, name="holding")

Key = Annotated[str, typer.Argument(help="Usage key as `lakehouse review list` lists it; its first 8 digits are enough.")]
Reason = Annotated[str, typer.Option(help="Why: kept for auditors.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; by default the user of this machine.")]


@command(review, "list")
def review_list(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """Keys in doubt whose money is held, the most at stake first, each with the recordings it may be and the evidence."""
    from lakehouse.views.review import review_queue

    queue = review_queue(env.reader, env.rules.ruleset, period)
    out.show(queue, print_queue)
    return 1 if queue else 0


def print_queue(queue: list[dict[str, Any]]) -> None:
    if not queue:
        table([], "Review")
    for entry in queue:
        money = ", ".join(f"{amount} {currency}" for currency, amount in entry["money"].items())
        typer.echo(f"\n{entry['usage_key'][:12]}  {money} since {entry['held_since']} from {', '.join(entry['sources'])}")
        fields = ("title", "artist", "album", "isrc")
        asked = {
            "recording_id": "as reported",
            "score": None,
            **{name: entry[name] for name in fields},
            "evidence": entry["tier"],
        }
        offered = [
            {**{name: one[name] for name in ("recording_id", "score", *fields)},
             "evidence": ", ".join(f"{item['field']} {item['level']}" for item in one["evidence"] if item["level"] != "null")}
            for one in entry["candidates"]
        ]  # fmt: skip
        table([asked, *offered])


@command(review, "accept")
def review_accept(
    env: Environment, out: Output, key: Key,
    recording: Annotated[str, typer.Argument(help="The recording it is, as in the catalog.")],
    reason: Reason, by: By = None,
) -> int:  # fmt: skip
    """Says which recording a key is: an alias, before every other tier, from the next run on."""
    return _review(env, out, [(key, recording, reason)], by)


@command(review, "reject")
def review_reject(env: Environment, out: Output, key: Key, reason: Reason, by: By = None) -> int:
    """Says that a key is none of the recordings offered. Its money stays held, and they are not offered again."""
    return _review(env, out, [(key, None, reason)], by)


@command(review, "export")
def review_export(
    env: Environment, out: Output, period: AnyPeriod = None,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the workbook.")] = Path(),
) -> int:  # fmt: skip
    """Writes the queue as review.xlsx, to be filled in and imported."""
    from lakehouse.export.review import review_workbook
    from lakehouse.views.review import review_queue

    written = review_workbook(review_queue(env.reader, env.rules.ruleset, period), out_dir)
    out.show(written, lambda data: table([{k: f[k] for k in ("path", "rows", "sha256")} for f in data["files"]]))
    return 0


@command(review, "import")
def review_import(
    env: Environment, out: Output,
    workbook: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The workbook, filled in.")], by: By = None,
) -> int:  # fmt: skip
    """Takes every decision of a workbook, or none where one of them is wrong."""
    from lakehouse.export.review import read_workbook

    said = [
        (v["usage_key"], v["recording_id"] if v["decision"] == "accept" else None, v["reason"]) for v in read_workbook(workbook)
    ]
    return _review(env, out, said, by)


def _review(env: Environment, out: Output, said: list[tuple[str, str | None, str]], by: str | None) -> int:
    from lakehouse.runs.review import Verdict
    from lakehouse.runs.review import review as keep
    from lakehouse.store.lease import writer_lease

    with writer_lease(env.place):
        outcome = keep(env, [Verdict(*verdict) for verdict in said], by)
    out.show(outcome, lambda rows: table(rows, "Reviews"))
    return 0


@command(holding, None)
def holding_balance(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """Money without an owner: the balance by currency, and what makes it up by reason, age and source."""
    from lakehouse.views.holding import holding as held

    out.show(held(env.reader, period), print_holding)
    return 0


def print_holding(found: dict[str, Any]) -> None:
    table(found["balances"], f"Held at the end of {found['period'] or 'all periods'}")
    columns = ("currency", "reason", "held_since", "age", "source", "keys", "usage_lines", "amount")
    table(found["held"], "What it is made of", columns)
    if found["adjustments"]:
        table(found["adjustments"], "Adjusted by people")


@command(holding, "list")
def holding_list(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """Every hold by itself, the oldest first, with its id."""
    from lakehouse.views.holding import list_holds

    out.show(list_holds(env.reader, period), lambda rows: table(rows, "Holds"))
    return 0


@command(holding, "adjust")
def holding_adjust(
    env: Environment, out: Output,
    entry: Annotated[str, typer.Argument(help="The hold, as `lakehouse holding list` lists it; its first 8 digits are enough.")],
    amount: Annotated[str, typer.Option(help="What it adds, in the currency of the hold; negative where it takes away.")],
    reason: Reason, by: By = None,
    period: Annotated[str | None, typer.Option("--period", metavar="YYYY-MM", help="The open period in which it is booked; by default the month after the last that was closed.")] = None,
) -> int:  # fmt: skip
    """Adds to a hold, or takes from it: interest that the law gives, a correction by the sender, a rounding that was settled. The next run of the
    open period books it against expenses:holding_adjustment; whoever owns the hold one day has it with that."""
    from lakehouse.errors import Misuse
    from lakehouse.model.money import parse_amount
    from lakehouse.runs.adjust_hold import adjust_hold
    from lakehouse.store.lease import writer_lease

    try:
        added = parse_amount(amount)
    except ValueError as error:
        raise Misuse(f"{error}.") from None
    with writer_lease(env.place):
        done = adjust_hold(env, entry, added, reason, by, period)
    out.show(done, lambda row: table([row], "Adjustment"))
    return 0


@command(app, "statutory")
def statutory(
    env: Environment, out: Output, period: AnyPeriod = None,
    territory: Annotated[str | None, typer.Option(help="Of one territory or group alone: US, EU.")] = None,
    policies: Annotated[Path | None, typer.Option(help="Holding policies of your own; by default the shipped ones.")] = None,
    year_ends: Annotated[int, typer.Option(min=1, max=12, help="Last month of the financial year.")] = 12,
) -> int:  # fmt: skip
    """Money without an owner, item by item, under the legal policy that holds it: what is still held, and what is due. Exit code 1 where
    something is due."""
    from lakehouse.settings import conf_dir
    from lakehouse.views.statutory import load_policies
    from lakehouse.views.statutory import statutory as report_of

    rules = load_policies(policies or conf_dir() / "presets" / "holding.yaml")
    report = report_of(env.reader, rules, period, territory, year_ends)
    out.show(report, print_statutory)
    return 1 if any(item["status"] == "due" for item in report["items"]) else 0


def print_statutory(report: dict[str, Any]) -> None:
    where = f" in {report['territory']}" if report["territory"] else ""
    table(report["totals"], f"Without an owner{where} at the end of {report['period'] or 'all periods'}")
    columns = (
        "isrc",
        "title",
        "artist",
        "territory",
        "right",
        "accrued",
        "received",
        "amount",
        "currency",
        "policy",
        "due",
        "status",
    )
    table(report["items"], "Item by item", columns)


@command(app, "unclaimed")
def unclaimed(
    env: Environment, out: Output, period: Period, reason: Reason, by: By = None,
    policies: Annotated[Path | None, typer.Option(help="Holding policies of your own; by default the shipped ones.")] = None,
    year_ends: Annotated[int, typer.Option(min=1, max=12, help="Last month of the financial year.")] = 12,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go; write nothing.")] = False,
) -> int:  # fmt: skip
    """Releases what nobody has claimed in time under a policy of market share: the next run of the open period divides it among those who
    earned in the same month of use, territory, source and currency."""
    import getpass

    from lakehouse.runs.unclaimed import release_unclaimed
    from lakehouse.settings import conf_dir
    from lakehouse.store.lease import writer_lease
    from lakehouse.views.statutory import load_policies

    rules = load_policies(policies or conf_dir() / "presets" / "holding.yaml")
    given = (env, period, rules, reason, by or getpass.getuser())
    if dry_run:
        report = release_unclaimed(*given, dry_run=True, year_ends=year_ends)
    else:
        with writer_lease(env.place):
            report = release_unclaimed(*given, year_ends=year_ends)
    out.show(report, print_unclaimed)
    return 0


def print_unclaimed(report: dict[str, Any]) -> None:
    verb = "would go" if report["dry_run"] else "goes"
    sums = ", ".join(f"{money['amount']} {money['currency']}" for money in report["money"]) or "nothing"
    typer.echo(f"\n{report['period']}: {sums} {verb} to those who earned in its market")
    columns = ("entry_id", "policy", "due", "usage_period", "territory", "source", "owners", "amount", "currency")
    table(report["released"], "Past their time", columns)
    if report["waiting"]:
        table(report["waiting"], "Past their time, and staying", (*columns, "waits"))


@command(app, "replay")
def replay(
    env: Environment, out: Output, period: Period,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would move; write nothing.")] = False,
    ruleset: Annotated[str | None, typer.Option(metavar="VERSION|FILE", help="Try under this routing document: a version that the lake has used, or a file. By default conf/routing.yaml.")] = None,
) -> int:  # fmt: skip
    """Tries held money again under today's reviews, catalog, rules and contracts, and moves what has found an owner into the open period."""
    from lakehouse.runs.replay import replay as try_again
    from lakehouse.store.lease import writer_lease

    if ruleset is not None:
        env = env.under_ruleset(ruleset)
    if dry_run:
        report = try_again(env, period, dry_run=True)
    else:
        with writer_lease(env.place):
            report = try_again(env, period)
    out.show(report, print_replay)
    return 0


def print_replay(report: dict[str, Any]) -> None:
    verb = "would move" if report["dry_run"] else "moved"
    sums = {
        name: ", ".join(f"{m['amount']} {m['currency']}" for m in report[name]) or "nothing" for name in ("money", "still_held")
    }
    typer.echo(f"\n{report['period']}: {sums['money']} {verb}, {sums['still_held']} stays held")
    columns = ("usage_key", "recording_id", "tier", "reason", "held_since", "source", "amount", "currency")
    table([{**row, "usage_key": row["usage_key"][:12]} for row in report["moved"]], "Holds that find an owner", columns)
