"""How two records agree, field by field: ordered, named levels. Level 0 agrees best; NULL where either side says nothing.

Texts are compared by rapidfuzz on their normal forms, a batch of pairs at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein, Levenshtein
from rapidfuzz.process import cpdist

from lakehouse.model.linkage.layouts import Reading
from lakehouse.model.linkage.titles import words_and_counts

NULL: Final = -1
_T = TypeVar("_T")
Levels = npt.NDArray[np.int8]
Texts = Sequence[str]
_NOTHING: Final[Mapping[str, AbstractSet[str]]] = MappingProxyType({})
# Records by field, in the names of a Reading.
Columns = Mapping[str, Sequence[Any]]

# Similarities from which a text is at each level after `exact`.
_ALIKE: Final = {"close": 93, "near": 86, "similar": 78, "loose": 70, "weak": 60, "faint": 50, "trace": 40}
_WORDS_ALIKE: Final = {"exact": 92, "close": 84, "near": 76, "loose": 68, "weak": 60, "faint": 50}
# How alike what only one side says must be to be a slip of what the other says.
_SLIP: Final = 60
# How alike the words in common must be for one text to be in the other; letters in common count less than words.
_CONTAINED, _LETTERS = 90, 0.9
_ASCII: Final = 128
_SECONDS_APART: Final = {"exact": 0.5, "1 s": 1.5, "2 s": 2.5, "4 s": 4.5, "10 s": 10.5, "30 s": 30.5}
_YEARS_APART: Final = {"exact": 0, "1 year": 1, "3 years": 3, "10 years": 10}
ELSE: Final = "else"


@dataclass(frozen=True)
class Comparison:
    """One field of the evidence and its levels, best first. `falls` where a worse level can never speak more for a match, but for the levels
    `aside`, which are worse than the first alone; `learned` where its shares are estimated again on the data."""

    name: str
    levels: tuple[str, ...]
    falls: bool = True
    learned: bool = True
    aside: tuple[int, ...] = ()


# `common`: the same, and several have it: "Intro", or an artist of many titles. `part`: one text is in the other. What either is worth is a matter
# of the tables: `part` much where fields are merged, little where titles are one word.
_TEXT = ("exact", "common", "part", *_ALIKE, ELSE)
COMMON, _PART, _CLOSE, _NEAR, _WEAK = (_TEXT.index(level) for level in ("common", "part", "close", "near", "weak"))
COMPARISONS: Final = (
    *(Comparison(name, _TEXT, aside=(COMMON, _PART)) for name in ("title", "artist", "album", "label")),
    Comparison("isrc", ("exact", "one letter", ELSE)),
    Comparison("upc", ("exact", "one letter", ELSE)),
    Comparison("duration", (*_SECONDS_APART, ELSE)),
    Comparison("year", (*_YEARS_APART, ELSE)),
    Comparison("track_number", ("exact", "one letter", ELSE)),
    # What else agrees of two versions of one song agrees because it is one song: no data can tell the worth of this without labels.
    Comparison("version", ("same", "same length", "one side", "other"), learned=False),
    Comparison("counts", ("same", "one side", "other")),
    Comparison("words", (*_WORDS_ALIKE, ELSE)),
    Comparison("source", ("same", "other"), falls=False),
)
# The texts whose words `words` compares together.
OF_WORDS: Final = ("title", "artist", "album")
_OF_SONGS: Final = ("title", "artist", "versions", "named_versions")
PLACE: Final = {comparison.name: place for place, comparison in enumerate(COMPARISONS)}
SAME_LENGTH, ONE_SIDE = (COMPARISONS[PLACE["version"]].levels.index(level) for level in ("same length", "one side"))


def compare(
    left: Sequence[Reading],
    right: Sequence[Reading],
    common: Mapping[str, AbstractSet[str]] = _NOTHING,
    tags: AbstractSet[str] = frozenset(),
) -> Levels:
    """The levels of each pair: shape (pairs, comparisons), in the order of COMPARISONS. `common` are the texts of a field that several have,
    `tags` the words that say nothing of a recording.
    Whether both are of one source is for the caller to say, in the last column."""
    names = [field.name for field in fields(Reading)]
    ours, theirs = ({name: [getattr(one, name) for one in side] for name in names} for side in (left, right))
    return compare_columns(ours, theirs, common=common, tags=tags)


def compare_columns(
    ours: Columns, theirs: Columns, whole_titles: bool = False, common: Mapping[str, AbstractSet[str]] = _NOTHING,
    tags: AbstractSet[str] = frozenset(),
) -> Levels:  # fmt: skip
    """The same of records that are laid out by field. A field that is not there says nothing. With `whole_titles` a title is not alike because
    it is part of the other, and what version words and counts say is for the caller to say too."""
    found = np.full((len(ours["title"]), len(COMPARISONS)), NULL, dtype=np.int8)
    told = {name for name in ours if any(ours[name]) and any(theirs[name])}
    for name in {"title", "artist", "album", "label"} & told:
        found[:, PLACE[name]] = _texts(
            ours[name], theirs[name], common.get(name, frozenset()), whole=whole_titles and name == "title"
        )
    for name in {"isrc", "upc", "track_number"} & told:
        found[:, PLACE[name]] = _codes(ours[name], theirs[name])
    for name, steps in (("duration", _SECONDS_APART), ("year", _YEARS_APART)):
        if name in ours:
            found[:, PLACE[name]] = _distances(ours[name], theirs[name], steps)
    if not whole_titles:
        found[:, PLACE["version"]] = _versions(ours, theirs, found)
        found[:, PLACE["counts"]] = _counts(ours["title"], theirs["title"])
    found[:, PLACE["words"]] = _words(ours, theirs, found[:, [PLACE[name] for name in OF_WORDS]], tags)
    return found


def told(pattern: Sequence[int]) -> dict[str, str]:
    """{field: name of its level} of one pair, for the fields that both sides fill."""
    return {c.name: c.levels[level] for c, level in zip(COMPARISONS, pattern, strict=True) if level != NULL}


def _texts(ours: Texts, theirs: Texts, common: AbstractSet[str] = frozenset(), whole: bool = False) -> Levels:
    levels = np.full(len(ours), NULL, dtype=np.int8)
    equal = np.fromiter((one == other for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
    both = _both(ours, theirs)
    levels[both & equal] = 0
    if common:
        levels[both & equal & np.fromiter((one in common for one in ours), bool, len(ours))] = COMMON
    # Scores are asked for only where they can say anything.
    if (unequal := np.flatnonzero(both & ~equal)).size:
        one, other = _chosen(unequal, ours, theirs)
        alike = np.maximum(_scores(fuzz.ratio, one, other), _scores(fuzz.token_sort_ratio, one, other))
        found = _CLOSE + _steps(alike, tuple(_ALIKE.values()))
        if not whole:
            in_common = _scores(fuzz.token_set_ratio, one, other)
            found[(alike < _ALIKE["close"]) & (in_common >= _CONTAINED) & (in_common > alike)] = _PART
        levels[unequal] = found
    return levels


def _words(left: Columns, right: Columns, texts: Levels, tags: AbstractSet[str]) -> Levels:
    """All words of both records, wherever they stand: only where the fields by themselves leave doubt."""
    levels = np.full(len(texts), NULL, dtype=np.int8)
    settled = (((texts >= 0) & (texts <= _NEAR)).sum(axis=1) >= 2) & ~(texts >= _WEAK).any(axis=1)
    if (doubtful := np.flatnonzero(~settled)).size:
        ours, theirs = (_chosen(doubtful, *map(side.__getitem__, OF_WORDS)) for side in (left, right))
        alike, enough = _alike_in_words(_all_words(ours), _all_words(theirs), tags)
        # A side may not know the album, or another edition of it: where albums are not apart, titles and names are compared without them.
        if (near := np.flatnonzero(texts[doubtful, OF_WORDS.index("album")] <= _NEAR)).size:
            named, named_enough = _alike_in_words(
                _all_words(_chosen(near, *ours[:-1])), _all_words(_chosen(near, *theirs[:-1])), tags
            )
            alike[near] = np.where(named_enough, np.maximum(alike[near], named), alike[near])
        apart = _others_of_the_song(*(_chosen(doubtful, *map(side.__getitem__, _OF_SONGS)) for side in (left, right)))
        enough &= ~np.fromiter(apart, bool, len(enough))
        levels[doubtful] = np.where(enough, _steps(alike, tuple(_WORDS_ALIKE.values())), NULL)
    return levels


def _others_of_the_song(ours: Sequence[Sequence[Any]], theirs: Sequence[Sequence[Any]]) -> Iterator[bool]:
    """Whether titles and names together have other version words, or where both have both, count otherwise: a title that was swapped has all other
    words in common with other versions and parts of it."""
    for one, other in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
        if one[2] | one[3] != other[2] | other[3]:
            yield True
        else:
            whole = all(one[:2]) and all(other[:2])
            yield whole and words_and_counts(" ".join(one[:2]))[1] != words_and_counts(" ".join(other[:2]))[1]


def _alike_in_words(ours: Texts, theirs: Texts, tags: AbstractSet[str]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """How alike texts are whose words may stand in any order, and whether there is enough of them to say so."""
    letters = [[text.replace(" ", "") for text in side] for side in (ours, theirs)]
    alike = np.maximum(_scores(fuzz.token_sort_ratio, ours, theirs), _LETTERS * _letters_in_common(*letters))
    enough = np.fromiter((min(len(one), len(other)) >= 4 for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
    for place in np.flatnonzero(alike >= _WORDS_ALIKE["near"]).tolist():
        if _stand_apart(ours[place], theirs[place], tags):
            alike[place] = _WORDS_ALIKE["weak"]
    return alike, enough


def _stand_apart(one: str, other: str, tags: AbstractSet[str]) -> bool:
    """Whether either has words that the other has nothing like: two songs of one album share all but those. `tags` are no such words, nor is
    one that was cut off."""
    mine, yours = set(one.split()), set(other.split())
    own = [_but_cut_off(mine - yours - tags, yours), _but_cut_off(yours - mine - tags, mine)]
    return all(own) and fuzz.ratio(*own) < _SLIP


def _but_cut_off(words: AbstractSet[str], others: AbstractSet[str]) -> str:
    return "".join(sorted(word for word in words if not any(other.startswith(word) for other in others)))


def _all_words(texts: Sequence[Texts]) -> list[str]:
    return [" ".join(filter(None, said)) for said in zip(*texts, strict=True)]


def _letters_in_common(ours: Texts, theirs: Texts) -> npt.NDArray[np.float32]:
    """How many letters of both are the same, in any order, in hundredths: the ratio of both with their letters sorted."""
    plain = np.fromiter((one.isascii() and other.isascii() for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
    alike = np.zeros(len(ours), dtype=np.float32)
    if (easy := np.flatnonzero(plain)).size:
        counted = [_counted(side) for side in _chosen(easy, ours, theirs)]
        both = counted[0].sum(axis=1) + counted[1].sum(axis=1)
        alike[easy] = 200 * np.minimum(*counted).sum(axis=1) / np.maximum(both, 1)
    if (others := np.flatnonzero(~plain)).size:
        alike[others] = _scores(fuzz.ratio, *[["".join(sorted(text)) for text in side] for side in _chosen(others, ours, theirs)])
    return alike


def _counted(texts: Texts) -> npt.NDArray[np.int64]:
    """How often each ASCII character is in each text."""
    codes = np.frombuffer("".join(texts).encode(), dtype=np.uint8)
    of = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    return np.bincount(of * _ASCII + codes, minlength=len(texts) * _ASCII).reshape(len(texts), _ASCII)


def _chosen(places: npt.NDArray[np.int64], *sides: Sequence[_T]) -> list[list[_T]]:
    """The same places of each side."""
    return [[side[place] for place in places.tolist()] for side in sides]


def _codes(ours: Texts, theirs: Texts) -> Levels:
    edits = _scores(Levenshtein.distance, ours, theirs)
    # In a code of one letter an edit is everything.
    longer = np.fromiter((len(one) > 1 and len(other) > 1 for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
    levels = np.where(edits == 0, 0, np.where((edits == 1) & longer, 1, 2))
    return np.where(_both(ours, theirs), levels, NULL).astype(np.int8)


def _distances(ours: Sequence[float | None], theirs: Sequence[float | None], steps: Mapping[str, float]) -> Levels:
    apart = np.abs(np.array(ours, dtype=float) - np.array(theirs, dtype=float))
    levels = np.searchsorted(np.array(tuple(steps.values())), apart, side="left")
    return np.where(np.isnan(apart), NULL, levels).astype(np.int8)


def _versions(ours: Columns, theirs: Columns, found: Levels) -> Levels:
    """How the version words agree. Where a side has no title, neither says anything of its version; where the lengths agree to a second, or the
    ISRCs, a word may have been left out."""
    levels = version_levels(ours["versions"], theirs["versions"])
    levels[~_both(ours["title"], theirs["title"])] = NULL
    for place in np.flatnonzero(levels > 0).tolist():
        mine, yours = ours["versions"][place], theirs["versions"][place]
        if _slipped(mine - yours, theirs["title"][place]) and _slipped(yours - mine, ours["title"][place]):
            levels[place] = 0
    length, isrc = found[:, PLACE["duration"]], found[:, PLACE["isrc"]]
    one_length = ((length == 0) | (length == 1)) & (isrc <= 0) | (isrc == 0)
    return np.where((levels > 0) & one_length, SAME_LENGTH, levels).astype(np.int8)


def _slipped(versions: AbstractSet[str], title: str) -> bool:
    """Whether all these version words stand in a title with a slip, as "lvie" does for "live"."""
    words = title.split()
    return all(
        any(DamerauLevenshtein.distance(word, known, score_cutoff=1) <= 1 for word in words)
        for version in versions for known in version.split()
    )  # fmt: skip


def version_levels(ours: Sequence[AbstractSet[str]], theirs: Sequence[AbstractSet[str]]) -> Levels:
    """How the version words of each pair agree: shape (pairs,). NULL where neither side has any."""

    return np.fromiter((_agree(one, other, ONE_SIDE) for one, other in zip(ours, theirs, strict=True)), np.int8, len(ours))


def _agree(mine: AbstractSet[str], yours: AbstractSet[str], one_side: int) -> int:
    """The level of two sets: the same, only one side has any (`one_side`), or, behind that, others. NULL where neither has any."""
    if not (mine or yours):
        return NULL
    return 0 if mine == yours else one_side if not (mine and yours) else one_side + 1


def _counts(ours: Texts, theirs: Texts) -> Levels:
    """Whether titles that are not the same count alike: "symphony 5" and "symphony 6" do not. NULL where neither counts."""

    def level(one: str, other: str) -> int:
        if one == other or not (one and other):
            return NULL
        return _agree(words_and_counts(one)[1], words_and_counts(other)[1], one_side=1)

    return np.fromiter((level(one, other) for one, other in zip(ours, theirs, strict=True)), np.int8, len(ours))


def _scores(scorer: Callable[..., float], ours: Texts, theirs: Texts) -> npt.NDArray[np.float32]:
    return cpdist(ours, theirs, scorer=scorer, dtype=np.float32)


def _steps(alike: npt.NDArray[np.float32], floors: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The place of each similarity among falling floors: 0 for one at or above the first."""
    return np.searchsorted(-np.array(floors, dtype=np.float32), -alike, side="left")


def _both(ours: Texts, theirs: Texts) -> npt.NDArray[np.bool_]:
    return np.fromiter((bool(one and other) for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
