"""Dated figures of the law that a term may name instead of writing them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationInfo

T = TypeVar("T")


def fill(data: Any, info: ValidationInfo, kind: str, field: str) -> Any:
    """`data` with the dated figures of the preset it names. Raises ValueError where the book has no such preset."""
    if not isinstance(data, dict) or "preset" not in data or data.get(field):
        return data
    known = (info.context or {}).get("presets", {})
    preset = known.get(data["preset"])
    if preset is None or preset.get("kind") != kind:
        names = ", ".join(sorted(name for name, one in known.items() if one.get("kind") == kind)) or "none"
        raise ValueError(f"{data['preset']!r} is not a preset for this clause: there is {names}")
    known_to = {"known_to": preset["known_to"]} if preset.get("known_to") else {}
    return {**data, **known_to, field: [(version["from"], version[field]) for version in preset["versions"]]}


def dated(versions: Iterable[tuple[str, T]], date: str, preset: str, known_to: str | None = None) -> T:
    """The version in force on a day or in a month. Raises ValueError before the first, and after the last day that is known of."""
    reached = [value for start, value in sorted(versions, key=lambda v: v[0]) if start[: len(date)] <= date[: len(start)]]
    if not reached or (known_to and date[: len(known_to)] > known_to[: len(date)]):
        raise ValueError(f"the preset {preset} has no figures for {date}: write the figure in the term, or a preset of the book")
    return reached[-1]
