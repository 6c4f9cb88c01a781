"""What becomes of a report's rows, without Spark: the same reading, mapping and contract, one row at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from lakehouse.model.usage import FIELDS, reasons_against
from lakehouse.model.vocabulary import NOT_INCOME
from lakehouse.sources.dialect import REPORT_PERIOD
from lakehouse.sources.mapping import RowReader
from lakehouse.sources.recognise import Recognition
from lakehouse.sources.records import read_records
from lakehouse.sources.report import describe_report


@dataclass
class Read:
    """Rows by where they end; totals of the accepted ones by currency, amounts of the refused. Each data line is in exactly one of the
    three."""

    accepted: dict[int, dict[str, str | None]] = field(default_factory=dict)
    ignored: dict[int, str] = field(default_factory=dict)
    quarantined: dict[int, list[str]] = field(default_factory=dict)
    totals: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    refused_money: list[tuple[str | None, str | None]] = field(default_factory=list)
    lines: int = 0


def read_all(recognition: Recognition) -> Read:
    """Reads a recognised report to its last row."""
    dialect, encoding = recognition.dialect, recognition.encoding
    assert dialect is not None
    assert encoding is not None
    captured = {**recognition.captured, REPORT_PERIOD: describe_report(recognition).report_period or ""}
    reader = RowReader(dialect.under(recognition.variant))
    found = Read()
    for record in read_records(recognition.payload, dialect, encoding, recognition.variant):
        found.lines += 1
        if record.kind != "data":
            continue
        fields, faults = reader.read(record.cells, captured, record.error)
        canonical = dict(zip(FIELDS, fields, strict=True))
        if canonical["meaning"] in NOT_INCOME:
            found.ignored[record.line_no] = str(canonical["meaning"])
        elif reasons := [*faults, *reasons_against(canonical)]:
            found.quarantined[record.line_no] = [f"{reason.column} {reason.rule}".strip() for reason in reasons]
            found.refused_money.append((canonical["amount"], canonical["currency"]))
        else:
            found.accepted[record.line_no] = canonical
            with localcontext(prec=200):
                found.totals[str(canonical["currency"])] += Decimal(str(canonical["amount"]))
    return found
