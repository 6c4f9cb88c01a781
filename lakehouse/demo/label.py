"""The synthetic label: artists, recordings, and the ways in which reports credit them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

_LATIN = (
    ("Northern", "Wandering", "Crystal", "Yesterday's", "Burning", "Hollow", "Midnight", "Velvet", "Distant", "Sleeping",
    "Golden", "Broken"),
    ("Lighthouse", "Cartographer", "Telephone", "Mountains", "Orchestra", "Greenhouse", "Afternoon", "Satellites", "Foundation",
    "Riverside", "Almanac", "Umbrella"),
)  # fmt: skip
_SCRIPTS = {
    "山田ハルカ": ("夢の", "春の", "雨の", "遠い", "青い", "夜の", "静かな", "最後の", "月の", "冬の", "夏の", "秋の"),
    "فرقة النور": ("ليل", "بحر", "مطر", "قمر", "طريق", "باب", "نهر", "شمس", "حلم", "صوت", "ريح", "ورد"),
    "Вера Лес": (
        "Ночной",
        "Белый",
        "Тихий",
        "Дальний",
        "Зимний",
        "Синий",
        "Старый",
        "Новый",
        "Первый",
        "Летний",
        "Лунный",
        "Поздний",
    ),
    "김하늘": ("푸른", "하얀", "긴", "먼", "작은", "늦은", "조용한", "첫", "마지막", "겨울", "여름", "가을"),
}
_NOUNS = {
    "山田ハルカ": ("かけら", "列車", "手紙", "ガラス", "灯台", "砂時計", "約束", "海岸", "地図", "図書館", "電話", "庭"),
    "فرقة النور": ("بعيد", "قديم", "هادئ", "جديد", "طويل", "أبيض", "أخير", "صغير", "عميق", "غريب", "جميل", "أزرق"),
    "Вера Лес": ("поезд", "берег", "город", "голос", "сад", "маяк", "вокзал", "ветер", "остров", "дождь", "мост", "вечер"),
    "김하늘": ("노래", "바다", "편지", "골목", "기차", "우산", "밤", "계절", "창문", "거리", "별", "약속"),
}
_ARTISTS = (
    ("Luna Vale", "North Pier"),
    ("The Paper Lanterns", "North Pier"),
    ("Élodie Marchand", "North Pier"),
    ("山田ハルカ", "North Pier"),
    ("Kiri Stone", "North Pier"),
    ("Ana Müller", "North Pier"),
    ("فرقة النور", "North Pier"),
    ("Вера Лес", "North Pier"),
    ("김하늘", "North Pier"),
    ("Rūta Vėlė", "Glasshouse"),
    ("Tomás Oro", "Glasshouse"),
    ("Orla Finn", "Guest Series"),
)
_TWINS = ("Kiri Stone", "Ana Müller")
_PER_RELEASE = 10


@dataclass(frozen=True)
class Recording:
    """One recording on its release. `twin` marks a title that its artist has used twice."""

    number: int
    isrc: str
    title: str
    artist: str
    album: str
    label: str
    upc: str
    track: int
    twin: bool = False

    @property
    def uri(self) -> str:
        return f"spotify:track:{self.number:022d}"


@dataclass(frozen=True)
class Credit:
    """How a report names a recording, and what a careful person would decide on it."""

    outcome: str
    isrc: str
    upc: str
    title: str
    artist: str
    album: str
    label: str
    ref: str
    uri: str
    recording: Recording | None = None


def recordings(tracks: int) -> tuple[Recording, ...]:
    """`tracks` recordings (at most 140) for each artist; two artists have one title on two releases."""
    found: list[Recording] = []
    for place, (artist, label) in enumerate(_ARTISTS):
        titles = _titles(artist, tracks, place)
        if artist in _TWINS:
            titles = [*titles, "Prelude", "Prelude"]
        for nth, title in enumerate(titles):
            # Each of the twins opens a release of its own.
            release = nth // _PER_RELEASE if title != "Prelude" else 90 + nth - tracks
            number = len(found) + 1
            upc = _with_check_digit(f"8{place:03d}{release:03d}00000"[:12])
            album = f"{artist} {release + 1}"
            found.append(
                Recording(
                    number, f"QZNP126{number:05d}", title, artist, album, label, upc, nth % _PER_RELEASE + 1, title == "Prelude"
                )
            )
    return tuple(found)


def compilations(all_recordings: tuple[Recording, ...]) -> tuple[Recording, ...]:
    """The first recording of each release once more, on a compilation: one recording, two releases."""
    upc = _with_check_digit("890000000000")
    firsts = [recording for recording in all_recordings if recording.track == 1 and not recording.twin]
    return tuple(replace(r, album="North Pier Best Of", upc=upc, track=nth) for nth, r in enumerate(firsts, start=1))


def credits_of(recording: Recording) -> dict[str, Credit]:
    """Every way in which the recording is credited, by kind; not every recording has every kind."""
    clean = Credit(
        "matched", recording.isrc, recording.upc, recording.title, recording.artist, recording.album, recording.label,
        f"NP{recording.number:05d}", recording.uri, recording,
    )  # fmt: skip
    kinds = {"clean": clean, "drift": replace(clean, outcome="drift_flagged", title="Zzyzx Qoph")}
    if recording.twin:
        # Neither code, release nor id: either of the two it may be.
        kinds["nameless"] = replace(clean, outcome="ambiguous", isrc="", upc="", album="", ref="", uri="", recording=None)
        return kinds
    kinds["nameless"] = replace(clean, isrc="")
    if (misspelt := _misspelt(recording.title)) is not None:
        kinds["misspelt"] = replace(clean, isrc="", ref="", uri="", title=misspelt)
    return kinds


def stranger(number: int) -> Credit:
    """A recording that is not the label's: nobody should find an owner for it."""
    return Credit(
        "unclaimed", f"USZZQ25{number:05d}", "", f"Vumpik {'ioeu'[number % 4]}yazgol {number}", "Quorl Bexwyth", "", "",
        f"X{number:05d}", f"spotify:track:x{number:021d}",
    )  # fmt: skip


def _titles(artist: str, tracks: int, place: int) -> list[str]:
    if artist in _SCRIPTS:
        glue = "" if artist == "山田ハルカ" else " "
        pairs = list(product(_SCRIPTS[artist], _NOUNS[artist]))
    else:
        glue, pairs = " ", list(product(*_LATIN))
    # Along the diagonals, so that the first titles of an artist share no word.
    by_diagonal = [pairs[row * 12 + (row + shift + place) % 12] for shift in range(12) for row in range(12)]
    titles = [glue.join(pair) for pair in by_diagonal[: tracks - 1]]
    return [*titles, f"{titles[0]} (Live)"]


def _misspelt(title: str) -> str | None:
    """The title with two letters swapped inside its last long Latin word."""
    word = title.split(" ")[-1]
    if len(word) < 8 or not word.isascii() or word[4] == word[5]:
        return None
    return title[: -len(word)] + word[:4] + word[5] + word[4] + word[6:]


def _with_check_digit(digits: str) -> str:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-total % 10)
