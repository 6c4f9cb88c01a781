"""How well a usage key agrees with a recording, field by field: named levels that a person can check.

Levels are ordered: exact (equal normal forms), close, near, else; null where either side says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pyspark.sql import Column
from pyspark.sql import functions as F
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from lakehouse.model.matching import MatchingRules
from lakehouse.model.normalize import normalize

if TYPE_CHECKING:
    import pandas as pd

FIELDS: Final = ("isrc", "upc", "title", "artist", "album")
EVIDENCE_TYPE: Final = "array<struct<field:string,level:string,usage:string,catalog:string>>"
COMPARISON: Final = {
    "score": "double",
    "title_alike": "double",
    "artist_alike": "double",
    "same_album": "boolean",
    "unknown_version": "boolean",
    "other_isrc": "boolean",
    "evidence": EVIDENCE_TYPE,
}
# An ISRC this many edits away is a typing slip, not another recording.
_ISRC_SLIP: Final = 2
# What a fuzzy match keeps of its score when the version words differ: never enough to be paid.
_OTHER_VERSION: Final = 0.6

Record = tuple[str | None, ...]
Evidence = tuple[str, str, str | None, str | None]


@dataclass(frozen=True)
class Title:
    """A title taken apart: what it is called, and which version of it this is."""

    core: str
    versions: frozenset[str]


class Comparer:
    """Compares under one set of rules. Titles and names recur, so what was read of them is kept."""

    def __init__(self, rules: MatchingRules) -> None:
        self.rules = rules
        words = "|".join(re.escape(word) for word in rules.featuring)
        self._featuring = re.compile(rf"(?i)(?:^|(?<=\s))(?:{words})\.?\s")
        self._noise = frozenset(rules.noise)
        # Longest first: "radio edit" is one version, not two.
        self._versions = sorted(rules.version_words, key=lambda word: (-len(word), word))
        self.title = lru_cache(maxsize=65536)(self._read_title)
        self.name = lru_cache(maxsize=65536)(self._read_name)

    def compare(self, usage: Record, recording: Record) -> tuple[object, ...]:
        """One comparison, in the fields of COMPARISON. Both records are in the order of FIELDS."""
        ours, theirs = dict(zip(FIELDS, usage, strict=True)), dict(zip(FIELDS, recording, strict=True))
        title, known = self.title(ours["title"] or ""), self.title(theirs["title"] or "")
        other_version = title.versions != known.versions
        alike = {
            "title": text_alike(title.core, known.core),
            # A credit may name fewer artists than another: the shared names speak for both.
            "artist": text_alike(self.name(ours["artist"] or ""), self.name(theirs["artist"] or ""), fuzz.token_set_ratio),
            "album": text_alike(normalize(ours["album"]), normalize(theirs["album"])),
        }
        evidence = [_isrc_evidence(ours["isrc"], theirs["isrc"]), _upc_evidence(ours["upc"], theirs["upc"])]
        evidence += [(field, self.level(alike[field]), ours[field], theirs[field]) for field in ("title", "artist", "album")]
        evidence.append(("version", "else" if other_version else "exact", _words(title.versions), _words(known.versions)))
        return (
            self._score(alike["title"], alike["artist"], other_version), alike["title"], alike["artist"],
            alike["album"] == 1, bool(title.versions - known.versions), evidence[0][1] == "else", evidence,
        )  # fmt: skip

    def level(self, alike: float | None) -> str:
        """The name of a similarity."""
        if alike is None:
            return "null"
        if alike == 1:
            return "exact"
        return "close" if alike >= self.rules.levels.close else "near" if alike >= self.rules.levels.near else "else"

    def _read_title(self, text: str) -> Title:
        """A title without featured artists and noise, its version words apart. The core is never empty unless the title is."""
        parts = [normalize(self._until_featuring(part)) for part in re.split(r"[()\[\]{}]|\s[-–—:|]\s", text) if part.strip()]
        words = f" {' '.join(part for nth, part in enumerate(parts) if nth == 0 or part not in self._noise)} "
        versions = set()
        for phrase in self._versions:
            if f" {phrase} " in words:
                versions.add(phrase)
                words = words.replace(f" {phrase} ", " ")
        core = " ".join(words.split(" ")).strip(" ")
        return Title(re.sub(" +", " ", core) or normalize(text), frozenset(versions))

    def _read_name(self, text: str) -> str:
        return normalize(self._until_featuring(text))

    def _until_featuring(self, text: str) -> str:
        return self._featuring.split(text, maxsplit=1)[0]

    def _score(self, title: float | None, artist: float | None, other_version: bool) -> float:
        rules = self.rules
        if title is None:
            return 0.0
        if artist is None:
            score = rules.without_artist * title
        else:
            score = rules.weights.title * title + rules.weights.artist * artist
            # Both must hold up: a perfect title never carries an artist that is somebody else, nor the other way round.
            if min(title, artist) < rules.contradiction:
                score = min(score, rules.ambiguous - 0.01)
        return round(score * _OTHER_VERSION if other_version else score, 4)


def compared(usage: Column, recording: Column, rules: MatchingRules) -> Column:
    """`Comparer.compare` as the one Arrow UDF of the matcher: two structs of FIELDS in, a struct of COMPARISON out."""
    import pandas as pd

    def compare_batches(batches: Iterator[tuple[pd.DataFrame, pd.DataFrame]]) -> Iterator[pd.DataFrame]:
        comparer = Comparer(rules)
        for ours, theirs in batches:
            pairs = zip(_records(ours), _records(theirs), strict=True)
            yield pd.DataFrame([comparer.compare(*pair) for pair in pairs], columns=list(COMPARISON))

    # Spark reads the shape of the function from its annotations, which must be types and not their text.
    compare_batches.__annotations__ = {
        "batches": Iterator[tuple[pd.DataFrame, pd.DataFrame]],
        "return": Iterator[pd.DataFrame],
    }
    shape = ",".join(f"{name}:{type_}" for name, type_ in COMPARISON.items())
    return F.pandas_udf(compare_batches, f"struct<{shape}>")(usage, recording)  # type: ignore[call-overload]


def text_alike(ours: str, theirs: str, scorer: Callable[..., float] = fuzz.token_sort_ratio) -> float | None:
    """Similarity of two normal forms from 0 to 1, by edits and by words; None where one is empty. Only equals are 1."""
    if not ours or not theirs:
        return None
    if ours == theirs:
        return 1.0
    blank_free = Levenshtein.normalized_similarity(ours.replace(" ", ""), theirs.replace(" ", ""))
    return round(min(max(blank_free, fuzz.ratio(ours, theirs) / 100, scorer(ours, theirs) / 100), 0.99), 4)


def _records(frame: pd.DataFrame) -> Iterator[Record]:
    # Arrow's missing strings reach pandas as None.
    return frame[list(FIELDS)].itertuples(index=False, name=None)


def _isrc_evidence(ours: str | None, theirs: str | None) -> Evidence:
    if not ours or not theirs:
        return "isrc", "null", ours, theirs
    slip = Levenshtein.distance(ours, theirs) <= _ISRC_SLIP
    return "isrc", "exact" if ours == theirs else "near" if slip else "else", ours, theirs


def _upc_evidence(ours: str | None, theirs: str | None) -> Evidence:
    level = "null" if not ours or not theirs else "exact" if ours == theirs else "else"
    return "upc", level, ours, theirs


def _words(versions: frozenset[str]) -> str | None:
    return " ".join(sorted(versions)) or None
