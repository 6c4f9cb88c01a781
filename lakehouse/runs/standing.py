"""What stands when a period begins: published rows of earlier periods, reports that no longer count, balances of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.runs.frame import Work
from lakehouse.tables import Table, gold
from lakehouse.transforms.statements import opening_balances
from lakehouse.views.held import superseded

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def before(work: Work, table: Table) -> DataFrame:
    """The published rows of earlier periods."""
    return work.read(table).where(F.col("period") < work.period)


def superseded_reports(work: Work) -> DataFrame:
    """[file_id] of the reports that a later version replaces, up to this period."""
    return work.reports(superseded(work.env.reader, work.period, work.pins))


def opening_of(work: Work) -> DataFrame:
    """What accounts held when the latest closed period ended."""
    return opening_balances(before(work, gold.balances), work.env.closed_periods(), work.period)
