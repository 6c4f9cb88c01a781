"""Block keys: what two records must share to be compared. Rare keys find, frequent keys are left out by whoever joins them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import combinations, product

from lakehouse.model.linkage.layouts import Reading

_TOKEN, _PIECE = 3, 5
# A record's longest words: longer ones are rarer, and pairs of words grow with the square of their number.
_WORDS = 12


def block_keys(record: Reading) -> set[int]:
    """Signed 64-bit hashes of the record's block keys.

    Pairs of word beginnings and pairs of word ends, over all its texts together: a word counts wherever it stands, because
    fields come swapped and merged. A word with a number, and two numbers, for records with little text. Whole beginnings and
    ends of each text, for scripts that write no blanks. Title with artist, and codes, as they are.
    """
    return {_hash(key) for key in _keys(record)}


def _keys(record: Reading) -> Iterator[str]:
    words = sorted(
        {word for text in (record.title, record.artist, record.album) for word in text.split()}, key=lambda w: (-len(w), w)
    )
    beginnings = sorted({word[:_TOKEN] for word in words[:_WORDS]})
    ends = sorted({word[-_TOKEN:] for word in words[:_WORDS]})
    numbers = list(_numbers(record))
    yield from (f"b{one}|{two}" for one, two in combinations(beginnings, 2))
    yield from (f"e{one}|{two}" for one, two in combinations(ends, 2))
    yield from (f"n{word}|{number}" for word, number in product(beginnings, numbers))
    yield from (f"m{one}|{two}" for one, two in combinations(numbers, 2) if one[0] != two[0])
    if record.year and record.track_number:
        yield from (f"a{length}|{record.track_number}|{record.year}" for length in numbers if length[0] == "d")
    for text in (record.title, record.artist, record.album):
        if whole := text.replace(" ", ""):
            yield f"<{whole[:_PIECE]}"
            yield f">{whole[-_PIECE:]}"
    if record.title and record.artist:
        yield f"={record.title}|{record.artist}"
    if record.isrc:
        yield f"i{record.isrc}"
    if record.upc:
        yield f"u{record.upc}|{record.track_number}"


def _numbers(record: Reading) -> Iterator[str]:
    if record.duration:
        # Two neighbouring seconds, so that lengths a second apart share one.
        yield from (f"d{int(record.duration) + step}" for step in (0, 1))
    if record.year:
        yield f"y{record.year}"
    if record.track_number:
        yield f"t{record.track_number}"


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)
