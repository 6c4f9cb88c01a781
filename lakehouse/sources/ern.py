"""Recordings and releases out of a DDEX ERN message, 3.8 or 4.x.

Read as a stream, with entities and network off. Elements are found by their local name, as the versions differ in
namespace and nesting but hardly in names: see DDEX ERN 3.8.2 and 4.3, ResourceList and ReleaseList.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import Misuse

if TYPE_CHECKING:
    from lxml.etree import _Element

Cells = dict[str, str | None]


@dataclass(frozen=True)
class _Release:
    cells: Cells
    resources: tuple[str, ...]


def read_ern(file: Path) -> Iterator[tuple[int, Cells]]:
    """Line and columns of each sound recording on each release; on no release where a message lists it on none.
    Raises Misuse where the file is not well-formed XML or is another kind of message."""
    from lxml import etree

    parties: dict[str, str] = {}
    recordings: dict[str, tuple[int, Cells]] = {}
    releases: list[_Release] = []
    try:
        events = etree.iterparse(
            str(file), events=("end",), tag=["{*}Party", "{*}SoundRecording", "{*}Release"],
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        )  # fmt: skip
        for _, element in events:
            name = etree.QName(element).localname
            if name == "Party":
                parties[_text(element, "PartyReference") or ""] = _text(element, "PartyName/FullName") or ""
            elif name == "SoundRecording":
                reference = _text(element, "ResourceReference") or f"line {element.sourceline}"
                recordings[reference] = (element.sourceline or 0, _recording(element, parties))
            elif _is_product(element):
                releases.append(_release(element, parties))
            element.clear()
        root = etree.QName(events.root).localname
    except etree.XMLSyntaxError as error:
        raise Misuse(f"{file}:{error.lineno or 0}: not well-formed XML: {error.msg}") from None
    if root not in ("NewReleaseMessage", "PurgeReleaseMessage"):
        raise Misuse(f"{file}: the message is a {root}, not a DDEX ERN NewReleaseMessage.")
    yield from _on_releases(recordings, releases)


def _on_releases(recordings: dict[str, tuple[int, Cells]], releases: list[_Release]) -> Iterator[tuple[int, Cells]]:
    placed = set()
    for release in releases:
        for number, reference in enumerate(release.resources, start=1):
            if reference in recordings:
                placed.add(reference)
                line, cells = recordings[reference]
                artist = cells["artist"] or release.cells["artist"]
                yield line, {**release.cells, **cells, "artist": artist, "track_number": str(number)}
    for reference, (line, cells) in recordings.items():
        if reference not in placed:
            yield line, cells


def _recording(element: _Element, parties: dict[str, str]) -> Cells:
    return {
        "isrc": _first(element, "SoundRecordingEdition/ResourceId/ISRC", "ResourceId/ISRC", "SoundRecordingId/ISRC"),
        "title": _title(element),
        "artist": _artist(element, parties),
        "duration": _text(element, "Duration"),
        "year": _anywhere(element, "PLine/Year"),
        "iswc": _first(element, "WorkId/ISWC", "IndirectSoundRecordingId/ISWC"),
    }


def _release(element: _Element, parties: dict[str, str]) -> _Release:
    label = _text(element, "ReleaseLabelReference")
    references = [*element.iterfind(".//{*}ResourceGroupContentItem/{*}ReleaseResourceReference")] or [
        *element.iterfind("{*}ReleaseResourceReferenceList/{*}ReleaseResourceReference")
    ]
    cells: Cells = {
        "upc": _text(element, "ReleaseId/ICPN"),
        "album": _title(element),
        "artist": _artist(element, parties),
        "label": parties.get(label) if label else _anywhere(element, "LabelName"),
        "release_type": _text(element, "ReleaseType"),
    }
    # A work of several parts names a resource in more than one group.
    return _Release(cells, tuple(dict.fromkeys(text for reference in references if (text := _stripped(reference)))))


def _is_product(element: _Element) -> bool:
    """ERN 3.8 also writes a release for each track; it is the track again, not a product."""
    return _text(element, "ReleaseType") != "TrackRelease"


def _title(element: _Element) -> str | None:
    return _first(element, "DisplayTitleText", "DisplayTitle/TitleText", "ReferenceTitle/TitleText", "Title/TitleText")


def _artist(element: _Element, parties: dict[str, str]) -> str | None:
    if name := _first(element, "DisplayArtistName", "DisplayArtist/PartyName/FullName"):
        return name
    if name := _anywhere(element, "DisplayArtistName") or _anywhere(element, "DisplayArtist/PartyName/FullName"):
        return name
    reference = _text(element, "DisplayArtist/ArtistPartyReference")
    return parties.get(reference) if reference else None


def _first(element: _Element, *paths: str) -> str | None:
    return next((found for path in paths if (found := _text(element, path))), None)


def _text(element: _Element, path: str) -> str | None:
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    return _stripped(found) if found is not None else None


def _anywhere(element: _Element, path: str) -> str | None:
    found = element.find(".//" + "/".join(f"{{*}}{step}" for step in path.split("/")))
    return _stripped(found) if found is not None else None


def _stripped(element: _Element) -> str | None:
    return " ".join((element.text or "").split()) or None
