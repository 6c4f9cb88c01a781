"""How two records agree, field by field: ordered, named levels. Level 0 agrees best; NULL where either side says nothing.

Texts are compared by rapidfuzz on their normal forms, a batch of pairs at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from lakehouse.model.linkage.layouts import Reading

NULL: Final = -1
_T = TypeVar("_T")
Levels = npt.NDArray[np.int8]
Texts = Sequence[str]
# Records by field, in the names of a Reading.
Columns = Mapping[str, Sequence[Any]]

# Similarities from which a text is at each level after `exact`.
_ALIKE: Final = {"close": 93, "near": 86, "similar": 78, "loose": 70, "weak": 60, "faint": 50, "trace": 40}
_WORDS_ALIKE: Final = {"exact": 92, "close": 84, "near": 76, "loose": 68, "weak": 60, "faint": 50}
# Words in common count a little less than texts that agree as a whole, letters in common less again.
_SUBSET, _LETTERS = 0.95, 0.9
_ASCII: Final = 128
_SECONDS_APART: Final = {"exact": 0.5, "1 s": 1.5, "2 s": 2.5, "4 s": 4.5, "10 s": 10.5, "30 s": 30.5}
_YEARS_APART: Final = {"exact": 0, "1 year": 1, "3 years": 3, "10 years": 10}
ELSE: Final = "else"


@dataclass(frozen=True)
class Comparison:
    """One field of the evidence and its levels, best first. `falls` where a worse level can never speak more for a match."""

    name: str
    levels: tuple[str, ...]
    falls: bool = True


_TEXT = ("exact", *_ALIKE, ELSE)
COMPARISONS: Final = (
    Comparison("title", _TEXT),
    Comparison("artist", _TEXT),
    Comparison("album", _TEXT),
    Comparison("label", _TEXT),
    Comparison("isrc", ("exact", "one letter", ELSE)),
    Comparison("upc", ("exact", "one letter", ELSE)),
    Comparison("duration", (*_SECONDS_APART, ELSE)),
    Comparison("year", (*_YEARS_APART, ELSE)),
    Comparison("track_number", ("exact", "one letter", ELSE)),
    Comparison("version", ("same", "one side", "other")),
    Comparison("words", (*_WORDS_ALIKE, ELSE)),
    Comparison("source", ("same", "other"), falls=False),
)
# The texts whose words `words` compares together.
OF_WORDS: Final = ("title", "artist", "album")
PLACE: Final = {comparison.name: place for place, comparison in enumerate(COMPARISONS)}


def compare(
    left: Sequence[Reading], right: Sequence[Reading], versions: Sequence[str] = (), whole_titles: bool = False
) -> Levels:
    """The levels of each pair: shape (pairs, comparisons), in the order of COMPARISONS. `versions` are words that make another
    recording of a title. With `whole_titles` a title is not alike because it is part of the other. Whether both are of one source is for the caller to say, in the last column."""
    names = [field.name for field in fields(Reading)]
    ours, theirs = ({name: [getattr(one, name) for one in side] for name in names} for side in (left, right))
    return compare_columns(ours, theirs, versions, whole_titles)


def compare_columns(ours: Columns, theirs: Columns, versions: Sequence[str] = (), whole_titles: bool = False) -> Levels:
    """The same of records that are laid out by field. A field that is not there says nothing."""
    found = np.full((len(ours["title"]), len(COMPARISONS)), NULL, dtype=np.int8)
    told = {name for name in ours if any(ours[name]) and any(theirs[name])}
    for name in {"title", "artist", "album", "label"} & told:
        found[:, PLACE[name]] = _texts(ours[name], theirs[name], whole=whole_titles and name == "title")
    for name in {"isrc", "upc", "track_number"} & told:
        found[:, PLACE[name]] = _codes(ours[name], theirs[name])
    for name, steps in (("duration", _SECONDS_APART), ("year", _YEARS_APART)):
        if name in ours:
            found[:, PLACE[name]] = _distances(ours[name], theirs[name], steps)
    if versions:
        found[:, PLACE["version"]] = _versions(ours["title"], theirs["title"], versions)
    found[:, PLACE["words"]] = _words(ours, theirs, found[:, [PLACE[name] for name in OF_WORDS]])
    return found


def told(pattern: Sequence[int]) -> dict[str, str]:
    """{field: name of its level} of one pair, for the fields that both sides fill."""
    return {c.name: c.levels[level] for c, level in zip(COMPARISONS, pattern, strict=True) if level != NULL}


def _texts(ours: Texts, theirs: Texts, whole: bool = False) -> Levels:
    levels = np.full(len(ours), NULL, dtype=np.int8)
    equal = np.fromiter((one == other for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
    both = _both(ours, theirs)
    levels[both & equal] = 0
    # Scores are asked for only where they can say anything.
    if (unequal := np.flatnonzero(both & ~equal)).size:
        one, other = _chosen(unequal, ours, theirs)
        alike = np.maximum(_scores(fuzz.ratio, one, other), _scores(fuzz.token_sort_ratio, one, other))
        if not whole:
            alike = np.maximum(alike, _SUBSET * _scores(fuzz.token_set_ratio, one, other))
        levels[unequal] = 1 + _steps(alike, tuple(_ALIKE.values()))
    return levels


def _words(left: Columns, right: Columns, texts: Levels) -> Levels:
    """All words of both records, wherever they stand: only where the fields by themselves leave doubt."""
    levels = np.full(len(texts), NULL, dtype=np.int8)
    settled = (((texts >= 0) & (texts <= 2)).sum(axis=1) >= 2) & ~(texts >= 5).any(axis=1)
    if (doubtful := np.flatnonzero(~settled)).size:
        ours, theirs = (_all_words(_chosen(doubtful, *map(side.__getitem__, OF_WORDS))) for side in (left, right))
        letters = [[text.replace(" ", "") for text in side] for side in (ours, theirs)]
        alike = np.maximum(_scores(fuzz.token_sort_ratio, ours, theirs), _LETTERS * _letters_in_common(*letters))
        enough = np.fromiter((min(len(one), len(other)) >= 4 for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
        levels[doubtful] = np.where(enough, _steps(alike, tuple(_WORDS_ALIKE.values())), NULL)
    return levels


def _all_words(texts: Sequence[Texts]) -> list[str]:
    if any(texts[-1]):
        return [" ".join(filter(None, said)) for said in zip(*texts, strict=True)]
    return [f"{one} {other}".strip() for one, other in zip(*texts[:-1], strict=True)]


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


def _versions(ours: Texts, theirs: Texts, words: Sequence[str]) -> Levels:
    known = frozenset(words)
    # Where a side has no title, neither says anything of its version.
    said = [(one.split(), other.split()) if one and other else ((), ()) for one, other in zip(ours, theirs, strict=True)]
    return version_levels([known & set(one) for one, _ in said], [known & set(other) for _, other in said])


def version_levels(ours: Sequence[AbstractSet[str]], theirs: Sequence[AbstractSet[str]]) -> Levels:
    """How the version words of each pair agree: shape (pairs,). NULL where neither side has any."""

    def level(mine: AbstractSet[str], yours: AbstractSet[str]) -> int:
        if not (mine or yours):
            return NULL
        return 0 if mine == yours else 1 if not (mine and yours) else 2

    return np.fromiter((level(one, other) for one, other in zip(ours, theirs, strict=True)), np.int8, len(ours))


def _scores(scorer: Callable[..., float], ours: Texts, theirs: Texts) -> npt.NDArray[np.float32]:
    return cpdist(ours, theirs, scorer=scorer, dtype=np.float32)


def _steps(alike: npt.NDArray[np.float32], floors: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The place of each similarity among falling floors: 0 for one at or above the first."""
    return np.searchsorted(-np.array(floors, dtype=np.float32), -alike, side="left")


def _both(ours: Texts, theirs: Texts) -> npt.NDArray[np.bool_]:
    return np.fromiter((bool(one and other) for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
