"""Block keys and sketches: the same for a record wherever it stands in a batch, and shared by records that a slip or a swap tells apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.blocks import block_keys, sketches

TEXTS = st.sampled_from(["", "halo", "night ferry", "夢のかけら", "a", "the long way home", "ferry night", "x y z"])


def keys(title: str, artist: str, asked: bool = False) -> set[int]:
    return set(block_keys([title], [artist], asked)[1].tolist())


def marked(title: str, artist: str) -> set[int]:
    low, high = (int(marks[0]) & (2**64 - 1) for marks in sketches([title], [artist]))
    return {bit for bit in range(128) if (low | high << 64) >> bit & 1}


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8), st.booleans())
def test_a_record_has_the_same_keys_and_sketch_in_any_batch(records: list[tuple[str, str]], asked: bool) -> None:
    titles, artists = [one for one, _ in records], [two for _, two in records]
    ends, found = block_keys(titles, artists, asked)
    lists = [found[begin:end].tolist() for begin, end in itertools.pairwise(ends)]
    assert lists == [block_keys([title], [artist], asked)[1].tolist() for title, artist in records]
    assert all(len(set(one)) == len(one) for one in lists)
    assert [marks.tolist() for marks in sketches(titles, artists)] == [
        [int(sketches([title], [artist])[side][0]) for title, artist in records] for side in (0, 1)
    ]


@pytest.mark.parametrize(
    ("title", "artist", "asked_title", "asked_artist"),
    [
        ("night ferry", "mara okafor", "mara okafor", "night ferry"),  # swapped
        ("night ferry", "mara okafor", "nihgt ferry", "mara okafro"),  # a slip in each
        ("halo", "mara okafor", "hlo", "mara okafor"),  # a slip in the only word
        ("night ferry", "mara okafor", "mara okafor night ferry", ""),  # merged
        ("night ferry", "mara okafor", "night ferry", ""),  # no artist
        ("夢のかけら", "山田ハルカ", "夢のかけ", "山田ハルカ"),
    ],
)
def test_what_a_slip_or_a_swap_tells_apart_shares_keys(title: str, artist: str, asked_title: str, asked_artist: str) -> None:
    assert keys(title, artist) & keys(asked_title, asked_artist, asked=True)


def test_a_record_without_a_title_has_no_keys_and_a_short_text_is_a_piece_of_its_own() -> None:
    assert keys("", "mara okafor") == set()
    assert len(marked("", "")) == 0
    # Each piece of letters leaves one mark in either half: "ab" is one piece, "abcd" two.
    assert len(marked("ab", "")) == 2
    assert len(marked("abcd", "")) == 4


def test_the_numbers_are_those_of_every_machine() -> None:
    """They are kept in lakes: another way to make them is another BLOCKS_VERSION."""
    found = sorted(keys("halo", "mara"))
    low, high = sketches(["halo"], ["mara"])
    assert (found[0], found[-1], int(low[0]), int(high[0])) == (
        -6744705903508558725,
        8973338919275619880,
        1196680967880704,
        72057697117145088,
    )
