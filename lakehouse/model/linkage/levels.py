"""How two records agree, field by field: ordered, named levels. Level 0 agrees best; NULL where either side says nothing.

Texts are compared by rapidfuzz on their normal forms, a batch of pairs at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
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

# Similarities from which a text is at each level after `exact`.
_ALIKE: Final = {"close": 93, "near": 86, "similar": 78, "loose": 70, "weak": 60, "faint": 50, "trace": 40}
_WORDS_ALIKE: Final = {"exact": 92, "close": 84, "near": 76, "loose": 68, "weak": 60, "faint": 50}
# Words in common count a little less than texts that agree as a whole, letters in common less again.
_SUBSET, _LETTERS = 0.95, 0.9
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
    found = np.full((len(left), len(COMPARISONS)), NULL, dtype=np.int8)

    def column(name: str) -> tuple[list[Any], list[Any]]:
        return [getattr(one, name) for one in left], [getattr(one, name) for one in right]

    for name in ("title", "artist", "album", "label"):
        found[:, PLACE[name]] = _texts(*column(name), whole=whole_titles and name == "title")
    for name in ("isrc", "upc", "track_number"):
        found[:, PLACE[name]] = _codes(*column(name))
    found[:, PLACE["duration"]] = _distances(*column("duration"), _SECONDS_APART)
    found[:, PLACE["year"]] = _distances(*column("year"), _YEARS_APART)
    found[:, PLACE["version"]] = _versions(*column("title"), versions)
    found[:, PLACE["words"]] = _words(left, right, found[:, [PLACE[name] for name in OF_WORDS]])
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


def _words(left: Sequence[Reading], right: Sequence[Reading], texts: Levels) -> Levels:
    """All words of both records, wherever they stand: only where the fields by themselves leave doubt."""
    levels = np.full(len(left), NULL, dtype=np.int8)
    settled = (((texts >= 0) & (texts <= 2)).sum(axis=1) >= 2) & ~(texts >= 5).any(axis=1)
    if (doubtful := np.flatnonzero(~settled)).size:
        chosen = _chosen(doubtful, left, right)
        ours, theirs = ([f"{one.title} {one.artist} {one.album}".strip() for one in side] for side in chosen)
        letters = [["".join(sorted(text.replace(" ", ""))) for text in side] for side in (ours, theirs)]
        alike = np.maximum(_scores(fuzz.token_sort_ratio, ours, theirs), _LETTERS * _scores(fuzz.ratio, *letters))
        enough = np.fromiter((min(len(one), len(other)) >= 4 for one, other in zip(ours, theirs, strict=True)), bool, len(ours))
        levels[doubtful] = np.where(enough, _steps(alike, tuple(_WORDS_ALIKE.values())), NULL)
    return levels


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
