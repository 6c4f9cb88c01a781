"""Commands about routing and how well matching does. None of them needs a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli import app
from lakehouse.cli.frame import AnyPeriod, Output, command, table

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

routing = typer.Typer(help="What becomes of a usage key after matching, by which rule.", no_args_is_help=True)
app.add_typer(routing, name="routing")

drift = typer.Typer(help="Where catalog, closed books and reports call a recording otherwise.")
app.add_typer(drift, name="drift")


@command(routing, "show")
def routing_show(
    env: Environment, out: Output,
    version: Annotated[int | None, typer.Option(help="A version that the lake has used; by default conf/routing.yaml as it is now.")] = None,
) -> int:  # fmt: skip
    """Draws the tiers with their thresholds and the tree of rules."""
    from lakehouse.model.routing import draw, ruleset_sha256

    if version is None:
        ruleset, text = env.routing, env.routing_text
    else:
        from lakehouse.views.routing import stored_ruleset

        ruleset, text = stored_ruleset(env.reader, version)
    data = {"sha256": ruleset_sha256(text), **ruleset.model_dump(mode="json")}
    data["tiers"] = [{**tier, "threshold": str(tier["threshold"])} for tier in data["tiers"]]
    out.show(data, lambda _: typer.echo(draw(ruleset)))
    return 0


@command(routing, "audit")
def routing_audit(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """Makes every routing decision again from its event, payload and document, and compares it with what was recorded."""
    from lakehouse.views.routing import rebuild

    report = rebuild(env.reader, period)
    out.show(report, print_audit)
    return 0 if report["ok"] else 1


def print_audit(report: dict[str, Any]) -> None:
    typer.echo(
        f"{report['events']} events, {report['decisions']} decisions: {'each is rebuilt exactly' if report['ok'] else 'NOT as recorded'}"
    )
    if report["findings"]:
        table(report["findings"], "Findings")


@command(routing, "record")
def routing_record(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """How much of what each source reported was matched, and could be read, in the closed periods that the routing score looks at."""
    from lakehouse.views.record import source_records

    out.show(source_records(env.reader, env.routing.score.periods, period), lambda rows: table(rows, "Record of the sources"))
    return 0


@command(drift, None)
def drift_list(
    env: Environment, out: Output, period: AnyPeriod = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that were dismissed too, with who, when and why.")] = False,
) -> int:  # fmt: skip
    """What the catalog has changed of recordings since the books were closed (the next run corrects what that moves), and what reports
    call otherwise than the catalog (a person decides)."""
    from lakehouse.views.drift import drift as events

    out.show(events(env.reader, period, dismissed=everything), print_drift)
    return 0


def print_drift(events: list[dict[str, Any]]) -> None:
    shortened = ("event_id", "usage_key")
    table([{**event, **{name: event[name] and event[name][:12] for name in shortened}} for event in events], "Drift")


@command(drift, "dismiss")
def drift_dismiss(
    env: Environment, out: Output,
    event: Annotated[str, typer.Argument(metavar="EVENT_ID", help="The event of a report, as `lakehouse drift` lists it; its first 8 digits are enough.")],
    reason: Annotated[str, typer.Option(help="Why: kept for auditors.")],
    by: Annotated[str | None, typer.Option("--by", help="Who decides; by default the user of this machine.")] = None,
) -> int:  # fmt: skip
    """Says that the catalog is right where a report calls a recording otherwise: the event is no longer listed. Nothing else changes."""
    from lakehouse.runs.dismiss_drift import dismiss_drift
    from lakehouse.store.lease import writer_lease

    with writer_lease(env.place):
        done = dismiss_drift(env, event, reason, by)
    out.show(done, lambda row: table([{**row, "event_id": row["event_id"][:12]}], "Dismissed"))
    return 0


@command(app, "matching")
def matching(env: Environment, out: Output, period: AnyPeriod = None) -> int:
    """Match rates by lines and by money, what each tier found, and what is held, by period and source."""
    from lakehouse.views.outcomes import matching as outcomes

    out.show(outcomes(env.reader, env.rules.ruleset, period), print_matching)
    return 0


def print_matching(report: dict[str, Any]) -> None:
    rates = [{**row, "source": row["source"] or "all"} for row in report["rates"]]
    table(rates, "Match rates")
    table(report["outcomes"], "By tier")
    table(report["held"], "Held", ("currency", "reason", "held_since", "age", "source", "keys", "usage_lines", "amount"))
