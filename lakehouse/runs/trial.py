"""A contract book and a table from disk, tried without a lake and without a JVM."""

from __future__ import annotations

import csv
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Findings, Misuse
from lakehouse.model.accounts import Line, Movement, Statement
from lakehouse.model.compare import changes
from lakehouse.model.lint import read_book
from lakehouse.model.money import minor_digits
from lakehouse.model.trial import Trial, try_book
from lakehouse.model.trial_rows import read_rows
from lakehouse.runs.books import book_documents

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment


def try_contracts(path: Path, table: Path) -> dict[str, Any]:
    """Royalty lines, movements, statements and balances of a book on a table; findings, and nothing else, where one of them is broken."""
    book, findings = read_book(book_documents(path))
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        return _report(Trial(), [asdict(finding) for finding in findings])
    columns, rows = _read_csv(table)
    usage, events, refused = read_rows(table.name, columns, rows, book)
    if refused:
        return _report(Trial(), [asdict(finding) for finding in (*findings, *refused)])
    try:
        trial = try_book(book, usage, events)
    except ValueError as error:
        raise Misuse(f"{path}: {error}") from None
    return _report(trial, [asdict(finding) for finding in findings])


def diff_contracts(old: Path, new: Path, table: Path, period: str | None = None) -> dict[str, Any]:
    """What a new version of a book changes on a table: for each period, currency and payee the statement's amounts under both.

    Only differences are told, and lines that only one of the two books can resolve. Raises Findings where one of the books is broken.
    """
    before, after = (_sound(book, table) for book in (old, new))
    told = (
        (s for s in before["statements"] if period in (None, s["period"])),
        (s for s in after["statements"] if period in (None, s["period"])),
    )
    return {
        "changes": changes(told[0], told[1], lambda amount, _: text(amount)),
        "unresolved": _unresolved(before["unresolved"], after["unresolved"]),
    }


def diff_in_lake(env: Environment, old: Path, new: Path, period: str) -> dict[str, Any]:
    """The same on what a period of the lake is made of: `diff_contracts` with the lake's own usage, events and balances."""
    from lakehouse.runs.what_if import read_month, try_month
    from lakehouse.views.common import write_money

    books = []
    for path in (old, new):
        book, findings = read_book(book_documents(path))
        _require_sound(path, [asdict(finding) for finding in findings])
        books.append(book)
    if books[0].rules.pools != books[1].rules.pools:
        raise Misuse(
            "The two books divide other pools. What a period of a lake is made of is compared after its pools: compare them on a table of usage."
        )
    month = read_month(env, period)
    try:
        outcomes = [try_month(book, month) for book in books]
    except ValueError as error:
        raise Misuse(f"{period} cannot be settled by these books: {error}") from None
    told = [[asdict(statement) for statement in outcome.statements] for outcome in outcomes]
    held = [[asdict(line) for line in outcome.unresolved] for outcome in outcomes]
    return {"changes": changes(told[0], told[1], write_money), "unresolved": _unresolved(held[0], held[1])}


def _unresolved(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines that only one of the two books can resolve."""
    held = [{(line["line_id"], line["reason"]) for line in lines} for lines in (before, after)]
    told = [{"line_id": line_id, "reason": reason, "held_under": "old"} for line_id, reason in sorted(held[0] - held[1])]
    told += [{"line_id": line_id, "reason": reason, "held_under": "new"} for line_id, reason in sorted(held[1] - held[0])]
    return told


def _sound(book: Path, table: Path) -> dict[str, Any]:
    report = try_contracts(book, table)
    _require_sound(book, report["findings"])
    return report


def _require_sound(book: Path, findings: list[dict[str, Any]]) -> None:
    if errors := [f for f in findings if f["severity"] == "error"]:
        told = "\n".join(f"{f['file']}:{f['line']}: {f['message']}" for f in errors)
        raise Findings(f"{book} cannot be compared:\n{told}")


def _read_csv(table: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            rows = []
            for row in reader:
                if None in row:
                    raise Misuse(f"{table}:{reader.line_num}: there are more cells than columns")
                rows.append((reader.line_num, row))
            return list(reader.fieldnames or ()), rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise Misuse(f"{table} is not a CSV file in UTF-8: {error}") from None


def _report(trial: Trial, findings: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "lines": [_line(line) for line in trial.lines],
        "movements": [_movement(movement) for movement in trial.movements],
        "statements": [_statement(statement) for statement in trial.statements],
        "balances": [{**asdict(balance), "amount": text(balance.amount)} for balance in trial.closing],
        "unresolved": [{**asdict(line), "amount": text(line.amount)} for line in trial.unresolved],
        "findings": findings,
    }


def text(amount: Decimal) -> str:
    """The amount without needless zeros: 33.5, 0, -0.25."""
    plain = f"{amount:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def _line(line: Line) -> dict[str, Any]:
    stages = [{"stage": s.stage, "in": text(s.amount_in), "out": text(s.amount_out), "term": s.term} for s in line.stages]
    return {
        "line_id": line.line_id, "period": line.period, "contract": line.contract, "version": line.version, "payee": line.payee,
        "role": line.role, "category": line.category, "amount": text(line.amount), "currency": line.currency, "stages": stages,
    }  # fmt: skip


def _movement(movement: Movement) -> dict[str, Any]:
    return {**asdict(movement), "amount": text(movement.amount)}


def _statement(statement: Statement) -> dict[str, Any]:
    cells = {name: text(value) if isinstance(value, Decimal) else value for name, value in asdict(statement).items()}
    return {**cells, "payable": f"{statement.payable:.{minor_digits(statement.currency)}f}"}
