"""Answers as people read them: the same data as the JSON, with less of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import typer

from lakehouse.cli.frame import table

_BALANCE = ("opening", "earned", "deducted", "recouped", "reserved", "taxed", "payable", "carried")


def _short(digest: str | None) -> str:
    return (digest or "")[:12]


def print_report(report: dict[str, Any]) -> None:
    """A period's reconciliation."""
    lines, matching = report["lines"], report["matching"]
    typer.echo(
        f"\n{report['period']}: {'drafts written' if report['changed'] else 'nothing new'}, {report['statements']} statements"
    )
    typer.echo("  lines    " + ", ".join(f"{count} {what}" for what, count in lines.items() if count or what != "held"))
    typer.echo("  matching " + ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in matching.items()))
    table(report["money"], "Money, to the last decimal")
    for twice in report["duplicates"]:
        typer.echo(
            f"  held as duplicates: {twice['lines']} lines of {twice['amount']} {twice['currency']}, which another source reports too: "
            f"lakehouse files duplicates --period {report['period']}"
        )
    for file in report["held_files"]:
        typer.echo(f"  held whole: {file['name']}: {'; '.join(_why_held(file))}")
    if compared := report.get("compared"):
        print_changes(compared["changes"])


def print_changes(changes: list[dict[str, Any]]) -> None:
    """What differs on whose statement."""
    rows = [
        {"period": c["period"], "currency": c["currency"], "payee": c["payee"], "what": name, **amounts}
        for c in changes
        for name, amounts in c["amounts"].items()
    ]
    table(rows, "What changes")


def _why_held(file: dict[str, Any]) -> list[str]:
    causes = {hold["cause"]: hold for hold in file["holds"]}
    broken = [c for c in file["controls"] if not c["ok"]] if "controls" in causes else []
    told = [f"{c['name']}: declared {c['declared'] or 'nothing'}, found {c['found']}" for c in broken]
    if full := causes.get("quarantine"):
        told.append(f"{full['refused']} of {full['lines']} lines are refused, more than {full['max_quarantine']}")
    return told


def print_files(files: list[dict[str, Any]]) -> None:
    rows = [
        {
            "file": _short(file["file_id"]), "name": ", ".join(file["names"]), "source": file["source"], "period": file["period"],
            "status": file["status"], **{name: file[name] for name in ("lines", "accepted", "ignored", "quarantined", "duplicates")},
            "revenue": ", ".join(f"{money['revenue']} {currency}" for currency, money in file["money"].items()),
        }
        for file in files
    ]  # fmt: skip
    table(rows, "Files")
    for file in files:
        if file["holds"]:
            typer.echo(f"  held whole: {file['names'][0]}: {'; '.join(_why_held(file))}")
        for release in file["releases"]:
            booked = ", ".join(f"{amount} {currency}" for currency, amount in release["booked"].items())
            typer.echo(
                f"  released by {release['by']}: {file['names'][0]}: {release['reason']}"
                + (f"; booked as unexplained: {booked}" if booked else "")
            )


def print_released(outcome: dict[str, Any]) -> None:
    booked = ", ".join(f"{amount} {currency}" for currency, amount in outcome["booked"].items())
    typer.echo(
        f"{outcome['name']} goes on in {outcome['period']}, released by {outcome['by']}: {outcome['reason']}. "
        f"{f'Booked as unexplained: {booked}.' if booked else 'No money is booked.'}"
    )
    for control in outcome["controls"]:
        typer.echo(f"  {control['name']}: declared {control['declared'] or 'nothing'}, found {control['found']}")


def print_quality(checked: dict[str, Any]) -> None:
    shown = ("severity", "table_name", "expectation", "columns", "rows", "unexpected", "examples")
    table([result for result in checked["results"] if not result["ok"]], "Broken expectations", shown)
    typer.echo(
        f"{len(checked['results'])} expectations, {checked['fail']} failures, {checked['warn']} warnings: {checked['pages']}"
    )


def print_statements(statements: list[dict[str, Any]]) -> None:
    table(statements, "Statements", ("statement_id", "payee_name", *_moving(statements), "status"))


def _moving(statements: list[dict[str, Any]]) -> list[str]:
    """The balance columns in which something is not zero, and always what was earned and is payable."""
    return [name for name in _BALANCE if name in ("earned", "payable") or any(Decimal(row[name]) for row in statements)]


def print_statement(statement: dict[str, Any]) -> None:
    typer.echo(f"\nStatement {statement['statement_id']} ({statement['status']}): {statement['payee_name']}")
    table([{name: statement[name] for name in _moving([statement])}])
    columns = ("line_id", "title", "channel", "territory", "usage_period", "role", "units", "base", "amount")
    table(statement["lines"], "Lines", columns)


def print_why(line: dict[str, Any]) -> None:
    typer.echo(f"\nRoyalty line {line['line_id']}: {line['amount']} {line['currency']} to {line['payee']} as {line['role']}")
    typer.echo(f"  recording {line['recording_id']}, {line['channel']}, {line['territory']}, used {line['usage_period']}")
    typer.echo(f"  contract {line['contract_id']} version {line['contract_version']}, base {line['base']} {line['currency']}")
    table(line["stages"], "Stage by stage")
    sources = [{"file": s["name"], "line": s["line_no"], "amount": s["amount"], "text": s["text"]} for s in line["sources"]]
    table(sources[:20], f"From {len(sources)} lines of the reports")


def print_verified(report: dict[str, Any]) -> None:
    for period in report["periods"]:
        totals = ", ".join(f"{total} {currency}" for currency, total in period["totals"].items())
        typer.echo(f"{period['period']}  root {period['root']}  {period['rows']} rows  payable {totals}")
    for finding in report["findings"]:
        typer.echo(f"{finding['kind']}: {finding['object']}: {finding['message']}")
    typer.echo(f"verified with {report['engine']}: {'everything holds' if report['ok'] else 'NOT as published'}")


def print_quarantine(records: list[dict[str, Any]]) -> None:
    rows = [
        {
            "record": record["record_id"], "file": _short(record["file_id"]), "line": record["line_no"], "status": record["status"],
            "reasons": "; ".join(f"{reason['column']}: {reason['message']}" for reason in record["reasons"]),
        }
        for record in records
    ]  # fmt: skip
    table(rows, "Quarantine")


def print_territories(found: list[dict[str, Any]]) -> None:
    rows = [
        {
            "code": row["code"], "name": row["name"], "currency": row["currency"], "languages": " ".join(row["languages"]),
            "regulation": ", ".join(rule["policy"] for rule in row["regulation"]),
            "platforms": ", ".join(f"{p['channel']} {p['since']} to {p['until']}" for p in row["platforms"]),
        }
        for row in found
    ]  # fmt: skip
    table(rows, "Territories")
