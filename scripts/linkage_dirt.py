"""Other dirt for linking, from the songs of a table whose truth is known: each song as two services tell it, with versions that must not be confused.

stores   tags, editions and guests in brackets, lengths as a clock that may be a second off
merged   one service writes everything into its title: "Title by Artist (Album) 3:45"
mixed    every second row of either is merged, swapped, cut, mistyped or lacks something
names    title and artist alone, mistyped
usage    a catalog with albums and lengths, and the title and artist of usage lines: upper case, cut, swapped, one in the other
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

Song = dict[str, str]
KINDS: Final = ("stores", "merged", "mixed", "names", "usage")
COLUMNS: Final = ("id", "source", "title", "artist", "album", "duration", "year", "track_number", "cluster")
_SONGS, _OF_ALBUM, _IN_BOTH, _VERSIONS = 2_500, 6, 0.6, 0.15
_OTHER: Final = ("(Live)", "(Acoustic)", "(Remix)", "(Instrumental)", "[Radio Edit]", "- Live at Wembley", "(Demo)")
_TAGS: Final = ("", "", "", " [Explicit]", " [Clean]", " (Album Version)")
_EDITIONS: Final = ("", "", " (Deluxe Version)", " (Expanded Edition)", " - EP", " [Explicit]")
_GUESTS: Final = ("Sia", "Timbaland", "Emeli Sande", "Rick Ross", "Kid Ink")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def write_dirty(table: Path, folder: Path) -> list[Path]:
    """A table of each kind, made of the songs of `table`."""
    songs = _songs(table)
    return [_write(folder / f"{kind}.csv", kind, songs) for kind in KINDS]


def _songs(table: Path) -> list[Song]:
    """One record of each cluster that says the most, on albums of several songs, and other versions of some."""
    clusters: dict[str, list[Song]] = defaultdict(list)
    with table.open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            clusters[row["cluster"]].append(row)
    best = [max(rows, key=lambda row: (sum(map(bool, row.values())), row["title"])) for _, rows in sorted(clusters.items())]
    rng = random.Random(1)
    told = rng.sample([row for row in best if row["title"] and row["artist"]], _SONGS)
    songs = []
    for start in range(0, len(told), _OF_ALBUM):
        first = told[start]
        for number, song in enumerate(told[start : start + _OF_ALBUM], 1):
            whose = {
                "artist": first["artist"],
                "album": first["album"] or "Hits",
                "year": first["year"],
                "track_number": str(number),
            }
            songs.append({**song, **whose})
    others = [
        {**song, "title": f"{song['title']} {rng.choice(_OTHER)}", "duration": _seconds(song, rng, 25)}
        for song in songs
        if rng.random() < _VERSIONS
    ]
    return songs + others


def _write(file: Path, kind: str, songs: list[Song]) -> Path:
    rng = random.Random(kind)
    rows = list(_told(kind, songs, rng))
    rng.shuffle(rows)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return file


def _told(kind: str, songs: list[Song], rng: random.Random) -> Iterator[Song]:
    left, right = _TELLERS[kind]
    for number, song in enumerate(songs):
        where = rng.random()
        for side, tell, told in (
            ("a", left, where < (1 + _IN_BOTH) / 2),
            ("b", right, where < _IN_BOTH or where >= (1 + _IN_BOTH) / 2),
        ):
            if told:
                yield {**tell(song, rng), "id": f"{side}{number}", "source": side, "cluster": str(number)}


def _seconds(song: Song, rng: random.Random, apart: int = 1) -> str:
    return str(max(1, int(float(song["duration"])) + rng.randint(-apart, apart))) if song["duration"] else ""


def _typo(text: str, rng: random.Random) -> str:
    at = rng.randrange(max(1, len(text) - 1))
    return text[:at] + rng.choice((rng.choice(_LETTERS), "", text[at : at + 1] + rng.choice(_LETTERS))) + text[at + 1 :]


def _store(song: Song, rng: random.Random) -> Song:
    title, artist, length = song["title"] + rng.choice(_TAGS), song["artist"], _seconds(song, rng)
    guest = _GUESTS[len(song["title"]) % len(_GUESTS)]
    title, artist = rng.choice(
        [(title, artist)] * 3 + [(f"{title} (feat. {guest})", artist), (title, f"{artist} featuring {guest}")]
    )
    clock = f"{int(length) // 60}:{int(length) % 60:02}" if length else ""
    return {
        "title": title,
        "artist": artist,
        "album": song["album"] + rng.choice(_EDITIONS),
        "duration": clock,
        "year": song["year"],
    }


def _merged(song: Song, rng: random.Random) -> Song:
    told = _store(song, rng)
    return {"title": f"{told['title']} by {told['artist']} ({told['album']}) {told['duration']}".strip()}


def _mixed(song: Song, rng: random.Random) -> Song:
    told = _store(song, rng)
    title, artist, album = told["title"], told["artist"], told["album"]
    return rng.choice([
        *[told] * 8, _merged(song, rng), {**told, "title": f"{artist} - {title}", "artist": ""}, {**told, "title": artist, "artist": title},
        {**told, "artist": ""}, {**told, "title": f"{title} ({album})", "album": ""}, {**told, "title": _typo(_typo(title, rng), rng)},
        {**told, "title": f"{title}, {artist}, {album}", "artist": "", "album": ""}, {**told, "album": "", "duration": ""},
    ])  # fmt: skip


def _names(song: Song, rng: random.Random) -> Song:
    title, artist = song["title"], song["artist"]
    return {"title": rng.choice((title, _typo(title, rng))), "artist": rng.choice((artist, artist, _typo(artist, rng)))}


def _usage(song: Song, rng: random.Random) -> Song:
    title, artist = song["title"], song["artist"]
    plain = {"title": title, "artist": artist}
    return rng.choice([
        *[plain] * 4, {"title": title.upper(), "artist": artist.upper()}, {"title": f"{artist} - {title}"}, {"title": artist, "artist": title},
        {"title": title[: max(6, len(title) * 2 // 3)], "artist": artist}, {"title": _typo(title, rng), "artist": artist},
        {"title": title, "artist": f"{artist} feat. {rng.choice(_GUESTS)}"},
    ])  # fmt: skip


def _plain(song: Song, rng: random.Random) -> Song:
    return dict(song)


_TELLERS: Final[dict[str, tuple[Callable[[Song, random.Random], Song], Callable[[Song, random.Random], Song]]]] = {
    "stores": (_store, _store), "merged": (_merged, _store), "mixed": (_mixed, _mixed), "names": (_names, _names), "usage": (_plain, _usage),
}  # fmt: skip
