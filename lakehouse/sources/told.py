"""What whoever has a report says of it besides the file itself: on the command line, or in a document beside the file.

`sales.csv` may have `sales.csv.told.yaml` beside it:

    period: 2026-05            # the statement month, where the report names none or another
    given: {currency: EUR}     # what no report of the format says
    control: {revenue: "25556.07", rows: 3351}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lakehouse.model.period import PERIOD
from lakehouse.sources.controls import GIVEN, GIVEN_CONTROL
from lakehouse.sources.dialect import Grammar
from lakehouse.sources.grammar import plain_number
from lakehouse.sources.limits import Refused

SIDECAR = ".told.yaml"
_KEYS = ("period", "given", "control")


@dataclass(frozen=True)
class Told:
    """`given` are values of the whole file by name, `control` the figures its rows are held against, as they are written."""

    period: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    control: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.period is not None and not re.fullmatch(PERIOD, self.period):
            raise Refused(f"its period {self.period!r} is no month written YYYY-MM")
        for name, figure in self.control.items():
            if not GIVEN_CONTROL.fullmatch(name):
                raise Refused(f"there is no control {name!r}: give revenue, revenue.EUR, units or rows")
            if plain_number(figure, Grammar()) is None:
                raise Refused(f"the control {name}={figure!r} is no plain number")

    @property
    def captured(self) -> dict[str, str]:
        """The controls as values captured from the file, see `controls.GIVEN`."""
        return {GIVEN + name: figure for name, figure in self.control.items()}

    def over(self, other: Told) -> Told:
        """Both, where they differ this one."""
        return Told(self.period or other.period, {**other.given, **self.given}, {**other.control, **self.control})


def pairs(options: list[str]) -> dict[str, str]:
    """`name=value` options as a mapping. Raises Refused."""
    for option in options:
        if not re.fullmatch(r"[^=]+=.+", option):
            raise Refused(f"{option!r} is not written name=value")
    return {name.strip(): value.strip() for name, _, value in (option.partition("=") for option in options)}


def told_beside(path: Path) -> Told:
    """What the document beside a file says of it; nothing where there is none. Raises Refused naming the document."""
    sidecar = path.with_name(path.name + SIDECAR)
    if not sidecar.is_file():
        return Told()
    try:
        # Every scalar stays the text it is written as: 25556.10 must not become a float.
        content = yaml.load(sidecar.read_bytes(), Loader=yaml.BaseLoader) or {}
        unknown = sorted(set(content) - set(_KEYS))
        if unknown:
            raise Refused(f"{unknown[0]!r} is not one of {', '.join(_KEYS)}")
        return Told(content.get("period"), _mapping(content, "given"), _mapping(content, "control"))
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise Refused(f"{sidecar.name}: not YAML: {error}") from None
    except Refused as refusal:
        raise Refused(f"{sidecar.name}: {refusal}") from None


def _mapping(content: Mapping[str, object], key: str) -> dict[str, str]:
    found = content.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Refused(f"{key} is not a mapping of names to values")
    return found
