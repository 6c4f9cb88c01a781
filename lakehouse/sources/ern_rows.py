"""What DDEX ERN messages say besides the catalog's own rows, as rows of silver.releases, parties, contributors and deals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.model.identifiers import padded_upc
from lakehouse.tables import Table, silver

if TYPE_CHECKING:
    from lakehouse.sources.ern import Contributor, Deal, ErnMessage, Party, Release

Row = dict[str, Any]
Key = tuple[Any, ...]

TABLES: tuple[Table, ...] = (silver.releases, silver.parties, silver.contributors, silver.deals)
# What a message replaces whole: everything known of the same recording or release.
_REPLACED_BY = {silver.contributors.name: ("recording_id",), silver.deals.name: ("release_id",)}
_SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,18})?")


@dataclass
class ErnRows:
    """Rows by table and key. A later message's row replaces an earlier one's."""

    by_table: dict[str, dict[Key, Row]] = field(default_factory=lambda: {table.name: {} for table in TABLES})

    def add_message(self, message: ErnMessage) -> None:
        for release in message.releases:
            self._add(silver.releases, _release_row(release, message.release_ids[release.reference]))
        for party in message.parties.values():
            self._add_party(party)
        places: dict[str, int] = {}
        for deal in message.deals:
            for reference in deal.releases:
                release_id = message.release_ids.get(reference, reference)
                places[release_id] = places.get(release_id, 0) + 1
                self._add(silver.deals, _deal_row(deal, release_id, places[release_id]))

    def add_contributors(self, recording_id: str, contributors: Iterable[Contributor]) -> None:
        for one in contributors:
            share = Decimal(one.share) if one.share and _SHARE.fullmatch(one.share) else None
            row = {"kind": one.kind, "party": party_key(one.party), "role": one.role, "share": share}
            if row["party"]:
                self._add_party(one.party)
                self._add(silver.contributors, {"recording_id": recording_id, **row})

    def _add_party(self, party: Party) -> None:
        if key := party_key(party):
            self._add(silver.parties, {"party": key, "name": party.name or key, "ids": list(party.ids) or None})

    def _add(self, table: Table, row: Row) -> None:
        self.by_table[table.name][tuple(row[column] for column in table.grain)] = row

    def merged(self, table: Table, existing: Sequence[Mapping[str, Any]]) -> list[Row]:
        """The table's rows after the load, ordered by their key: what the messages speak of is theirs, all else stays."""
        loaded = self.by_table[table.name]
        names = _REPLACED_BY.get(table.name, table.grain)
        spoken_of = {tuple(row[name] for name in names) for row in loaded.values()}
        kept = (dict(row) for row in existing if tuple(row[name] for name in names) not in spoken_of)
        rows = [*kept, *({column: row.get(column) for column in table.columns} for row in loaded.values())]
        return sorted(rows, key=lambda row: tuple(row[column] for column in table.grain))


def party_key(party: Party) -> str:
    return party.ids[0] if party.ids else party.name


def _release_row(release: Release, release_id: str) -> Row:
    cells, details = release.cells, release.details
    named = {name: cells[name] for name in ("artist", "label", "release_type")}
    years = {name: _year(details[name]) for name in ("p_year", "c_year")}
    return {**details, **named, **years, "release_id": release_id, "title": cells["album"], "upc": padded_upc(cells["upc"])}


def _year(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch("[0-9]{4}", text) else None


def _deal_row(deal: Deal, release_id: str, number: int) -> Row:
    lists = {name: list(getattr(deal, name)) or None for name in ("territories", "excluded", "commercial_models", "use_types")}
    plain = {"price": deal.price, "price_currency": deal.price_currency, "take_down": deal.take_down}
    return {"release_id": release_id, "deal_no": number, **lists, "start_date": deal.start, "end_date": deal.end, **plain}
