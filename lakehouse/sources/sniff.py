"""What a file looks like, and how it differs from the formats nearest to it, column by column: for a person who has to act."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lakehouse.sources.dialect import Header
from lakehouse.sources.guess import TableGuess, guess_table
from lakehouse.sources.recognise import Dialects, Fit
from lakehouse.sources.unpack import DEFAULT_LIMITS, Limits, Member, Refused, unpack

NEAREST = 3
_LIKE = 0.2


def sniff(data: bytes, name: str, dialects: Dialects, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """{name, dialect, variant, reason, parts}: each file in the container, or sheet of a workbook, is a part, with what it looks like
    and the nearest formats. `dialect` is None where the file is refused; `reason` then says why."""
    seen = dialects.recognise(data, name, limits)
    try:
        members = unpack(data, name, limits)
    except Refused:
        members = []
    parts = [_part(member, dialects) for member in members]
    dialect = seen.dialect.id if seen.dialect else None
    return {"name": name, "dialect": dialect, "variant": seen.variant, "reason": seen.reason, "parts": parts}


def _part(member: Member, dialects: Dialects) -> dict[str, Any]:
    looks = guess_table(member.payload)
    fits = _nearest(dialects.compare(member))
    return {
        "name": member.name, "part": member.part or None, "container": member.container, "bytes": len(member.payload),
        "looks": asdict(looks) if looks else None, "nearest": [_difference(fit, looks) for fit in fits],
    }  # fmt: skip


def _nearest(fits: Sequence[Fit]) -> list[Fit]:
    """The best variant of each of the nearest formats."""
    best: dict[str, Fit] = {}
    for fit in sorted(fits, key=lambda fit: (not fit.differences, fit.likeness, -len(fit.differences)), reverse=True):
        if fit.likeness >= _LIKE:
            best.setdefault(fit.dialect.id, fit)
    return list(best.values())[:NEAREST]


def _difference(fit: Fit, looks: TableGuess | None) -> dict[str, Any]:
    columns = [] if fit.dialect.dsr or looks is None else compare_columns(looks.header, fit.dialect.file_header(fit.variant))
    return {
        "dialect": fit.dialect.id, "variant": fit.variant, "name": fit.dialect.name, "likeness": round(fit.likeness, 3),
        "fits": not fit.differences, "differences": list(fit.differences), "columns": columns,
    }  # fmt: skip


def compare_columns(found: Sequence[str], header: Header) -> list[dict[str, Any]]:
    """Each column of the file and of the format once: {found_at, found, expected_at, expected, status}. Status is same, moved, renamed
    (the two names are alike), unknown (only in the file), missing or optional (only in the format)."""
    expected = header.fields
    places = {name: place for place, name in enumerate(expected, start=1)}
    unknown = [name for name in found if name not in places]
    missing = [name for name in expected if name not in found]
    renamed = _renamed(unknown, missing)
    rows = []
    for place, name in enumerate(found, start=1):
        wanted = name if name in places else renamed.get(name)
        at = places.get(wanted) if wanted else None
        status = "unknown" if wanted is None else "renamed" if wanted != name else "same" if at == place else "moved"
        rows.append({"found_at": place, "found": name, "expected_at": at, "expected": wanted, "status": status})
    for name in missing:
        if name not in renamed.values():
            status = "optional" if name in header.optional else "missing"
            rows.append({"found_at": None, "found": None, "expected_at": places[name], "expected": name, "status": status})
    return rows


def _renamed(unknown: Sequence[str], missing: Sequence[str]) -> dict[str, str]:
    """Names of the file that are like a missing one, each used once."""
    pairs: dict[str, str] = {}
    left = {name.casefold(): name for name in missing}
    for name in unknown:
        like = difflib.get_close_matches(name.casefold(), left, n=1, cutoff=0.75)
        if like:
            pairs[name] = left.pop(like[0])
    return pairs
