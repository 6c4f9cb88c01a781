"""DDEX DSR flat files: rows that inherit from the summary, release and resource rows around them.

Standard: DDEX "Digital Sales Report Message Suite, part 8". Both variants: blocks of several records (HEAD to FOOT), and one record
for each row (SRHE to SRFO). Records are routed by type and version alone, because senders declare profiles in HEAD that their records
do not keep. Which records carry money, and how, is the dialect's to say; the layouts are data, in conf/dsr.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lakehouse.sources.dialect import Dialect, Encoding
from lakehouse.sources.dsr_layouts import parse_row
from lakehouse.sources.dsr_money import LINE_ITEM, Row, Summary, Survey, counted, fees_of, net_usages, plain, sum_of, survey
from lakehouse.sources.payload import Payload
from lakehouse.sources.records import Record
from lakehouse.sources.text import open_lines, split_eol

_ENVELOPE = {"HEAD": "preamble", "SRHE": "preamble", "FOOT": "footer", "SRFO": "footer"}
_ABOUT = ("RE", "AS", "MW")


def read_dsr(payload: Payload, dialect: Dialect, encoding: Encoding) -> Iterator[Record]:
    """The records of a DSR flat file. Rows that carry money are data, with the cells of the dialect's view; so is a usage row that
    no line item follows where line items carry the money, and a summary that is doubtful or has fees beside its rows."""
    reader = _Reader(dialect, survey(payload, dialect, encoding))
    for line_no, line in enumerate(open_lines(payload, encoding), start=1):
        text, eol = split_eol(line)
        if not text.strip():
            yield Record(line_no, "blank", text, eol)
        elif text.startswith("#"):
            yield Record(line_no, "comment", text, eol)
        else:
            yield reader.record(line_no, text, eol)


@dataclass
class _Block:
    """The records of the block being read that others refer to or stand under, and the usages not yet given to a line item."""

    identity: str = ""
    releases: dict[str, Row] = field(default_factory=dict)
    resources: dict[str, Row] = field(default_factory=dict)
    work: Row = field(default_factory=dict)
    usage: Row = field(default_factory=dict)
    units: str = "0"

    def add(self, row: Row) -> None:
        kind = row["RecordType"]
        if kind.startswith("RE"):
            self.releases[row["ReleaseReference"]] = row
        elif kind.startswith("AS"):
            self.resources[row["ResourceReference"]] = row
        elif kind.startswith("MW"):
            self.work = row

    def head(self) -> Row:
        """The block's own release: its only RE record that describes one."""
        heads = [row for row in self.releases.values() if "Title" in row]
        return heads[0] if len(heads) == 1 else {}

    def about(self, row: Row) -> tuple[Row, Row] | str:
        """The release and the resource that a usage row is about, or what is wrong with its references."""
        if "TransactedResource" not in row:
            # Its profile has blocks of one resource each.
            return self.head(), self._only_resource(row)
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

    def _only_resource(self, row: Row) -> Row:
        named = [r for r in self.resources.values() if r["DspResourceId"] == row.get("DspResourceId", row.get("DspReleaseId"))]
        found = named or list(self.resources.values())
        return found[0] if len(found) == 1 else {}


