"""Block keys and sketches of many records at once: which records are worth comparing, without looking at pairs.

Texts are laid end to end as code points, and numpy works on all of them together: a record costs some microseconds. The numbers are the
same on every machine and for every cut of the records into batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

# Names what block keys and sketches are made by: a change of either is another version, and indexes are made anew.
BLOCKS_VERSION: Final = "b2"

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

# Letters of a word, of a whole text, and of a piece that a sketch marks; how many words of each text count.
_WORD, _PIECE, _GRAM = 3, 5, 3
_TITLE_WORDS, _ARTIST_WORDS = 10, 6
_BLANK, _END = 32, 10
# One number for what is hashed, so that the same letters in another role are another key.
_CUT, _FRAME, _BEGINNING, _ENDING, _INSIDE, _WHOLE, _PIECES, _ALONE = range(1, 9)


@dataclass(frozen=True)
class Ragged:
    """Values of records, in the order of the records: `of` says whose each value is."""

    of: Places
    values: Hashes

    def __xor__(self, salt: int) -> Ragged:
        return Ragged(self.of, _mixed(self.values ^ np.uint64(salt)))


@dataclass(frozen=True)
class Text:
    """One text of each of many records: its words cut to hashes, and the pieces of it all without blanks."""

    full: npt.NDArray[np.bool_]
    begins: Ragged
    ends: Ragged
    frames: Ragged
    beginning: Ragged
    ending: Ragged
    inside: Ragged
    whole: Ragged
    grams: Ragged

    @property
    def cuts(self) -> Ragged:
        return _together(self.begins, self.ends)

    @property
    def pieces(self) -> Ragged:
        return _together(self.beginning ^ _BEGINNING, self.ending ^ _ENDING, self.inside ^ _INSIDE)


def read_texts(texts: Sequence[str], words: int) -> Text:
    """Takes normal forms. `words`: how many of each text's words are cut."""
    codes = np.frombuffer("\n".join(text.replace("\n", " ") for text in [*texts, ""]).encode("utf-32-le"), dtype=np.uint32)
    whole = codes[codes != _BLANK]
    stops = np.flatnonzero(whole == _END)
    starts = np.concatenate([[0], stops[:-1] + 1]) if len(stops) else stops
    full = stops > starts
    of, first, last = np.flatnonzero(full), starts[full], stops[full] - 1
    word_of, begin, end = _words(codes, words)

    def cut(start: Places, stop: Places, salt: int) -> Ragged:
        return Ragged(word_of, _hashed(codes, start, stop, _WORD, salt))

    def piece(start: Places, stop: Places) -> Ragged:
        return Ragged(of, _hashed(whole, start, stop, _PIECE, _PIECES))

    frames = _mixed(_mixed(codes[begin].astype(np.uint64)) + codes[end].astype(np.uint64) ^ np.uint64(_FRAME))
    return Text(
        full=full,
        begins=cut(begin, end, _CUT),
        ends=cut(np.maximum(begin, end - _WORD + 1), end, _CUT),
        frames=Ragged(word_of, frames),
        beginning=piece(first, last),
        ending=piece(np.maximum(first, last - _PIECE + 1), last),
        inside=piece(np.minimum(first + 1, last), last),
        whole=Ragged(of, _sums(whole, first, last)),
        grams=_grams(whole, of, first, last),
    )


def block_keys(titles: Sequence[str], artists: Sequence[str], asked: bool = False) -> tuple[Places, npt.NDArray[np.int64]]:
    """Where the block keys of each record end (and the first begins), and all of them: distinct and in order in each record.

    Two words, one of the title and one of the artist, each by its first or its last letters, in no order: fields come swapped. A word of the
    title also by its first and last letter, which a slip inside leaves. Beginnings, ends and insides of both blank-free texts
    together, for scripts that write no blanks. Neighbours in the title, its beginning, its end and all of it, for records without an artist.

    What is `asked` without an artist has each two words of its title too, and its beginning with its end, for an artist may stand in there.
    """
    title, artist = read_texts(titles, _TITLE_WORDS), read_texts(artists, _ARTIST_WORDS)
    alone = [part ^ (_ALONE + salt) for part, salt in ((title.beginning, 1), (title.ending, 2))]
    found = [
        _crossed(_together(title.cuts, title.frames), artist.cuts), _crossed(title.pieces, artist.pieces),
        *alone, title.whole ^ _WHOLE, _neighbours(title.begins), _neighbours(title.ends),
    ]  # fmt: skip
    if asked:
        lonely = ~artist.full
        cuts, ends = (
            _only(title.cuts, lonely),
            [_only(part, lonely) for part in (title.beginning ^ _BEGINNING, title.ending ^ _ENDING)],
        )
        found += [_crossed(cuts, cuts), _crossed(*ends)]
    # A title that says nothing finds nothing.
    return _lists(_only(_together(*found), title.full), len(titles))


