"""What a recognised report says about itself: its month, its identity, and the figures its rows are held against."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from pathlib import PurePath

from lakehouse.sources.dialect import Dialect
from lakehouse.sources.dsr_controls import DsrTally
from lakehouse.sources.grammar import read_month, read_number
from lakehouse.sources.recognise import Recognition
from lakehouse.sources.records import Record, read_records

# Marks in a name that say "another sending of the same report". "correction" is not one: such files add to the first.
_VERSION_MARKS = re.compile(
    r"[ _.-]*(?:\((?P<copy>[0-9]{1,2})\)|(?<![a-z0-9])"
    r"(?P<mark>v[0-9]{1,2}|rev[0-9]{0,2}|restated|restatement|corrected|resent|resend|final|copy)(?![a-z0-9]))"
)
_CONTAINER_ENDINGS = (".gz", ".zip")
# Sums of printed amounts are exact or an error.
_EXACT = Context(prec=200, traps=[Inexact])


@dataclass(frozen=True)
class ReportFacts:
    """`report_period` is None where the report does not say its month. Versions of one report share `report_key`."""

    report_period: str | None
    report_key: str
    version_hint: str | None


@dataclass(frozen=True)
class ControlResult:
    """A figure the sender declared beside what was found, in the shape of `bronze.files.controls`."""

    name: str
    declared: str
    found: str
    ok: bool


def describe_report(recognition: Recognition, period: str | None = None) -> ReportFacts:
    """The facts of a recognised report; `period` (`YYYY-MM`) overrides the month that it names itself.

    The key is the dialect, the month, and what the dialect's `key` lists: captured values, or `name`, which is the file's name
    without folders, endings and marks of another sending such as `_v2`, ` (1)` or `restated`."""
    dialect = recognition.dialect
    if dialect is None:
        raise ValueError(f"{recognition.name} was not recognised: {recognition.reason}")
    month = period or _report_period(recognition, dialect)
    stem, hint = name_stem(recognition.name)
    parts = [stem if part == "name" else recognition.captured.get(part, "") for part in dialect.key]
    return ReportFacts(month, "|".join([dialect.id, month or "", *parts]), hint)


def name_stem(name: str) -> tuple[str, str | None]:
    """A file's name without folders, endings and version marks, and the last version mark."""
    base = PurePath(name.replace("\\", "/")).name.casefold()
    for ending in _CONTAINER_ENDINGS:
        base = base.removesuffix(ending)
    stem = PurePath(base).stem
    marks = [found["copy"] or found["mark"] for found in _VERSION_MARKS.finditer(stem)]
    return _VERSION_MARKS.sub("", stem).strip(" _.-") or stem, marks[-1] if marks else None


def _report_period(recognition: Recognition, dialect: Dialect) -> str | None:
    grammar = dialect.under(recognition.variant).grammar
    if dialect.period.captured:
        return read_month(recognition.captured.get(dialect.period.captured), grammar)
    assert dialect.period.column is not None
    assert recognition.encoding is not None
    place = dialect.position(dialect.period.column)
    records = read_records(recognition.payload, dialect, recognition.encoding, recognition.variant)
    # Few spellings of a month or day stand in a report: each is read once.
    spellings = {record.cells[place] for record in records if record.kind == "data" and record.cells}
    months = [month for month in (read_month(spelling, grammar) for spelling in spellings) if month]
    return max(months, default=None)


def check_controls(records: Iterable[Record], dialect: Dialect, variant: str | None = None) -> list[ControlResult]:
    """Holds what the sender declared about the file against its records, read once. `ControlTally` does it in passing."""
    tally = ControlTally(dialect, variant)
    for record in records:
        tally.add(record)
    return tally.results()


class ControlTally:
    """Adds up a file's records as they stream by."""

    def __init__(self, dialect: Dialect, variant: str | None = None) -> None:
        self._dialect = dialect
        self._grammar = dialect.under(variant).grammar
        self._rows = 0
        self._sums = {control.column: Decimal(0) for control in dialect.controls if control.column}
        self._declared: dict[str, str] = {}
        self._dsr = DsrTally(dialect) if dialect.dsr else None

    def add(self, record: Record) -> None:
        """Counts one record, in the file's order."""
        if self._dsr:
            self._dsr.add(record)
        elif record.kind == "data":
            self._rows += 1
            for column in self._sums:
                text = read_number(record.cells[self._dialect.position(column)] if record.cells else None, self._grammar)
                if text and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
                    self._sums[column] = _EXACT.add(self._sums[column], Decimal(text))
        elif record.kind in ("footer", "preamble"):
            self._capture(record)

    def _capture(self, record: Record) -> None:
        patterns = self._dialect.footer.capture if self._dialect.footer and record.kind == "footer" else {}
        for name, pattern in patterns.items():
            if found := re.search(pattern, record.text):
                self._declared.setdefault(name, found[1])
        if record.kind == "preamble":
            pattern = self._dialect.preamble[record.line_no - 1]
            found = re.search(pattern, record.text)
            self._declared.update({name: value for name, value in (found.groupdict() if found else {}).items() if value})

    def results(self) -> list[ControlResult]:
        """Every declared figure beside the found one. A figure that is missing from the file is a broken control."""
        if self._dsr:
            return [ControlResult(*result) for result in self._dsr.results()]
        results = []
        for control in self._dialect.controls:
            declared = self._declared.get(control.captured)
            found = Decimal(self._rows) if control.column is None else self._sums[control.column]
            plain = read_number(declared, self._grammar)
            ok = plain is not None and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain) is not None and Decimal(plain) == found
            results.append(ControlResult(control.name, declared or "", f"{found:f}", ok))
        return results
