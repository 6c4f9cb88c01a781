"""Where usage keys enter the tiers: what a report lacks, and what a DDEX message gets wrong, each with its tier.

What a report lacks leaves the tiers before its own nothing to try: they are passed by. What the message of a recording gets wrong keeps
the tiers before its own from paying it, however sure the match is: a tier that may pay has to find it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, Literal, NamedTuple

from lakehouse.errors import Findings

EntryTier = Literal[1, 2, 3]


class Deficiency(Enum):
    """What can be wrong in structure. The first two are of a report, the others of the recording in its DDEX ERN message."""

    NO_IDENTIFIER = "no_identifier"
    NO_NAME = "no_name"
    MISSING_ISRC = "missing_isrc"
    MISSING_DURATION = "missing_duration"
    MISSING_P_LINE = "missing_p_line"
    REFERENCE = "reference"
    ROLE = "role"
    SHARE = "share"
    SHARE_SUM = "share_sum"


OF_A_REPORT = (Deficiency.NO_IDENTIFIER, Deficiency.NO_NAME)
_BY_NAMES = 2
# The level of what was found, and is barred from every tier that found it.
BARRED: Final = 3


class Stand(NamedTuple):
    """The tier that a key enters at, and the one that decides it; None where no tier of the matcher does."""

    entry: int
    level: int | None


class Entry:
    """The tiers of the deficiencies. Without any, every key enters at the first."""

    def __init__(self, tiers: Mapping[Deficiency, EntryTier]) -> None:
        self._tiers = tiers

    @property
    def asked(self) -> tuple[str, ...]:
        """What routing has to be told of a recording's message: all that does not enter at the first tier."""
        return tuple(one.value for one, tier in self._tiers.items() if tier > 1 and one not in OF_A_REPORT)

    def stand(self, level: int | None, lacks: Deficiency | None, wrong: Iterable[str], named: bool) -> Stand:
        """Where a key stands that the matcher decided at `level`, whose report lacks `lacks` and whose recording's message is `wrong`.

        `named`: whether its title agrees with the recording's, so that it is found by names too. What is wrong never lets a tier decide
        that is before its own. Raises Findings for a deficiency that nobody has heard of.
        """
        if not self._tiers:
            return Stand(1, level)
        first = self._tiers[lacks] if lacks else 1
        barred = max(map(self._tier, wrong), default=1)
        if level is not None and level < barred:
            level = barred if barred == _BY_NAMES and named else BARRED
        entry = max(first, barred)
        return Stand(entry if level is None else min(entry, level), level)

    def _tier(self, code: str) -> int:
        try:
            return self._tiers[Deficiency(code)]
        except ValueError:
            raise Findings(
                f"Routing knows no deficiency {code!r}: it has no tier to enter at. A newer version wrote it; use that one."
            ) from None
