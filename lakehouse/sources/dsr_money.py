"""What a usage row of a DSR flat file is worth: its share of the summary row (SY) that it names.

Most profiles state money once for each summary, and usages row by row. The amount of a summary is cut in proportion to usages less
returns among its royalty-bearing rows, exact to 18 decimals, what is left over by largest remainder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lakehouse.sources.dialect import Dialect, Encoding
from lakehouse.sources.dsr_layouts import Layouts, parse_row, values_of
from lakehouse.sources.grammar import SCALE, cut, read_number
from lakehouse.sources.payload import Payload
from lakehouse.sources.text import open_lines, split_eol

# Amounts are cut into parts in units of the last of SCALE decimals, the scale of money in the lake.
_AMOUNT = re.compile(rf"(-?)([0-9]{{1,20}})(?:\.([0-9]{{1,{SCALE}}}))?")
_COUNT = re.compile(r"-?[0-9]{1,14}(?:\.0+)?")
_UNBEARING = ("false", "0")

Row = dict[str, str]


@dataclass
class Summary:
    """A summary row (SY), the weights of its usage rows in file order, and what makes it doubtful."""

    row: Row
    line_no: int
    amount: int | None
    weights: list[int] = field(default_factory=list)
    problem: str | None = None
    shares: Iterator[int] = field(default_factory=lambda: iter(()))


Summaries = dict[str, list[Summary]]
# The first and last record of a file. Those of single records begin like a row.
ENVELOPE = ("HEAD", "FOOT", "SRHE", "SRFO")
# A line item says what a rights controller is due for the usage row before it.
LINE_ITEM = "LI"


@dataclass
class Survey:
    """What a first pass over a file found: its summaries by id and by line, and the lines of usage rows that no line item follows, where line
    items carry the money."""

    summaries: Summaries = field(default_factory=dict)
    by_line: dict[int, Summary] = field(default_factory=dict)
    unanswered: set[int] = field(default_factory=set)


def counted(row: Row, columns: Sequence[str]) -> str:
    """The text of the first of the columns that the row has filled; nothing where it has none."""
    return next((row[column] for column in columns if row.get(column)), "")


def net_usages(row: Row, layouts: Layouts) -> int | None:
    """Usages less returns, or None where either is no whole number."""
    used, returned = counted(row, layouts.usages), counted(row, layouts.returns) or "0"
    return whole(used) - whole(returned) if _COUNT.fullmatch(used) and _COUNT.fullmatch(returned) else None


def whole(text: str) -> int:
    return int(text.partition(".")[0])


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


def units_of_money(text: str | None, dialect: Dialect) -> int | None:
    """An amount in units of 10^-18, cut to them, or None where it is blank or no amount."""
    found = _AMOUNT.fullmatch(cut(read_number(text, dialect.grammar) or ""))
    if found is None:
        return None
    value = int(found[2] + (found[3] or "").ljust(SCALE, "0"))
    return -value if found[1] else value


def plain(amount: int) -> str:
    """An amount in units of 10^-18 in plain notation."""
    digits = str(abs(amount)).rjust(SCALE + 1, "0")
    return f"{'-' if amount < 0 else ''}{digits[:-SCALE]}.{digits[-SCALE:]}"


def survey(payload: Payload, dialect: Dialect, encoding: Encoding) -> Survey:
    """First pass over a file: every summary, with the shares of its usage rows cut where the dialect has them share its amount."""
    assert dialect.dsr is not None
    dsr, layouts = dialect.dsr, dialect.layouts
    found = Survey()
    pending: tuple[int, list[str]] | None = None
    for line_no, line in enumerate(open_lines(payload, encoding), start=1):
        text = split_eol(line)[0]
        if text.startswith("SY"):
            _add_summary(text, line_no, found, dialect)
        elif dsr.shared and text.startswith(dsr.rows) and not text.startswith(ENVELOPE):
            _weigh(text, line_no, found.summaries, layouts)
        elif LINE_ITEM in dsr.rows and text.startswith(("SU", LINE_ITEM)):
            block = text.split("\t", 2)[1:2]
            if text.startswith("SU"):
                found.unanswered.add(line_no)
                pending = (line_no, block)
            elif pending and pending[1] == block:
                found.unanswered.discard(pending[0])
    if dsr.shared:
        for same_id in found.summaries.values():
            for summary in same_id:
                _judge(summary, len(same_id))
    return found


def _add_summary(text: str, line_no: int, found: Survey, dialect: Dialect) -> None:
    assert dialect.dsr is not None
    row = parse_row(text, dialect.layouts)
    if isinstance(row, dict):
        amount = units_of_money(counted(row, dialect.dsr.shared), dialect)
        found.by_line[line_no] = Summary(row, line_no, amount)
        found.summaries.setdefault(row["SummaryRecordId"], []).append(found.by_line[line_no])


def _weigh(text: str, line_no: int, found: Summaries, layouts: Layouts) -> None:
    row = parse_row(text, layouts)
    summary_id = row["SummaryRecordId"] if isinstance(row, dict) else _summary_named(text, layouts)
    named = found.get(summary_id, ())
    # Where several have one id, none of them is shared out.
    for summary in named if len(named) == 1 else ():
        net = net_usages(row, layouts) if isinstance(row, dict) else None
        if net is None or isinstance(row, str):
            summary.problem = (
                f"the usages on line {line_no} of the same summary cannot be read: no share of its revenue is certain"
            )
        else:
            bearing = row.get("IsRoyaltyBearing", "").lower() not in _UNBEARING
            summary.weights.append(net if bearing else 0)


def _summary_named(text: str, layouts: Layouts) -> str:
    """The summary that a row makes doubtful which cannot be cut, as far as it says."""
    cells = text.split("\t")
    names = [column.name for column in layouts.records.get(cells[0], ())]
    place = names.index("SummaryRecordId") if "SummaryRecordId" in names else len(cells)
    return cells[place] if place < len(cells) else ""


def _judge(summary: Summary, same_id: int) -> None:
    identity = summary.row["SummaryRecordId"]
    if same_id > 1:
        summary.problem = f"SummaryRecordId {identity} stands on {same_id} summary rows; a usage row does not say which it means"
    elif summary.amount is None:
        summary.problem = f"the revenue of summary {identity} on line {summary.line_no} cannot be read"
    elif summary.problem is None and sum(summary.weights) == 0:
        if summary.amount != 0:
            summary.problem = f"summary {identity} has revenue and no royalty-bearing usage to carry it"
        summary.shares = iter([0] * len(summary.weights))
    elif summary.problem is None:
        summary.shares = iter(allocate(summary.amount, summary.weights))


def sum_of(cell: str | None, dialect: Dialect) -> str | None:
    """The exact sum of a repeated cell's amounts in plain notation; None where it is blank, its text where one is no amount."""
    amounts = [units_of_money(text, dialect) for text in values_of(cell)]
    if None in amounts:
        return cell
    return plain(sum(amount for amount in amounts if amount is not None)) if amounts else None


def fees_of(row: Row, dialect: Dialect) -> int | str | None:
    """The sum of a summary's fees that stand beside its rows, in units of 10^-18; what is wrong with them; or None for none."""
    assert dialect.dsr is not None
    texts = [value for column in dialect.dsr.fees for value in values_of(row.get(column))]
    amounts = [units_of_money(text, dialect) for text in texts if text.strip()]
    if None in amounts:
        return f"the fees {'|'.join(texts)} cannot be read"
    return sum(amount for amount in amounts if amount is not None) or None
