"""A contract book tried on a table, both as text, and what is expected of it. Expectations name what they are about, and the sum of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.runs.trial import try_contracts


def trial(folder: Path, book: str, usage: str) -> dict[str, Any]:
    """The report of `lakehouse contracts try` on a book (one file, documents parted by ``---``) and a CSV."""
    (folder / "book.yaml").write_text(book, encoding="utf-8")
    (folder / "usage.csv").write_text(usage, encoding="utf-8")
    return try_contracts(folder / "book.yaml", folder / "usage.csv")


def differences(report: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What is not as expected, in sentences."""
    found = []
    if not expected.get("findings") and not expected.get("unresolved"):
        found += [f"finding: {f['file']}:{f['line']}: {f['message']}" for f in report["findings"]]
        found += [f"unresolved: {line['line_id']}: {line['reason']}" for line in report["unresolved"]]
    for kind in ("findings", "unresolved"):
        for wanted in expected.get(kind, ()):
            if not _select(report[kind], wanted):
                found.append(f"{kind}: nothing like {wanted} among {report[kind]}")
    for kind in ("lines", "movements"):
        for wanted in expected.get(kind, ()):
            found += _sum(kind, report[kind], wanted)
    for wanted in expected.get("stages", ()):
        found += _stage(report["lines"], wanted)
    for wanted in expected.get("statements", ()):
        found += _statement(report["statements"], wanted)
    return found


def _select(rows: list[dict[str, Any]], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows with these texts; a source may be followed by more, after a colon."""
    return [row for row in rows if all(_like(name, str(row[name]), str(value)) for name, value in wanted.items())]


def _like(name: str, found: str, wanted: str) -> bool:
    return found == wanted or (name == "source" and found.startswith(f"{wanted}:"))


def _sum(kind: str, rows: list[dict[str, Any]], wanted: dict[str, Any]) -> list[str]:
    about = {name: value for name, value in wanted.items() if name != "amount"}
    chosen = _select(rows, about)
    total = sum((Decimal(row["amount"]) for row in chosen), Decimal(0))
    if chosen and total == Decimal(wanted["amount"]):
        return []
    return [f"{kind} {about}: expected {wanted['amount']}, found {total if chosen else 'none'}"]


def _stage(lines: list[dict[str, Any]], wanted: dict[str, Any]) -> list[str]:
    about = {name: value for name, value in wanted.items() if name not in ("stage", "in", "out")}
    steps = [step for line in _select(lines, about) for step in line["stages"] if step["stage"] == wanted["stage"]]
    if any(Decimal(s["in"]) == Decimal(wanted["in"]) and Decimal(s["out"]) == Decimal(wanted["out"]) for s in steps):
        return []
    return [f"stage {wanted}: found {[(s['in'], s['out']) for s in steps]}"]


def _statement(statements: list[dict[str, Any]], wanted: dict[str, Any]) -> list[str]:
    about = {name: wanted[name] for name in ("period", "currency", "payee") if name in wanted}
    chosen = _select(statements, about)
    if len(chosen) != 1:
        return [f"statement {about}: expected one, found {len(chosen)}"]
    amounts = {name: value for name, value in wanted.items() if name not in about}
    return [
        f"statement {about}: {name} expected {value}, found {chosen[0][name]}"
        for name, value in amounts.items()
        if Decimal(chosen[0][name]) != Decimal(value)
    ]