class _Reader:
    """Makes records of one file's lines, in their order."""

    def __init__(self, dialect: Dialect, surveyed: Survey) -> None:
        assert dialect.dsr is not None
        self._dialect, self._dsr, self._survey, self._layouts = dialect, dialect.dsr, surveyed, dialect.layouts
        self._fields = [tuple(name.partition(".")[::2]) for name in dialect.fields]
        self._block = _Block()
        # Summary rows by id, and by id and rights controller; what those of one key agree on is found once.
        self._named: dict[tuple[str, str | None], list[Row]] = {}
        for identity, same_id in surveyed.summaries.items():
            for row in (summary.row for summary in same_id):
                self._named.setdefault((identity, None), []).append(row)
                if controller := row.get("RightsController"):
                    self._named.setdefault((identity, controller), []).append(row)
        self._agreed: dict[tuple[str, str | None], Row] = {}

    def record(self, line_no: int, text: str, eol: str) -> Record:
        row = parse_row(text, self._layouts)
        if isinstance(row, str):
            return Record(line_no, "data", text, eol, None, row)
        if row.get("BlockId", self._block.identity) != self._block.identity:
            self._block = _Block(row["BlockId"])
        kind = row["RecordType"]
        if kind.startswith(_ABOUT):
            self._block.add(row)
        if kind in _ENVELOPE:
            return Record(line_no, _ENVELOPE[kind], text, eol)
        if kind.startswith("SY"):
            cells, error = self._summary(line_no, row)
        elif kind.startswith(LINE_ITEM) and LINE_ITEM in self._dsr.rows:
            cells, error = self._line_item(row)
        elif kind.startswith(self._dsr.rows):
            cells, error = self._usage(row)
        elif kind.startswith("SU"):
            cells, error = self._usage_before_line_items(line_no, row)
        else:
            cells, error = None, None
        if cells is None and error is None:
            return Record(line_no, "header", text, eol)
        return Record(line_no, "data", text, eol, cells, error)

    def _summary(self, line_no: int, row: Row) -> tuple[list[str | None] | None, str | None]:
        """A summary is data where its own money has no usage row to stand on."""
        summary = self._survey.by_line[line_no]
        if summary.problem:
            share = "" if summary.amount is None else plain(summary.amount)
            return self._view(row, SY=row, Share=share, Units=""), summary.problem
        fees = fees_of(row, self._dialect)
        if fees is None:
            return None, None
        if isinstance(fees, str):
            return self._view(row, SY=row), fees
        return self._view(row, SY=row, Share=plain(fees), Units="0"), None

    def _usage(self, row: Row) -> tuple[list[str | None] | None, str | None]:
        named = self._survey.summaries.get(row["SummaryRecordId"], [])
        if len(named) != 1 or named[0].problem:
            problem = named[0].problem if len(named) == 1 else self._which_summary(named, row)
            return None, problem
        # The share is taken even where the row is then refused: its money goes with it into quarantine.
        share = plain(next(named[0].shares)) if self._dsr.shared else None
        about = self._block.about(row) if "BlockId" in row else ({}, {})
        release, resource = ({}, {}) if isinstance(about, str) else about
        net = net_usages(row, self._layouts)
        units = counted(row, self._layouts.usages) if net is None else str(net)
        view = self._view(row, SY=named[0].row, RE=release, AS=resource, MW=self._block.work, Units=units, Share=share)
        return view, about if isinstance(about, str) else None

    @staticmethod
    def _which_summary(named: list[Summary], row: Row) -> str:
        identity = row["SummaryRecordId"]
        if not named:
            return f"there is no summary row {identity}"
        return named[0].problem or f"SummaryRecordId {identity} stands on {len(named)} summary rows"

    def _usage_before_line_items(self, line_no: int, row: Row) -> tuple[list[str | None] | None, str | None]:
        """A usage row whose money is in the line items after it. Its usages go to the first of them: they count once."""
        if LINE_ITEM not in self._dsr.rows:
            return None, None
        self._block.usage = row
        self._block.units = counted(row, self._layouts.usages) or "0"
        if line_no not in self._survey.unanswered:
            return None, None
        summary = self._summary_of(row.get("SummaryRecordId", ""))
        parts = {"SY": summary, "SU": row, "AS": self._block.about(row)[1], "MW": self._block.work}
        return self._view(row, **parts, Units=self._block.units), "no line item (LI) says what is due for the usage"

    def _line_item(self, row: Row) -> tuple[list[str | None] | None, str | None]:
        usage, units = self._block.usage, row.get("AllocatedUsages") or self._block.units
        identity = row.get("SummaryRecordId") or usage.get("SummaryRecordId", "")
        about = self._block.about(usage)
        release, resource = ({}, {}) if isinstance(about, str) else about
        self._block.units = "0"
        parts = {
            "SY": self._summary_of(identity, row["RightsController"]),
            "SU": usage,
            "RE": release,
            "AS": resource,
            "MW": self._block.work,
        }
        view = self._view(row, **parts, Units=units)
        if not usage:
            return view, "no usage row (SU) stands before the line item in its block"
        return view, None if identity in self._survey.summaries else f"there is no summary row {identity}"

    def _summary_of(self, identity: str, controller: str | None = None) -> Row:
        """What the summary rows of one id say alike, those of the rights controller where there are any; a column in which they
        differ says nothing."""
        key = (identity, controller if (identity, controller) in self._named else None)
        if key not in self._agreed:
            rows = self._named.get(key, [])
            first = rows[0] if rows else {}
            self._agreed[key] = {name: cell for name, cell in first.items() if all(row.get(name) == cell for row in rows)}
        return self._agreed[key]

    def _view(self, row: Row, **parts: Any) -> list[str | None]:
        """The cells of a record in the dialect's fields: `SY.Territory` from the part SY, `Row` being the record itself, and
        `SR.Deductions+` the sum of a repeated one; `Share`, `Units` and `Configuration` are computed."""
        use_type = (parts.get("SY") or {}).get("UseType")
        parts = {row["RecordType"][:2]: row, "Row": row, "Configuration": self._configuration(use_type), **parts}
        cells: list[str | None] = []
        for part, column in self._fields:
            found = parts.get(part)
            if not column or found is None:
                cells.append(found)
            elif column.endswith("+"):
                cells.append(sum_of(found.get(column[:-1]), self._dialect))
            else:
                cells.append(found.get(column))
        return cells

    def _configuration(self, use_type: str | None) -> str | None:
        return self._layouts.configuration(use_type) if use_type else None
