"""Whether so many lines of a report are refused that it is held whole."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from lakehouse.model.money import parse_rate, write_rate


class Judged(NamedTuple):
    """A report's refused lines beside all its data lines, in the columns of `ops.held_files`."""

    entry: str
    dialect_sha256: str
    max_quarantine: str
    lines: int
    refused: int


def judge(
    lines: int, refused: int, dialect_sha256: str, limit: Fraction | None, before: Mapping[tuple[str, str], int]
) -> tuple[bool, Judged | None]:
    """Whether the report is held, and the entry to write where that is new.

    `before` are the report's open holds: (dialect_sha256, max_quarantine): the order in which they were made. Without a `limit`
    a report that is held is judged by the one of its latest hold, and any other goes on.
    """
    if limit is None:
        if not before:
            return False, None
        limit = parse_rate(max(before, key=lambda hold: before[hold])[1])
    text = write_rate(limit)
    if lines and Fraction(refused, lines) > limit:
        known = (dialect_sha256, text) in before
        return True, None if known else Judged("hold", dialect_sha256, text, lines, refused)
    return False, Judged("clear", dialect_sha256, text, lines, refused) if before else None
