"""Golden cases: folders of documents that a royalty manager can read, played through the functions behind the command line.

`case.yaml` says what the case teaches and its steps in order; `expected.yaml` what must come out. Neither holds code.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from lakehouse.runs.environment import Environment
from lakehouse.store.reader import LakeReader
from lakehouse.views.report import layer_of, report_period

FOLDER = Path(__file__).parents[1] / "golden"
MONEY = ("revenue", "payable", "retained", "fees", "tax", "held", "quarantined", "adjusted", "difference")
BALANCE = ("opening", "earned", "deducted", "recouped", "reserved", "taxed", "payable", "carried", "rounding")
# In expected.yaml: in gold.holding.
HOLDING = {"entry": "entry", "reason": "reason", "currency": "currency", "since": "held_since", "amount": "amount"}

Step = Callable[["Case", Environment, Any, Path], None]


@dataclass(frozen=True)
class Case:
    """One golden case. Every scalar of its documents is text, so that money is never a float."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def document(self, name: str) -> dict[str, Any]:
        # BaseLoader leaves scalars as they are written.
        return dict(yaml.load((self.folder / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader))

    def play(self, env: Environment, scratch: Path) -> None:
        """Every step in order, in the lake of `env`. `scratch` takes renamed and packed copies of reports."""
        for step in self.document("case.yaml")["steps"]:
            ((verb, given),) = step.items()
            STEPS[verb](self, env, given, scratch)


def all_cases() -> list[Case]:
    return [Case(file.parent) for file in sorted(FOLDER.glob("*/case.yaml"))]


def _catalog(case: Case, env: Environment, given: str | Mapping[str, Any], scratch: Path) -> None:
    """`catalog: FILE`, or a mapping with `file` and the rules of the `findings` that its load is to have."""
    from lakehouse.runs.admin import load_catalog

    asked = {"file": given} if isinstance(given, str) else given
    loaded = load_catalog(env, [case.folder / asked["file"]])
    assert sorted(finding["rule"] for finding in loaded["findings"]) == asked.get("findings", []), loaded["findings"]


def _contracts(case: Case, env: Environment, given: str, scratch: Path) -> None:
    from lakehouse.runs.admin import load_contracts

    load_contracts(env, case.folder / given)


def _events(case: Case, env: Environment, given: str, scratch: Path) -> None:
    from lakehouse.runs.admin import load_events

    load_events(env, [case.folder / given])


def _land(case: Case, env: Environment, given: str | Mapping[str, str], scratch: Path) -> None:
    """`land: FILE`, or a mapping with `file`, `as` (another name), `packed` (gzip or zip) and `status` (landed by default)."""
    asked = {"file": given} if isinstance(given, str) else dict(given)
    original = case.folder / asked["file"]
    name = asked.get("as", original.name)
    sent = scratch / name
    sent.write_bytes(_packed(original.read_bytes(), original.name, asked.get("packed")))
    landed = env.landing.put(sent, env.dialects)
    assert landed.status == asked.get("status", "landed"), landed


def _packed(content: bytes, name: str, how: str | None) -> bytes:
    if how is None:
        return content
    if how == "gzip":
        return gzip.compress(content)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _adjust(case: Case, env: Environment, given: Mapping[str, str], scratch: Path) -> None:
    """`adjust:` with `id`, `period`, `amount`, `currency` and `reason`."""
    from lakehouse.runs.adjust import adjust

    done = adjust(env, given["id"], given["period"], Decimal(given["amount"]), given["currency"], given["reason"])
    assert done["status"] == "landed", done


def _run(case: Case, env: Environment, given: str | Mapping[str, str], scratch: Path) -> None:
    """`run: PERIOD`, or a mapping with `period` and `changed` (true by default)."""
    from lakehouse.runs.period import run_period

    asked = {"period": given} if isinstance(given, str) else dict(given)
    report = run_period(env, asked["period"])
    assert report["changed"] is (asked.get("changed", "true") == "true"), report


def _close(case: Case, env: Environment, given: str, scratch: Path) -> None:
    from lakehouse.runs.close import close_period

    close_period(env, given)


def _release(case: Case, env: Environment, given: Mapping[str, Any], scratch: Path) -> None:
    """`release:` with `file` (its name), `line`, `set` (the report's column: value) and `reason`."""
    from lakehouse.runs.quarantine import release_records
    from lakehouse.views.files import quarantine_list

    names = {file["file_id"]: file["name"] for file in rows_of(env.reader, "bronze.files")}
    records = [
        refused["record_id"]
        for refused in quarantine_list(env.reader)
        if (names[refused["file_id"]], str(refused["line_no"])) == (given["file"], given["line"])
    ]
    assert len(records) == 1, f"line {given['line']} of {given['file']} is not in quarantine"
    outcome = release_records(env, records, given["reason"], given.get("set", {}))
    assert [row["status"] for row in outcome] == ["released"], outcome


def _review(case: Case, env: Environment, given: Mapping[str, Any], scratch: Path) -> None:
    """`review:` with `title` as reported, the recordings `offered`, `reason`, and `accept` unless all are rejected."""
    from lakehouse.runs.review import Verdict, review
    from lakehouse.views.review import review_queue

    (entry,) = [entry for entry in review_queue(env.reader, env.rules.ruleset) if entry["title"] == given["title"]]
    assert [one["recording_id"] for one in entry["candidates"]] == given["offered"]
    (outcome,) = review(env, [Verdict(entry["usage_key"], given.get("accept"), given["reason"])], "Ada")
    assert outcome["changed"]


def _unclaimed(case: Case, env: Environment, given: Mapping[str, str], scratch: Path) -> None:
    """`unclaimed:` with `period`, `policies` (a file), `reason`, and how many holds are `released` and how many are `waiting`."""
    from lakehouse.runs.unclaimed import release_unclaimed
    from lakehouse.views.statutory import load_policies

    policies = load_policies(case.folder / given["policies"])
    told = release_unclaimed(env, given["period"], policies, given["reason"], "Ada", dry_run=True)
    done = release_unclaimed(env, given["period"], policies, given["reason"], "Ada")
    assert {**done, "dry_run": True} == told
    assert [str(len(done[name])) for name in ("released", "waiting")] == [given["released"], given["waiting"]], done


def _adjust_hold(case: Case, env: Environment, given: Mapping[str, str], scratch: Path) -> None:
    """`adjust_hold:` with `title` as reported, `amount`, `reason`, and what the hold comes to (`held`)."""
    from lakehouse.runs.adjust_hold import adjust_hold
    from lakehouse.views.holding import list_holds

    (hold,) = [hold for hold in list_holds(env.reader) if hold["title"] == given["title"]]
    done = adjust_hold(env, hold["entry_id"], Decimal(given["amount"]), given["reason"], "Ada")
    assert (done["held"], done["changed"]) == (given["held"], True), done
    again = adjust_hold(env, hold["entry_id"], Decimal(given["amount"]), given["reason"], "Bo")
    assert again == {**done, "changed": False}


STEPS: dict[str, Step] = {
    "catalog": _catalog, "contracts": _contracts, "events": _events, "land": _land, "run": _run, "close": _close, "release": _release,
    "review": _review, "adjust": _adjust, "unclaimed": _unclaimed, "adjust_hold": _adjust_hold,
}  # fmt: skip


def found_in(reader: LakeReader, period: str) -> dict[str, Any]:
    """What a period came to, in the shape of expected.yaml: zero amounts are left out."""
    report, layer = report_period(reader, period), layer_of(reader, period)
    statements: dict[str, dict[str, Any]] = {}
    for row in rows_of(reader, f"{layer}.statements", period):
        statements.setdefault(row["currency"], {})[row["payee"]] = _nonzero(row, BALANCE)
    return {
        "status": "closed" if layer == "gold" else "draft",
        "lines": {name: count for name, count in report["lines"].items() if count},
        "money": {row["currency"]: _nonzero(row, MONEY) for row in report["money"] if _nonzero(row, MONEY)},
        "statements": statements,
        "holding": sorted(
            ({name: row[column] for name, column in HOLDING.items()} for row in rows_of(reader, f"{layer}.holding", period)),
            key=_sort_key,
        ),
    }


def expected_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """A period of expected.yaml with its numbers typed; what it does not mention is expected to be empty."""
    holding = [{**entry, "amount": Decimal(entry["amount"])} for entry in document.get("holding", [])]
    return {
        "status": document["status"],
        "lines": {name: int(count) for name, count in document.get("lines", {}).items()},
        "money": {currency: _typed(amounts) for currency, amounts in document.get("money", {}).items()},
        "statements": {
            currency: {payee: _typed(balance) for payee, balance in payees.items()}
            for currency, payees in document.get("statements", {}).items()
        },
        "holding": sorted(holding, key=_sort_key),
    }


def royalty_lines(reader: LakeReader, period: str) -> list[dict[str, Any]]:
    """The royalty lines of a period, with their stages written as people write them: ``master_share 80 -> 40``."""
    rows = rows_of(reader, f"{layer_of(reader, period)}.royalty_lines", period)
    return [{**row, "stages": [_step(step) for step in row["stages"]]} for row in rows]


def _step(step: Mapping[str, Any]) -> str:
    return f"{step['stage']} {_plain(step['amount_in'])} -> {_plain(step['amount_out'])}"


def says(line: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a royalty line has every value that an expectation names."""
    told = {name: _plain(line[name]) if isinstance(line[name], Decimal) else line[name] for name in wanted}
    return told == dict(wanted)


def rows_of(reader: LakeReader, name: str, period: str | None = None) -> list[dict[str, Any]]:
    return reader.sql(f"SELECT * FROM {reader.relation(name, where={'period': period} if period else None)}")


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _nonzero(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Decimal]:
    return {name: Decimal(row[name]) for name in names if Decimal(row[name])}


def _typed(amounts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in amounts.items()}


def _sort_key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry[name]) for name in HOLDING)
