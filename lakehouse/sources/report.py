"""What a recognised report says about itself: its month and its identity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from lakehouse.sources.dialect import Dialect
from lakehouse.sources.grammar import read_month
from lakehouse.sources.recognise import Recognition
from lakehouse.sources.records import read_records

# Marks in a name that say "another sending of the same report". "correction" is not one: such files add to the first.
_VERSION_MARKS = re.compile(
    r"[ _.-]*(?:\((?P<copy>[0-9]{1,2})\)|(?<![a-z0-9])"
    r"(?P<mark>v[0-9]{1,2}|rev[0-9]{0,2}|restated|restatement|corrected|resent|resend|final|copy)(?![a-z0-9]))"
)
_CONTAINER_ENDINGS = (".gz", ".zip")


@dataclass(frozen=True)
class ReportFacts:
    """`report_period` is None where the report does not say its month. Versions of one report share `report_key`."""

    report_period: str | None
    report_key: str
    version_hint: str | None


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
    if dialect.period.column is None:
        return None
    assert recognition.encoding is not None
    place = dialect.position(dialect.period.column)
    records = read_records(recognition.payload, dialect, recognition.encoding, recognition.variant)
    # Few spellings of a month or day stand in a report: each is read once.
    spellings = {record.cells[place] for record in records if record.kind == "data" and record.cells}
    months = [month for month in (read_month(spelling, grammar) for spelling in spellings) if month]
    return max(months, default=None)
