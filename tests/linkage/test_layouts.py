"""What a source does to its columns is found from its rows, and undone."""

from __future__ import annotations

import pytest

from lakehouse.model.linkage.layouts import Layout, Reading, find_layout, read, seconds


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
    assert read(rows[4], find_layout(rows)).title == "song 4 dub"


def test_a_bracket_that_says_something_else_stays() -> None:
    rows = [row(title=f"Song {n} (live)", album="Record") for n in range(10)]
    assert read(rows[4], find_layout(rows)).title == "song 4 live"


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
