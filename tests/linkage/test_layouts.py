"""What a source does to its columns is found from its rows, and undone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lakehouse.model.linkage.layouts import Layout, Reading, common_texts, find_layout, seconds
from lakehouse.model.linkage.layouts import read as read_with
from lakehouse.model.linkage.rules import load_linkage
from lakehouse.model.linkage.titles import TitleReader
from lakehouse.settings import conf_dir

RULES = load_linkage(conf_dir() / "linkage.yaml")
TITLES = TitleReader(RULES.versions, RULES.noise, RULES.featuring)


def read(cells: Mapping[str, str | None], layout: Layout) -> Reading:
    return read_with(cells, layout, TITLES)


def row(**cells: str) -> dict[str, str | None]:
    return dict(cells)


def test_an_artist_in_front_of_every_title_is_taken_out() -> None:
    rows = [row(title=f"Band {n} - Song {n}", artist="") for n in range(10)]
    layout = find_layout(rows)
    assert layout.artist_in_title
    assert read(rows[3], layout) == Reading(title="song 3", artist="band 3")


def test_one_title_with_a_dash_is_left_alone() -> None:
    rows = [row(title="Left - Right", artist="A"), *(row(title=f"Song {n}", artist="A") for n in range(9))]
    assert read(rows[0], find_layout(rows)).title == "left right"


def test_an_album_behind_every_title_is_taken_out() -> None:
    rows = [row(title=f"Song {n} - Record {n}", artist="Band", album="") for n in range(10)]
    found = read(rows[0], find_layout(rows))
    assert (found.title, found.artist, found.album) == ("song 0", "band", "record 0")


def test_a_bracket_that_repeats_the_album_is_no_part_of_the_title() -> None:
    rows = [row(title=f"Song {n} (dub) (Record (Part {n}))", album=f"Record (Part {n})") for n in range(10)]
    found = read(rows[4], find_layout(rows))
    assert (found.title, found.versions) == ("song 4", {"dub"})


def test_a_bracket_that_says_something_else_stays() -> None:
    rows = [row(title=f"Song {n} (live)", album="Record") for n in range(10)]
    found = read(rows[4], find_layout(rows))
    assert (found.title, found.versions) == ("song 4", {"live"})


def test_a_number_in_front_and_a_year_behind_are_read() -> None:
    rows = [row(title=f"{n:03}-Song", album=f"Record ({1990 + n})", year="null") for n in range(10)]
    found = read(rows[7], find_layout(rows))
    assert (found.title, found.track_number, found.album, found.year) == ("song", "7", "record", 1997)


@pytest.mark.parametrize(
    ("text", "unit", "length"),
    [
        ("03:45", "seconds", 225), ("1:00:05", "seconds", 3605), ("3m 45sec", "seconds", 225), ("PT3M45S", "seconds", 225),
        ("225", "seconds", 225), ("225000", "milliseconds", 225), ("3.75", "minutes", 225), ("00:00", "seconds", None),
        ("", "seconds", None), ("0", "seconds", None), ("soon", "seconds", None),
    ],
)  # fmt: skip
def test_lengths_are_seconds(text: str, unit: str, length: float | None) -> None:
    assert seconds(text, unit) == length


@pytest.mark.parametrize(
    ("lengths", "unit"), [(["225", "190"], "seconds"), (["225000", "190000"], "milliseconds"), (["3.75", "3.1"], "minutes")]
)
def test_the_unit_of_lengths_is_that_of_the_column(lengths: list[str], unit: str) -> None:
    assert find_layout([row(title="x", duration=text) for text in lengths]).duration == unit


@pytest.mark.parametrize(("text", "year"), [("2004", 2004), ("'05", 2005), ("87", 1987), ("2004-05-01", 2004), ("unk.", None)])
def test_years_are_whole(text: str, year: int | None) -> None:
    assert read(row(title="x", year=text), Layout()).year == year


def test_words_for_nothing_say_nothing() -> None:
    assert read(row(title="Song", artist="[unknown]", album="null", isrc="n/a"), Layout()) == Reading(title="song")


def test_everything_in_one_column_is_taken_apart_by_the_habit_of_its_source() -> None:
    rows = [row(title=f"Song {n} by Band {n} (Record (Part {n}))") for n in range(10)]
    found = read(rows[3], find_layout(rows))
    assert (found.title, found.artist, found.album) == ("song 3", "band 3", "record part 3")


def test_one_row_with_everything_in_its_title_is_taken_apart_and_a_title_with_the_word_is_left_alone() -> None:
    rows = [
        row(title="Stand by Me by Ben E. King (Hits (Deluxe)) 2:57"),
        row(title="Stand by Me"),
        row(title="Day by Day (Live)"),
    ]
    rows += [row(title=f"Song {n}", artist="Band") for n in range(9)]
    merged, plain, live = (read(one, find_layout(rows)) for one in rows[:3])
    assert merged == Reading(title="stand by me", artist="ben e king", album="hits deluxe", duration=177)
    assert (plain.title, plain.artist, live.title, live.artist) == ("stand by me", "", "day by day", "")


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("Song (feat. Guest) [Explicit]", "Band"), ("Song ( Feat . Guest )", "Band (feat. Guest)"), ("Song", "Band featuring Guest"),
        ("Song [Album Version]", "Band [ft. Guest]"),
    ],
)  # fmt: skip
def test_guests_and_tags_are_no_part_of_a_title_or_a_name(title: str, artist: str) -> None:
    assert read(row(title=title, artist=artist), Layout()) == Reading(title="song", artist="band")


def test_a_text_is_common_where_several_have_it_and_slips_do_not_count() -> None:
    told = [
        ("intro", "luna vale"),
        ("intro", "jonas"),
        ("intro", "mira okoye"),
        ("harbor", "luna vale"),
        ("harbor", "luna vaale"),
        ("tide", ""),
    ]
    common = common_texts([Reading(title=title, artist=artist) for title, artist in told])
    assert common["title"] == {"intro"}
    assert common["artist"] == frozenset()
    assert common_texts([Reading(title=f"{n} song", artist="luna") for n in range(3)])["artist"] == {"luna"}
