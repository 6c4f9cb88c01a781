"""Releases, recordings, contributors, parties and deals out of a DDEX ERN message, 3.8 or 4.x.

Read as a stream, with entities and network off. Elements are found by their local name, as the versions differ in namespace and nesting
but hardly in names: see DDEX ERN 3.8.2 and 4.3, PartyList, ResourceList, ReleaseList and DealList. What is deficient is kept and flagged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import Misuse
from lakehouse.sources.ern_checks import Flag, Rights, check_recording, check_release, check_role, check_shares
from lakehouse.sources.ern_xml import NUMBER, elements, first, local, stripped, texts, xpath

if TYPE_CHECKING:
    from lxml.etree import _Element

Cells = dict[str, str | None]

_MESSAGES = ("NewReleaseMessage", "PurgeReleaseMessage")
_RESOURCES = ("SoundRecording", "Video", "MIDI")
# What a release may have besides music: known, and not kept.
_OTHER_RESOURCES = ("Image", "Text", "SheetMusic", "Software", "UserDefinedResource")


@dataclass(frozen=True)
class Party:
    """A person or company. `ids` are written with their kind: `ISNI:0000000121707484`."""

    name: str
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contributor:
    """Who did what: `kind` is artist, contributor, work or rights; `share` is the percentage a rights controller is said to control."""

    kind: str
    party: Party
    role: str
    share: str | None = None


@dataclass(frozen=True)
class Recording:
    """A sound recording, video or MIDI file of the message; `deficiencies` are the rules that it breaks, in their order."""

    line: int
    cells: Cells
    contributors: tuple[Contributor, ...]
    deficiencies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """A product: an album, single or bundle. `resources` are references, in the order of its tracks."""

    line: int
    reference: str
    cells: Cells
    details: Cells
    resources: tuple[str, ...]


@dataclass(frozen=True)
class Deal:
    """The terms under which releases may be used, from a day on in some territories."""

    releases: tuple[str, ...]
    territories: tuple[str, ...]
    excluded: tuple[str, ...]
    commercial_models: tuple[str, ...]
    use_types: tuple[str, ...]
    start: str | None
    end: str | None
    price: str | None
    price_currency: str | None
    take_down: bool


@dataclass
class ErnMessage:
    """What a message says, and what is deficient in it. `release_ids` gives the id of every release by its reference."""

    parties: dict[str, Party] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    release_ids: dict[str, str] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)

    def on_releases(self) -> Iterator[tuple[Recording, Cells]]:
        """Each recording with its columns on each release; on no release where the message lists it on none."""
        placed = set()
        for release in self.releases:
            for number, reference in enumerate(release.resources, start=1):
                if found := self.recordings.get(reference):
                    placed.add(reference)
                    artist = found.cells["artist"] or release.cells["artist"]
                    yield found, {**release.cells, **found.cells, "artist": artist, "track_number": str(number)}
        for reference, found in self.recordings.items():
            if reference not in placed:
                yield found, found.cells


def read_ern(file: Path) -> ErnMessage:
    """Everything in the message. Raises Misuse where the file is not well-formed XML or is another kind of message."""
    from lxml import etree

    reader = _Reader()
    try:
        events = etree.iterparse(
            str(file), events=("end",), tag=[f"{{*}}{name}" for name in reader.handlers],
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        )  # fmt: skip
        numbers: Counter[str] = Counter()
        for _, element in events:
            numbers[element.tag] += 1
            element.set(NUMBER, str(numbers[element.tag]))
            reader.handlers[local(element)](element)
            element.clear()
        root = local(events.root)
    except etree.XMLSyntaxError as error:
        raise Misuse(f"{file}:{error.lineno or 0}: not well-formed XML: {error.msg}") from None
    if root not in _MESSAGES:
        raise Misuse(f"{file}: the message is a {root}, not a DDEX ERN NewReleaseMessage.")
    return reader.finish(root)


class _Reader:
    """Takes the elements of one message as they end."""

    def __init__(self) -> None:
        self.message = ErnMessage()
        self.handlers: dict[str, Callable[[_Element], None]] = {
            "Party": self._party, "Release": self._release, "TrackRelease": self._track_release, "ReleaseDeal": self._deals,
            "PurgedRelease": self._purged, **dict.fromkeys(_RESOURCES, self._resource),
            **dict.fromkeys(_OTHER_RESOURCES, self._other_resource),
        }  # fmt: skip
        self._places: dict[str, tuple[int, str]] = {}
        self._other: set[str] = set()

    def finish(self, root: str) -> ErnMessage:
        """The message, held against itself: references that lead nowhere, releases that no deal covers."""
        message = self.message
        dealt = {reference for deal in message.deals for reference in deal.releases}
        for release in message.releases:
            line, place = self._places[release.reference]
            for reference in release.resources:
                if reference not in message.recordings and reference not in self._other:
                    message.flags.append(
                        Flag(line, place, "reference", f"the release names resource {reference}, which is not listed")
                    )
            if root == "NewReleaseMessage" and release.reference not in dealt:
                message.flags.append(
                    Flag(line, place, "missing_deal", "no deal covers the release: nothing says where it may be used")
                )
        return message

    def _party(self, element: _Element) -> None:
        self.message.parties[first(element, "PartyReference") or ""] = _party_of(element)

    def _resource(self, element: _Element) -> None:
        reference = first(element, "ResourceReference") or f"line {element.sourceline}"
        before = len(self.message.flags)
        contributors = tuple(self._contributors(element))
        cells: Cells = {
            "isrc": first(element, *(f"{kind}/ISRC" for kind in _identifiers(element)), "ResourceId/ISRC"),
            "title": _title(element),
            "artist": _artist(element, self.message.parties),
            "duration": first(element, "Duration"),
            "year": first(element, "..PLine/Year"),
            "iswc": first(element, "WorkId/ISWC", f"Indirect{local(element)}Id/ISWC"),
        }
        self.message.flags += check_recording(element, cells)
        deficient = tuple(sorted({flag.rule for flag in self.message.flags[before:]}))
        self.message.recordings[reference] = Recording(element.sourceline or 0, cells, contributors, deficient)

    def _other_resource(self, element: _Element) -> None:
        self._other.update(texts(element, "ResourceReference"))

    def _contributors(self, element: _Element) -> Iterator[Contributor]:
        """Everyone named on a resource, each role once: territories repeat them."""
        found: dict[Contributor, None] = {}
        rights: list[Rights] = []
        for kind, names, references, roles in _NAMED:
            for one in elements(element, *(f"..{name}" for name in names)):
                party = self._party_named(one, references)
                role_elements = list(elements(one, *roles))
                for role in role_elements or [None]:
                    text = "" if role is None else role.get("UserDefinedValue") or stripped(role) or ""
                    share = first(one, "RightSharePercentage") if kind == "rights" else None
                    if kind == "rights":
                        rights.append(Rights(one, share))
                    elif role is not None and not role.get("UserDefinedValue"):
                        self.message.flags += check_role(role, text)
                    found.setdefault(Contributor(kind, party, text or "Unknown", share))
        self.message.flags += check_shares(rights)
        yield from found

    def _party_named(self, element: _Element, references: tuple[str, ...]) -> Party:
        reference = first(element, *references)
        if reference is None:
            return _party_of(element)
        if reference not in self.message.parties:
            self.message.flags.append(
                Flag(element.sourceline or 0, xpath(element), "reference", f"party {reference} is not in the message's PartyList")
            )
        return self.message.parties.get(reference, Party(reference))

    def _release(self, element: _Element) -> None:
        reference = first(element, "ReleaseReference") or f"line {element.sourceline}"
        self.message.release_ids[reference] = _release_id(element, reference)
        # ERN 3.8 also writes a release for each track; it is the track again, not a product.
        if first(element, "ReleaseType") == "TrackRelease":
            return
        label = first(element, "ReleaseLabelReference")
        named = self.message.parties.get(label) if label else None
        cells: Cells = {
            "upc": first(element, "ReleaseId/ICPN"),
            "album": _title(element),
            "artist": _artist(element, self.message.parties),
            "label": named.name if named else first(element, "..LabelName"),
            "release_type": first(element, "ReleaseType"),
        }
        grouped = texts(element, "..ResourceGroupContentItem/ReleaseResourceReference")
        listed = texts(element, "ReleaseResourceReferenceList/ReleaseResourceReference")
        details = _details(element)
        release = Release(element.sourceline or 0, reference, cells, details, tuple(grouped or listed))
        self.message.releases.append(release)
        self._places[reference] = (release.line, xpath(element))
        self.message.flags += check_release(element, {**cells, **details})

    def _track_release(self, element: _Element) -> None:
        reference = first(element, "ReleaseReference") or f"line {element.sourceline}"
        self.message.release_ids[reference] = _release_id(element, reference)

    def _deals(self, element: _Element) -> None:
        releases = tuple(texts(element, "DealReleaseReference"))
        for terms in elements(element, "Deal/DealTerms"):
            price = next(elements(terms, "PriceInformation/WholesalePricePerUnit", "PriceInformation/PriceCode"), None)
            self.message.deals.append(
                Deal(
                    releases,
                    tuple(texts(terms, "TerritoryCode")),
                    tuple(texts(terms, "ExcludedTerritoryCode")),
                    tuple(texts(terms, "CommercialModelType")),
                    tuple(texts(terms, "UseType", "Usage/UseType")),
                    first(terms, "ValidityPeriod/StartDate", "ValidityPeriod/StartDateTime"),
                    first(terms, "ValidityPeriod/EndDate", "ValidityPeriod/EndDateTime"),
                    None if price is None else stripped(price),
                    None if price is None else price.get("CurrencyCode"),
                    first(terms, "TakeDown") == "true",
                )
            )

    def _purged(self, element: _Element) -> None:
        identity = _release_id(element, "?")
        message = f"its sender withdraws release {identity}: what the catalog has of it stays until it is loaded anew"
        self.message.flags.append(Flag(element.sourceline or 0, xpath(element), "purged", message))


# Kind, elements, references to the party, elements of the role.
_NAMED = (
    ("artist", ("DisplayArtist",), ("ArtistPartyReference",), ("DisplayArtistRole", "ArtistRole")),
    ("contributor", ("Contributor", "ResourceContributor"), ("ContributorPartyReference",), ("Role", "ResourceContributorRole")),
    ("work", ("IndirectResourceContributor",), (), ("IndirectResourceContributorRole",)),
    (
        "rights", ("ResourceRightsController", "RightsController", "WorkRightsController"), ("RightsControllerPartyReference",),
        ("RightsControlType", "RightsControllerRole", "RightsControllerType"),
    ),
)  # fmt: skip


def _identifiers(element: _Element) -> tuple[str, ...]:
    name = local(element)
    return (f"{name}Edition/ResourceId", f"{name}Id", f"{name.capitalize()}Id")


def _release_id(element: _Element, reference: str) -> str:
    return first(element, "ReleaseId/ICPN", "ReleaseId/GRid", "ReleaseId/ISRC", "ReleaseId/ProprietaryId") or reference


def _details(element: _Element) -> Cells:
    """What a release is besides the columns of the catalog."""
    return {
        "grid": first(element, "ReleaseId/GRid"),
        "catalog_number": first(element, "ReleaseId/CatalogNumber"),
        "release_date": first(element, "ReleaseDate", "..ReleaseDate", "GlobalReleaseDate"),
        "original_release_date": first(element, "OriginalReleaseDate", "GlobalOriginalReleaseDate", "..OriginalReleaseDate"),
        "genre": first(element, "..Genre/GenreText"),
        "sub_genre": first(element, "..Genre/SubGenre"),
        "p_year": first(element, "..PLine/Year"),
        "p_line": first(element, "..PLine/PLineText"),
        "c_year": first(element, "..CLine/Year"),
        "c_line": first(element, "..CLine/CLineText"),
    }


def _party_of(element: _Element) -> Party:
    ids = [f"{local(child)}:{text}" for found in elements(element, "PartyId") for child in found if (text := stripped(child))]
    plain = [f"DPID:{text}" if text.startswith("PADPIDA") else text for text in texts(element, "PartyId")]
    name = first(element, "PartyName/FullName", "PartyName/FullNameAsciiTranscribed", "PartyName/KeyName")
    return Party(name or "", tuple(dict.fromkeys([*ids, *plain])))


def _title(element: _Element) -> str | None:
    return first(element, "DisplayTitleText", "DisplayTitle/TitleText", "ReferenceTitle/TitleText", "Title/TitleText")


def _artist(element: _Element, parties: dict[str, Party]) -> str | None:
    paths = ("DisplayArtistName", "DisplayArtist/PartyName/FullName", "..DisplayArtistName", "..DisplayArtist/PartyName/FullName")
    if name := first(element, *paths):
        return name
    reference = first(element, "DisplayArtist/ArtistPartyReference")
    named = parties.get(reference) if reference else None
    return named.name or None if named else None