def sketches(titles: Sequence[str], artists: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which pieces of three letters each record has, wherever they stand, marked in two sets of 64 bits: a Bloom filter."""
    grams = _together(*[read_texts(texts, 0).grams for texts in (titles, artists)])
    return _marks(grams, len(titles), 0), _marks(grams, len(titles), 8)


def _words(codes: npt.NDArray[np.uint32], most: int) -> tuple[Places, Places, Places]:
    """Whose each word is, and where it begins and ends: the first `most` of each text."""
    ends_text = codes == _END
    letter = ~ends_text & (codes != _BLANK)
    beside = np.concatenate([[False], letter, [False]])
    begin, end = np.flatnonzero(letter & ~beside[:-2]), np.flatnonzero(letter & ~beside[2:])
    of = np.cumsum(ends_text)[begin]
    nth = np.arange(len(of)) - np.searchsorted(of, of)
    kept = nth < most
    return of[kept], begin[kept], end[kept]


def _hashed(codes: npt.NDArray[np.uint32], start: Places, stop: Places, letters: int, salt: int) -> Hashes:
    """The first letters from `start`, none after `stop`."""
    found = np.full(len(start), salt, dtype=np.uint64)
    for nth in range(letters):
        at = start + nth
        inside = at <= stop
        found = _mixed(found ^ np.where(inside, codes[np.where(inside, at, start)], 0).astype(np.uint64))
    return found


def _sums(codes: npt.NDArray[np.uint32], first: Places, last: Places) -> Hashes:
    """One hash of all letters of each text, each with its place."""
    whose, at = _places(first, last - first + 1)
    letters = _mixed(codes[at].astype(np.uint64) + ((at - first[whose]).astype(np.uint64) << np.uint64(32)))
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(letters, dtype=np.uint64)])
    ends = np.cumsum(last - first + 1)
    return total[ends] - total[ends - (last - first + 1)]


def _places(first: Places, many: Places) -> tuple[Places, Places]:
    """So many places from the first of each: whose each is, and where."""
    whose = np.repeat(np.arange(len(many)), many)
    return whose, np.repeat(first - (np.cumsum(many) - many), many) + np.arange(len(whose))


def _grams(codes: npt.NDArray[np.uint32], of: Places, first: Places, last: Places) -> Ragged:
    """Each piece of three letters of each text; a shorter text is one piece."""
    many = np.maximum(last - first + 2 - _GRAM, 1)
    whose, start = _places(first, many)
    return Ragged(of[whose], _hashed(codes, start, last[whose], _GRAM, _PIECES))


def _marks(grams: Ragged, records: int, shift: int) -> npt.NDArray[np.int64]:
    marked = np.zeros(records, dtype=np.uint64)
    if len(grams.of):
        bits = np.uint64(1) << (grams.values >> np.uint64(shift) & np.uint64(63))
        begins = np.flatnonzero(np.diff(grams.of, prepend=-1))
        marked[grams.of[begins]] = np.bitwise_or.reduceat(bits, begins)
    return marked.view(np.int64)


def _together(*parts: Ragged) -> Ragged:
    of = np.concatenate([part.of for part in parts])
    order = np.argsort(of, kind="stable")
    return Ragged(of[order], np.concatenate([part.values for part in parts])[order])


def _only(part: Ragged, records: npt.NDArray[np.bool_]) -> Ragged:
    kept = records[part.of]
    return Ragged(part.of[kept], part.values[kept])


def _crossed(some: Ragged, others: Ragged) -> Ragged:
    """Each value of `some` with each of `others` in the same record, in no order."""
    begin, end = np.searchsorted(others.of, some.of, "left"), np.searchsorted(others.of, some.of, "right")
    which, other = _places(begin, end - begin)
    return Ragged(some.of[which], _mixed(some.values[which] ^ others.values[other]))


def _neighbours(cuts: Ragged) -> Ragged:
    """Each word with the next."""
    same = cuts.of[1:] == cuts.of[:-1]
    return Ragged(cuts.of[1:][same], _mixed(cuts.values[1:][same] ^ cuts.values[:-1][same]))


def _lists(part: Ragged, records: int) -> tuple[Places, npt.NDArray[np.int64]]:
    order = np.lexsort((part.values, part.of))
    of, values = part.of[order], part.values[order]
    new = np.ones(len(of), dtype=bool)
    new[1:] = (of[1:] != of[:-1]) | (values[1:] != values[:-1])
    of, values = of[new], values[new]
    return np.searchsorted(of, np.arange(records + 1)), values.view(np.int64)


def _mixed(values: Hashes) -> Hashes:
    """Every bit of a number spread over all 64: the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
