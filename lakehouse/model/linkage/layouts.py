"""How a source writes its columns, found from its own rows, and records read by it.

One source puts "Artist - Title" into its title, another "Title (Album)"; lengths come as 3:45, 3m 45sec, 225, 3.75 or
225000. A habit counts as a layout when most rows of the source show it, so that a single odd title is left alone.
"""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from lakehouse.model.linkage.titles import TitleReader
from lakehouse.model.normalize import normalize

TEXTS = ("title", "artist", "album", "label")
NUMBERS = ("duration", "year", "track_number")
CODES = ("isrc", "upc")
COLUMNS = ("id", "source", *TEXTS, *CODES, *NUMBERS)

# A source shows a habit when this share of its rows does; a column is unused when this share of its cells says nothing.
_MOST, _UNUSED = 0.6, 0.8
# From how many owners on a text is common, and how many letters tell owners apart.
_SEVERAL, _BEGINNING = 3, 4
# Rows from which a source's habits are read.
SAMPLE = 2_000
_NOTHING = frozenset({"", "null", "none", "nan", "n/a", "unk", "unk.", "unknown", "[unknown]", "(unknown)", "?", "-", "--", '""'})
_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")
_NUMBER_FIRST = re.compile(r"^\s*(\d{1,3})\s*[-._)]\s*")
_YEAR_LAST = re.compile(r"\s*[(\[]\s*(\d{4}|unknown|unk\.|null)\s*[)\]]\s*$", re.IGNORECASE)
_BRACKET_LAST = re.compile(r"^(.*\S)\s*[(\[](.*)[)\]]\s*$", re.DOTALL)
# Everything in one column: "Title by Artist (Album) 3:45".
_MERGED = re.compile(
    r"^(?P<title>.*\S)\s+by\s+(?P<artist>\S.*?)(?:\s+[(\[](?P<album>.+)[)\]])?(?:\s+(?P<duration>\d{1,3}:\d{2}))?$", re.I
)
_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,3}):(\d{2})(?:\.\d+)?$")
_SPOKEN = re.compile(r"^(?:PT)?(?:(\d+)\s*h\w*)?\s*(?:(\d+)\s*m[a-z]*)?\s*(?:(\d+)\s*s[a-z]*)?$", re.IGNORECASE)
_PLAIN = re.compile(r"^\d+(?:\.\d+)?$")
_YEAR = re.compile(r"(?:19|20)\d{2}")
_SHORT_YEAR = re.compile(r"^'?(\d{2})$")
# Two digits from here on are of the last century.
_CENTURY = 30
_SECONDS = {"minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}


@dataclass(frozen=True)
class Layout:
    """The habits of one source."""

    merged: bool = False
    artist_in_title: bool = False
    album_in_title: bool = False
    number_in_title: bool = False
    album_bracketed: bool = False
    year_in_album: bool = False
    duration: str = "seconds"


@dataclass(frozen=True, slots=True)
class Reading:
    """One record as it is compared: normal forms of its texts ("" where it says nothing), plain codes and numbers. The title is without featured
    artists, noise and version words; those words are `versions`, and such words in the artist, who may be a title that was swapped, `named_versions`."""

    title: str = ""
    artist: str = ""
    album: str = ""
    label: str = ""
    isrc: str = ""
    upc: str = ""
    duration: float | None = None
    year: int | None = None
    track_number: str = ""
    versions: frozenset[str] = frozenset()
    named_versions: frozenset[str] = frozenset()


def said(value: str | None) -> str:
    """The cell without blanks around it; "" for the words by which systems say nothing."""
    text = (value or "").strip()
    return "" if text.casefold() in _NOTHING else text


def find_layout(rows: Iterable[Mapping[str, str | None]]) -> Layout:
    """The layout that most of a source's rows show."""
    seen = [{name: said(row.get(name)) for name in COLUMNS} for row in rows]
    titled = [row for row in seen if row["title"]]

    def unused(name: str) -> bool:
        return bool(seen) and sum(not row[name] for row in seen) >= _UNUSED * len(seen)

    def most(hits: Sequence[bool]) -> bool:
        return bool(hits) and sum(hits) >= _MOST * len(hits)

    merged = unused("artist") and most([bool(_MERGED.match(row["title"])) for row in titled])
    dashed = not merged and most([bool(_DASH.search(row["title"])) for row in titled])
    return Layout(
        merged=merged,
        artist_in_title=dashed and unused("artist"),
        album_in_title=dashed and unused("album") and not unused("artist"),
        number_in_title=most([bool(_NUMBER_FIRST.match(row["title"])) for row in titled]),
        album_bracketed=most([_bracketed(row["title"], row["album"]) is not None for row in titled if row["album"]]),
        year_in_album=unused("year") and most([bool(_YEAR_LAST.search(row["album"])) for row in seen if row["album"]]),
        duration=_unit([row["duration"] for row in seen]),
    )


def read(row: Mapping[str, str | None], layout: Layout, titles: TitleReader) -> Reading:
    """One record, by the layout of its source."""
    cell = _taken_apart({name: said(row.get(name)) for name in COLUMNS}, layout)
    title, artist, album, year, number = cell["title"], cell["artist"], cell["album"], cell["year"], cell["track_number"]
    if layout.year_in_album and (found := _YEAR_LAST.search(album)):
        album, year = said(album[: found.start()]), year or found.group(1)
    if layout.number_in_title and (found := _NUMBER_FIRST.match(title)):
        title, number = said(title[found.end() :]), number or found.group(1)
    if (layout.album_bracketed and (bare := _without_bracket(title)) is not None) or (
        album and (bare := _bracketed(title, album)) is not None
    ):
        title = bare
    if (layout.artist_in_title and not artist) or (layout.album_in_title and not album):
        first, *rest = _DASH.split(title, maxsplit=1)
        if rest and layout.artist_in_title:
            artist, title = first, rest[0]
        elif rest:
            title, album = first, rest[0]
    known, name = titles.title(title), titles.name(artist)
    return Reading(
        title=known.core if title else "",
        versions=known.versions,
        artist=name,
        named_versions=titles.versions(name),
        **{name: normalize(text) for name, text in (("album", album), ("label", cell["label"]))},
        isrc=re.sub(r"[^A-Z0-9]", "", cell["isrc"].upper()),
        upc=re.sub(r"\D", "", cell["upc"]).lstrip("0"),
        duration=seconds(cell["duration"], layout.duration),
        year=_year(year),
        track_number=_number(number),
    )  # fmt: skip


def _taken_apart(cell: dict[str, str], layout: Layout) -> dict[str, str]:
    """The cells, those of a merged title in their columns: by the habit of the source, or where one row has it to the last part."""
    found = None if cell["artist"] or " by " not in cell["title"].lower() else _MERGED.match(cell["title"])
    if found is None or not (layout.merged or (found["album"] and found["duration"] and not (cell["album"] or cell["duration"]))):
        return cell
    return {**cell, **{name: text for name, text in found.groupdict().items() if text and (name == "title" or not cell[name])}}


def common_texts(readings: Sequence[Reading]) -> dict[str, frozenset[str]]:
    """By field, the texts that several have: titles of several artists, and artists, albums and labels of several titles.

    Who has them is told apart by the beginning of the name: slips must not make one artist several.
    """
    found = {}
    for name in TEXTS:
        owners: dict[str, set[str]] = defaultdict(set)
        for reading in readings:
            text, owner = getattr(reading, name), reading.artist if name == "title" else reading.title
            if text and owner:
                owners[text].add(owner.replace(" ", "")[:_BEGINNING])
        found[name] = frozenset(text for text, those in owners.items() if len(those) >= _SEVERAL)
    return found


def seconds(text: str, unit: str = "seconds") -> float | None:
    """A length in seconds; None where the text is none, or nought. A bare number is in `unit`."""
    length: float | None = None
    if found := _CLOCK.match(text):
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        length = float(hours * 3600 + minutes * 60 + rest)
    elif _PLAIN.match(text):
        length = float(text) * _SECONDS[unit]
    elif text and (found := _SPOKEN.match(text)):
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        length = float(hours * 3600 + minutes * 60 + rest)
    return length or None


def _unit(texts: Iterable[str]) -> str:
    """The unit of a column of bare numbers: no recording of music lasts for hours on the median, or for ten seconds."""
    numbers = [float(text) for text in texts if _PLAIN.match(text) and float(text) > 0]
    if not numbers:
        return "seconds"
    middle = statistics.median(numbers)
    return "milliseconds" if middle > 10_000 else "minutes" if middle < 20 else "seconds"


def _bracketed(title: str, album: str) -> str | None:
    """The title without a last bracket that repeats the album; None where there is none."""
    if not title.endswith((")", "]")):
        return None
    for at in (at for at, char in enumerate(title) if char in "(["):
        if fuzz.ratio(title[at + 1 : -1].casefold(), album.casefold()) >= 80:
            return title[:at].strip()
    return None


def _without_bracket(title: str) -> str | None:
    """The title without its last bracket, whatever is nested in it; None where it does not end in one."""
    if not title.endswith((")", "]")):
        return None
    depth = 0
    for at in range(len(title) - 1, -1, -1):
        depth += (title[at] in ")]") - (title[at] in "([")
        if depth == 0:
            return title[:at].strip()
    return None


def _year(text: str) -> int | None:
    if found := _YEAR.search(text):
        return int(found.group())
    if found := _SHORT_YEAR.match(text):
        short = int(found.group(1))
        return short + (1900 if short >= _CENTURY else 2000)
    return None


def _number(text: str) -> str:
    digits = re.sub(r"\s", "", text)
    return str(int(digits)) if digits.isdecimal() else normalize(text)
