"""How well usage keys agree with recordings, field by field, and the odds that each pair is one: the rules of linking, inside Spark."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pyspark.sql import Column
from pyspark.sql import functions as F
from rapidfuzz.distance import DamerauLevenshtein

from lakehouse.model.linkage.layouts import Reading
from lakehouse.model.linkage.levels import COMPARISONS, NULL, PLACE, Levels, compare, version_levels
from lakehouse.model.linkage.titles import TitleReader
from lakehouse.model.linkage.weights import log_odds
from lakehouse.model.matching import MatchingRules
from lakehouse.model.normalize import normalize

if TYPE_CHECKING:
    import pandas as pd

# What a usage key and a recording both may say, and what is told of them to a person.
FIELDS: Final = ("isrc", "upc", "title", "artist", "album")
_TOLD: Final = (*FIELDS, "version")
EVIDENCE_TYPE: Final = "array<struct<field:string,level:string,usage:string,catalog:string>>"
COMPARISON: Final = {
    "odds": "double",
    **dict.fromkeys(_TOLD, "tinyint"),
    "usage_version": "string",
    "catalog_version": "string",
    "unknown_version": "boolean",
}

_ONE_SIDE: Final = COMPARISONS[PLACE["version"]].levels.index("one side")
# Without those that are words too.
_ROMAN: Final = frozenset({"ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii"})
# Shorter words are like too many others.
_SHORTEST: Final = 3

Record = tuple[str | None, ...]


class Comparer:
    """Compares pairs under one set of rules, a batch at a time."""

    def __init__(self, rules: MatchingRules) -> None:
        self.model = rules.linkage.model
        self._long = [word for word in rules.linkage.versions if len(word) > _SHORTEST]
        self._slipped = lru_cache(maxsize=65536)(self._slips)
        self.titles = TitleReader(rules.linkage.versions, rules.linkage.noise, rules.linkage.featuring)

    def levels(self, usage: list[Record], recordings: list[Record]) -> Levels:
        """The level of each field of each pair, in the order of COMPARISONS. Records are in the order of FIELDS."""
        ours, theirs = self._readings(usage), self._readings(recordings)
        # A title that is part of another may be another recording: "Tide" and "Tide, Part Two".
        found = compare(ours, theirs, whole_titles=True)
        levels = version_levels(self.versions(usage), self.versions(recordings))
        doubtful = np.flatnonzero((levels <= 0) & (found[:, PLACE["title"]] > 0))
        for place in doubtful.tolist():
            if self._is_another(ours[place].title, theirs[place].title):
                levels[place] = _ONE_SIDE
        found[:, PLACE["version"]] = levels
        return found

    def _is_another(self, one: str, other: str) -> bool:
        """Whether two titles count differently ("Part 2"), or a word that only one of them has is a version word with a slip ("lvie")."""
        words, others = set(one.split()), set(other.split())
        if _counts(words) != _counts(others):
            return True
        if len(words) == len(others):
            return False
        more = words - others if len(words) > len(others) else others - words
        return any(self._slipped(word) for word in more)

    def _slips(self, word: str) -> bool:
        return len(word) >= _SHORTEST and any(
            DamerauLevenshtein.distance(word, known, score_cutoff=1) <= 1 for known in self._long
        )

    def odds(self, levels: Levels) -> Any:
        """The odds that each pair is one, by the shipped model. To ten digits: beyond them machines differ."""
        distinct, places = np.unique(levels, axis=0, return_inverse=True)
        return np.array([float(f"{one:.10g}") for one in np.exp(log_odds(self.model, distinct))])[places.ravel()]

    def versions(self, records: list[Record]) -> list[frozenset[str]]:
        return [self.titles.title(record[2] or "").versions for record in records]

    def _readings(self, records: list[Record]) -> list[Reading]:
        # The same record comes with many partners, and mostly right after itself.
        read: dict[Record, Reading] = {}
        for record in records:
            if record not in read:
                isrc, upc, title, artist, album = record
                read[record] = Reading(
                    title=self.titles.title(title or "").core, artist=self.titles.name(artist or ""), album=normalize(album),
                    isrc=isrc or "", upc=upc or "",
                )  # fmt: skip
        return [read[record] for record in records]


def compared(usage: Column, recording: Column, rules: MatchingRules) -> Column:
    """The one Arrow UDF of the matcher: two structs of FIELDS in, a struct of COMPARISON out."""
    import pandas as pd

    def compare_batches(batches: Iterator[tuple[pd.DataFrame, pd.DataFrame]]) -> Iterator[pd.DataFrame]:
        comparer = Comparer(rules)
        for ours, theirs in batches:
            pairs = [list(frame[list(FIELDS)].itertuples(index=False, name=None)) for frame in (ours, theirs)]
            levels = comparer.levels(*pairs)
            versions = [comparer.versions(side) for side in pairs]
            yield pd.DataFrame(
                {
                    "odds": comparer.odds(levels),
                    **{name: levels[:, PLACE[name]] for name in _TOLD},
                    "usage_version": [_words(words) for words in versions[0]],
                    "catalog_version": [_words(words) for words in versions[1]],
                    "unknown_version": [bool(mine - yours) for mine, yours in zip(*versions, strict=True)],
                }
            )

    # Spark reads the shape of the function from its annotations, which must be types and not their text.
    compare_batches.__annotations__ = {
        "batches": Iterator[tuple[pd.DataFrame, pd.DataFrame]],
        "return": Iterator[pd.DataFrame],
    }
    shape = ",".join(f"{name}:{type_}" for name, type_ in COMPARISON.items())
    return F.pandas_udf(compare_batches, f"struct<{shape}>")(usage, recording)  # type: ignore[call-overload]


def evidence(seen: Column) -> Column:
    """The evidence of one pair for people, as EVIDENCE_TYPE: each field with its level by name, and what both sides say.

    `seen` has the fields of COMPARISON, and both sides' FIELDS as u_ and c_.
    """
    said = {name: (seen[f"u_{name}"], seen[f"c_{name}"]) for name in FIELDS}
    said["version"] = (seen["usage_version"], seen["catalog_version"])

    def told(name: str) -> Column:
        names = F.array(*map(F.lit, ("null", *COMPARISONS[PLACE[name]].levels)))
        level = F.element_at(names, seen[name].cast("int") + (1 - NULL))
        ours, theirs = said[name]
        return F.struct(F.lit(name).alias("field"), level.alias("level"), ours.alias("usage"), theirs.alias("catalog"))

    return F.array(*map(told, _TOLD))


def _counts(words: AbstractSet[str]) -> set[str]:
    return {word for word in words if word.isdecimal() or word in _ROMAN}


def _words(versions: frozenset[str]) -> str | None:
    return " ".join(sorted(versions)) or None
