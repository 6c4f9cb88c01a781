"""What the clauses know of a group of usage lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """The dimensions of a group of usage lines on which a clause may depend, and its measures.

    `units` and `gross` are those of the whole group, `ppd` and `retail` prices of one unit, all in the currency of the group.
    """

    recording: str
    territory: str
    channel: str
    configuration: str
    price_category: str | None
    source: str
    usage_period: str
    release: str | None = None
    release_type: str | None = None
    catalog_group: str | None = None
    cost_type: str | None = None
    sale_date: str | None = None
    report_period: str | None = None
    currency: str | None = None
    units: Decimal = Decimal(1)
    gross: Decimal | None = None
    ppd: Decimal | None = None
    retail: Decimal | None = None

    def reversed(self) -> Usage:
        """The same usage taken back: its measures mirrored, its prices unchanged."""
        return replace(self, units=-self.units, gross=None if self.gross is None else -self.gross)
