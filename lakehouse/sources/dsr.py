"""DDEX DSR flat files with multiple record blocks: usage rows that inherit from summary, release and resource rows.

Standard: DDEX "Digital Sales Report Message Suite, part 8". Records are routed by type and version alone, because senders
declare profiles in HEAD that their records do not keep. The layouts are data, in conf/dsr.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lakehouse.errors import Misuse
from lakehouse.sources.dialect import Dialect, Encoding
from lakehouse.sources.grammar import read_number
from lakehouse.sources.records import Record
from lakehouse.sources.text import open_lines, split_eol

# Amounts are cut into parts in this unit: 18 decimals, the scale of money in the lake.
_SCALE = 18
_AMOUNT = re.compile(rf"(-?)([0-9]{{1,20}})(?:\.([0-9]{{1,{_SCALE}}}))?")
_COUNT = re.compile(r"-?[0-9]{1,14}")
_UNBEARING = ("false", "0")
_KINDS = {"HE": "preamble", "FO": "footer", "SU": "data"}


def load_layouts(path: Path) -> dict[str, tuple[str, ...]]:
    """Record type: its columns with their marks (`?` may be empty, `*` may repeat), from a document in conf/dsr."""
    try:
        records = yaml.safe_load(path.read_text(encoding="utf-8"))["records"]
        return {str(kind): tuple(str(column) for column in columns.split()) for kind, columns in records.items()}
    except (OSError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        hint = "See conf/dsr/basic-audio-1.2.yaml for their shape."
        raise Misuse(f"{path}: the record layouts cannot be read ({error}). {hint}") from None


@dataclass
class Summary:
    """A summary row (SY), the weights of its usage rows in file order, and what makes it doubtful."""

    row: dict[str, str]
    line_no: int
    amount: int | None
    weights: list[int] = field(default_factory=list)
    problem: str | None = None
    shares: Iterator[int] = field(default_factory=lambda: iter(()))


def parse_row(text: str, layouts: dict[str, tuple[str, ...]]) -> dict[str, str] | str:
    """The cells of a record by column name, or what is wrong with it. Trailing optional cells may be left out."""
    cells = text.split("\t")
    columns = layouts.get(cells[0])
    if columns is None:
        return f"record type {cells[0][:20]!r} has no layout in this dialect"
    while len(cells) > len(columns) and not cells[-1]:
        cells.pop()
    if len(cells) > len(columns):
        return f"a {cells[0]} record has {len(cells)} cells where its layout has {len(columns)}"
    row = {}
    for place, column in enumerate(columns):
        cell = cells[place] if place < len(cells) else ""
        if not cell and "?" not in column:
            return f"a {cells[0]} record has no {column.rstrip('*')}"
        # A repeated column keeps its text: \| is a literal pipe, | parts values.
        row[column.rstrip("?*")] = cell if column.endswith("*") else cell.replace(r"\|", "|")
    return row


def usages(row: dict[str, str]) -> str:
    """The usages a usage row reports: NumberOfStreams, or Usages where the row counts downloads too."""
    return row.get("NumberOfStreams") or row.get("Usages") or ""


def _net_usages(row: dict[str, str]) -> int | None:
    """Usages less returns, or None where either is no whole number."""
    counted, returned = usages(row), row.get("Returns") or "0"
    return int(counted) - int(returned) if _COUNT.fullmatch(counted) and _COUNT.fullmatch(returned) else None


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `amount` in proportion to `weights`, whose sum is not 0. The parts sum to `amount`: what is left
    over goes by largest remainder, ties to the earlier."""
    total = sum(weights)
    if total < 0:
        return allocate(amount, [-weight for weight in weights])
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(amount * weights[place] % total), place))
    for place in by_remainder[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def _amount_of(row: dict[str, str], dialect: Dialect) -> int | None:
    """The money of a summary in units of 10^-18: AllocatedNetRevenue, or NetRevenue where that is blank."""
    text = read_number(row.get("AllocatedNetRevenue") or row.get("NetRevenue"), dialect.grammar)
    found = _AMOUNT.fullmatch(text or "")
    if found is None:
        return None
    value = int(found[2] + (found[3] or "").ljust(_SCALE, "0"))
    return -value if found[1] else value


def plain(amount: int) -> str:
    """An amount in units of 10^-18 in plain notation."""
    digits = str(abs(amount)).rjust(_SCALE + 1, "0")
    return f"{'-' if amount < 0 else ''}{digits[:-_SCALE]}.{digits[-_SCALE:]}"


def _summaries(payload: bytes, dialect: Dialect, encoding: Encoding) -> dict[str, list[Summary]]:
    """First pass: every summary by its id, with the weights of its usage rows and the shares cut."""
    found: dict[str, list[Summary]] = {}
    for line_no, line in enumerate(open_lines(payload, encoding), start=1):
        text = split_eol(line)[0]
        if text.startswith("SY"):
            row = parse_row(text, dialect.layouts)
            if isinstance(row, dict):
                found.setdefault(row["SummaryRecordId"], []).append(Summary(row, line_no, _amount_of(row, dialect)))
        elif text.startswith("SU"):
            _weigh(text, line_no, found, dialect)
    for same_id in found.values():
        for summary in same_id:
            _judge(summary, same_id)
    return found


def _weigh(text: str, line_no: int, found: dict[str, list[Summary]], dialect: Dialect) -> None:
    row = parse_row(text, dialect.layouts)
    # A row that cannot be cut still says, in its third cell, which summary it makes doubtful.
    cells = text.split("\t")
    summary_id = cells[2] if len(cells) > 2 else ""
    for summary in found.get(summary_id, ()):
        net = _net_usages(row) if isinstance(row, dict) else None
        if net is None or isinstance(row, str):
            summary.problem = (
                f"the usages on line {line_no} of the same summary cannot be read: no share of its revenue is certain"
            )
        else:
            bearing = row.get("IsRoyaltyBearing", "").lower() not in _UNBEARING
            summary.weights.append(net if bearing else 0)


def _judge(summary: Summary, same_id: list[Summary]) -> None:
    identity = summary.row["SummaryRecordId"]
    if len(same_id) > 1:
        summary.problem = (
            f"SummaryRecordId {identity} stands on {len(same_id)} summary rows; a usage row does not say which it means"
        )
    elif summary.amount is None:
        summary.problem = f"the revenue of summary {identity} on line {summary.line_no} cannot be read"
    elif summary.problem is None and sum(summary.weights) == 0:
        if summary.amount != 0:
            summary.problem = f"summary {identity} has revenue and no royalty-bearing usage to carry it"
        summary.shares = iter([0] * len(summary.weights))
    elif summary.problem is None:
        summary.shares = iter(allocate(summary.amount, summary.weights))


@dataclass
class _Block:
    """Release and resource rows of the block being read, by their references."""

    identity: str = ""
    releases: dict[str, dict[str, str]] = field(default_factory=dict)
    resources: dict[str, dict[str, str]] = field(default_factory=dict)

    def enter(self, identity: str) -> None:
        if identity != self.identity:
            self.identity, self.releases, self.resources = identity, {}, {}

    def head(self) -> dict[str, str]:
        """The block's own release: its only RE record that describes one."""
        heads = [row for row in self.releases.values() if "Title" in row]
        return heads[0] if len(heads) == 1 else {}

    def about(self, row: dict[str, str]) -> tuple[dict[str, str], dict[str, str]] | str:
        """The release and the resource that a usage row is about, or what is wrong with its references."""
        resource, release = row.get("TransactedResource"), row.get("TransactedRelease")
        if resource:
            found = self.resources.get(resource)
            return (self.head(), found) if found else f"resource {resource!r} is not in block {self.identity}"
        if not release:
            return "it names neither a release nor a resource"
        found = self.releases.get(release)
        if found is None:
            return f"release {release!r} is not in block {self.identity}"
        if "Title" in found:
            return found, {}
        return self.head(), self.resources.get(found.get("UsedResources", ""), {})


def read_dsr(payload: bytes, dialect: Dialect, encoding: Encoding) -> Iterator[Record]:
    """The records of a DSR flat file. Usage rows are data, with the cells of the dialect's view; a doubtful summary's row too."""
    summaries = _summaries(payload, dialect, encoding)
    block = _Block()
    for line_no, line in enumerate(open_lines(payload, encoding), start=1):
        text, eol = split_eol(line)
        if not text.strip():
            yield Record(line_no, "blank", text, eol)
        elif text.startswith("#"):
            yield Record(line_no, "comment", text, eol)
        else:
            yield _record(line_no, text, eol, summaries, block, dialect)


def _record(line_no: int, text: str, eol: str, summaries: dict[str, list[Summary]], block: _Block, dialect: Dialect) -> Record:
    kind = _KINDS.get(text[:2], "header")
    row = parse_row(text, dialect.layouts)
    if isinstance(row, str):
        return Record(line_no, "data", text, eol, None, row)
    if text.startswith("SY"):
        summary = next(one for one in summaries[row["SummaryRecordId"]] if one.line_no == line_no)
        if summary.problem:
            share = "" if summary.amount is None else plain(summary.amount)
            return Record(line_no, "data", text, eol, _view(dialect, SY=row, Share=share), summary.problem)
    elif "BlockId" in row:
        block.enter(row["BlockId"])
        block.releases.update({row["ReleaseReference"]: row} if text.startswith("RE") else {})
        block.resources.update({row["ResourceReference"]: row} if text.startswith("AS") else {})
    if kind != "data":
        return Record(line_no, kind, text, eol)
    return _usage_record(line_no, text, eol, row, summaries, block, dialect)


def _usage_record(
    line_no: int, text: str, eol: str, row: dict[str, str], summaries: dict[str, list[Summary]], block: _Block, dialect: Dialect
) -> Record:
    named = summaries.get(row["SummaryRecordId"], [])
    if len(named) != 1 or named[0].problem:
        problem = named[0].problem if named else f"there is no summary row {row['SummaryRecordId']}"
        return Record(line_no, "data", text, eol, None, problem)
    # The share is taken even where the row is then refused: its money goes with it into quarantine.
    share = plain(next(named[0].shares))
    about = block.about(row)
    release, resource = ({}, {}) if isinstance(about, str) else about
    view = _view(dialect, SU=row, SY=named[0].row, RE=release, AS=resource, Units=str(_net_usages(row)), Share=share)
    return Record(line_no, "data", text, eol, view, about if isinstance(about, str) else None)


def _view(dialect: Dialect, **parts: Any) -> list[str | None]:
    """The cells of a record in the dialect's fields: `SY.Territory` from the part SY, `Share` as given."""
    cells: list[str | None] = []
    for name in dialect.fields:
        part, _, column = name.partition(".")
        found = parts.get(part)
        cells.append(found.get(column) if column and found is not None else found)
    return cells
