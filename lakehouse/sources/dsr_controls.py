"""What a DSR flat file declares about itself, held against its rows: counts of its footer, usages and totals of its summaries.

Standard: DDEX "Digital Sales Report Message Suite", part 8, footer records FOOT and SRFO. Comment lines count as lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact

from lakehouse.sources.dialect import Dialect
from lakehouse.sources.dsr_layouts import parse_row, values_of
from lakehouse.sources.dsr_money import LINE_ITEM, Row, counted, whole
from lakehouse.sources.grammar import cut, read_number
from lakehouse.sources.records import Record

# Name, declared, found, whether they agree: see report.ControlResult.
Result = tuple[str, str, str, bool]

_COUNT = re.compile(r"-?[0-9]{1,18}(?:\.0+)?")
_DECIMAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,60})?")
_EXACT = Context(prec=200, traps=[Inexact])
# Where a summary declares its usages: those of the whole service or of the recipient, whichever its rows are.
_DECLARED_USAGES = ("Usages", "TotalUsages", "AllocatedUsages", "NumberOfBroadcasts")


@dataclass
class _Sums:
    """A summary row and what its usage rows add up to: usages, and the columns whose totals it declares."""

    row: Row
    usages: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)


class DsrTally:
    """Adds up a DSR file's records as they stream by."""

    def __init__(self, dialect: Dialect) -> None:
        assert dialect.dsr is not None
        self._dialect, self._dsr, self._layouts = dialect, dialect.dsr, dialect.layouts
        self._added = {*dialect.dsr.totals.values()}
        self._lines = self._summary_rows = 0
        self._blocks: set[str] = set()
        # None where several rows have one id: they declare no figure that the usage rows could be held against.
        self._summaries: dict[str, _Sums | None] = {}
        self._head: Row = {}
        self._foot: Row = {}

    def add(self, record: Record) -> None:
        """Counts one record, in the file's order."""
        self._lines += 1
        row = parse_row(record.text, self._layouts) if record.kind not in ("comment", "blank") else ""
        if isinstance(row, str):
            return
        kind = row["RecordType"]
        if "BlockId" in row:
            self._blocks.add(row["BlockId"])
        if kind in ("HEAD", "SRHE"):
            self._head = row
        elif kind in ("FOOT", "SRFO"):
            self._foot = row
        elif kind.startswith("SY"):
            self._summary_rows += 1
            identity = row["SummaryRecordId"]
            self._summaries[identity] = None if identity in self._summaries else _Sums(row)
        elif kind.startswith(("SU", "SR")) and (sums := self._summaries.get(row["SummaryRecordId"])):
            self._count(row, sums)

    def _count(self, row: Row, sums: _Sums) -> None:
        used = counted(row, self._layouts.usages)
        sums.usages += whole(used) if _COUNT.fullmatch(used) else 0
        for column in self._added:
            if (amount := self._number(row.get(column))) is not None:
                sums.totals[column] = _EXACT.add(sums.totals.get(column, Decimal(0)), amount)

    def _number(self, text: str | None) -> Decimal | None:
        plain = read_number(text, self._dialect.grammar) or ""
        return Decimal(plain) if _DECIMAL.fullmatch(plain) else None

    def results(self) -> list[Result]:
        """Every declared figure beside the found one. A count that the footer must have and has not is a broken control."""
        whole_report = self._head.get("NumberOfFiles") in ("", "1")
        results = []
        for name, found in self._counts().items():
            declared = self._foot.get(name, "")
            of_report = name.endswith("InReport")
            # One file of several does not know the report's figures.
            if not of_report or (whole_report and declared):
                results.append(_same_count(name, declared, found))
        for identity, sums in self._summaries.items():
            if sums is not None:
                results += [*self._usages(identity, sums), *self._totals(identity, sums), *self._residue(identity, sums)]
        return results

    def _residue(self, identity: str, sums: _Sums) -> list[Result]:
        """What is cut of a shared amount with more decimals than amounts keep: its rows make the rest."""
        text = counted(sums.row, self._dsr.shared)
        exact = read_number(text, self._dialect.grammar) or ""
        if not _DECIMAL.fullmatch(exact) or cut(exact) == exact:
            return []
        residue = _EXACT.subtract(Decimal(exact), Decimal(cut(exact)))
        return [(f"residue of summary {identity}, not paid", text, f"{residue:f}", True)]

    def _counts(self) -> dict[str, int]:
        counts = {"NumberOfLinesInFile": self._lines, "NumberOfLinesInReport": self._lines}
        counts["NumberOfSummaryRecords"] = self._summary_rows
        counts |= {"NumberOfBlocksInFile": len(self._blocks), "NumberOfBlocksInReport": len(self._blocks)}
        footer = "SRFO" if self._head.get("RecordType") == "SRHE" else "FOOT"
        named = {column.name for column in self._layouts.records.get(footer, ())}
        return {name: found for name, found in counts.items() if name in named}

    def _usages(self, identity: str, sums: _Sums) -> list[Result]:
        declared = [text for column in _DECLARED_USAGES if _COUNT.fullmatch(text := sums.row.get(column, ""))]
        # Where line items name the summary, its usage rows need not.
        if not declared or (LINE_ITEM in self._dsr.rows and not sums.usages):
            return []
        fitting = next((text for text in declared if whole(text) == sums.usages), declared[0])
        return [_same_count(f"Usages of summary {identity}", fitting, sums.usages)]

    def _totals(self, identity: str, sums: _Sums) -> list[Result]:
        """Declared totals of money. A figure printed with fewer decimals than its rows has to be their sum, rounded."""
        results = []
        for column, of_rows in self._dsr.totals.items():
            declared = self._number(sums.row.get(column))
            found = sums.totals.get(of_rows, Decimal(0))
            if column.startswith("FinalTotal"):
                found = _EXACT.add(found, self._fees(sums.row, column))
            if declared is not None:
                rounded = found.quantize(Decimal(1).scaleb(_exponent(sums.row[column])), ROUND_HALF_UP, Context(prec=200))
                ok = found == declared or rounded == declared
                results.append((f"{column} of summary {identity}", sums.row[column], f"{found:f}", ok))
        return results

    def _fees(self, row: Row, total: str) -> Decimal:
        """The fees beside the rows, in the currency of the total."""
        column = total.replace("FinalTotalAmount", "UsageIndependentFee")
        fees = Decimal(0)
        for value in values_of(row.get(column)):
            fees = _EXACT.add(fees, self._number(value) or Decimal(0))
        return fees


def _exponent(text: str) -> int:
    """The power of ten of the last printed decimal, which may be a zero."""
    return -len(text.partition(".")[2].strip())


def _same_count(name: str, declared: str, found: int) -> Result:
    return name, declared, str(found), bool(_COUNT.fullmatch(declared)) and whole(declared) == found
