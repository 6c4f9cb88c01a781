"""How well usage keys agree with recordings, field by field, and the odds that each pair is one: the rules of linking, inside Spark."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column
from pyspark.sql import functions as F
from rapidfuzz.distance import DamerauLevenshtein

from lakehouse.model.linkage.levels import COMPARISONS, NULL, ONE_SIDE, PLACE, Columns, Levels, compare_columns, version_levels
from lakehouse.model.linkage.titles import words_and_counts
from lakehouse.model.linkage.weights import log_odds
from lakehouse.model.matching import MatchingRules
from lakehouse.model.normalize import normalize

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

# Shorter words are like too many others.
_SHORTEST: Final = 3


class Comparer:
    """Compares pairs under one set of rules, a batch at a time."""

    def __init__(self, rules: MatchingRules) -> None:
        self.model = rules.linkage.model.untuned()
        self._long = [word for word in rules.linkage.versions if len(word) > _SHORTEST]
        self._slipped = lru_cache(maxsize=65536)(self._slips)
        self._tags = rules.linkage.tags
        self.titles = rules.linkage.titles()

    def read(self, said: Mapping[str, Sequence[str | None]]) -> Columns:
        """One side of the pairs, from FIELDS, in the names of a Reading."""
        titles = [self.titles.title(text or "") for text in said["title"]]
        names = [self.titles.name(text or "") for text in said["artist"]]
        return {
            "title": [title.core for title in titles], "artist": names,
            "versions": [title.versions for title in titles], "named_versions": [self.titles.versions(name) for name in names],
            "album": [normalize(text) if text else "" for text in said["album"]],
            **{name: [code or "" for code in said[name]] for name in ("isrc", "upc")},
        }  # fmt: skip

    def levels(self, usage: Columns, recordings: Columns) -> Levels:
        """The level of each field of each pair, in the order of COMPARISONS."""
        # A title that is part of another may be another recording: "Tide" and "Tide, Part Two".
        found = compare_columns(usage, recordings, whole_titles=True, tags=self._tags)
        levels = version_levels(usage["versions"], recordings["versions"])
        ours, theirs = usage["title"], recordings["title"]
        doubtful = np.flatnonzero((levels <= 0) & (found[:, PLACE["title"]] > 0))
        for place in doubtful.tolist():
            if self._is_another(ours[place], theirs[place]):
                levels[place] = ONE_SIDE
        found[:, PLACE["version"]] = levels
        return found

    def _is_another(self, one: str, other: str) -> bool:
        """Whether two titles count differently ("Part 2"), or a word that only one of them has is a version word with a slip ("lvie")."""
        (words, counts), (others, other_counts) = words_and_counts(one), words_and_counts(other)
        if counts != other_counts:
            return True
        if len(words) == len(others):
            return False
        more = words - others if len(words) > len(others) else others - words
        return any(map(self._slipped, more))

    def _slips(self, word: str) -> bool:
        return len(word) >= _SHORTEST and any(
            DamerauLevenshtein.distance(word, known, score_cutoff=1) <= 1 for known in self._long
        )

    def odds(self, levels: Levels) -> npt.NDArray[np.float64]:
        """The odds that each pair is one, by the shipped model. To ten digits: beyond them machines differ."""
        # Patterns as numbers: numpy sorts those, and rows of numbers only at many times the cost.
        scale = (max(len(comparison.levels) for comparison in COMPARISONS) + 1) ** np.arange(levels.shape[1], dtype=np.int64)
        _, first, places = np.unique((levels.astype(np.int64) - NULL) @ scale, return_index=True, return_inverse=True)
        return np.array([float(f"{one:.10g}") for one in np.exp(log_odds(self.model, levels[first]))])[places.ravel()]


def compared(usage: Column, recording: Column, rules: MatchingRules) -> Column:
    """The one UDF that compares: two structs of FIELDS in, a struct of COMPARISON out."""
    import pyarrow as pa

    def compare_batches(batches: Iterator[tuple[pa.Array, pa.Array]]) -> Iterator[pa.Array]:
        comparer = Comparer(rules)
        # Nothing here makes cycles, and what is kept of titles is much: looking for cycles in it would be a quarter of the work.
        gc.disable()
        try:
            for batch in batches:
                sides = [comparer.read({name: side.field(name).to_pylist() for name in FIELDS}) for side in batch]
                levels = comparer.levels(*sides)
                versions = [side["versions"] for side in sides]
                found = {
                    "odds": pa.array(comparer.odds(levels)),
                    **{name: pa.array(np.ascontiguousarray(levels[:, PLACE[name]])) for name in _TOLD},
                    "usage_version": pa.array(map(_words, versions[0]), pa.string()),
                    "catalog_version": pa.array(map(_words, versions[1]), pa.string()),
                    "unknown_version": pa.array([bool(mine - yours) for mine, yours in zip(*versions, strict=True)], pa.bool_()),
                }
                yield pa.StructArray.from_arrays(list(found.values()), list(found))
        finally:
            gc.enable()

    # Spark reads the shape of the function from its annotations, which must be types and not their text.
    compare_batches.__annotations__ = {"batches": Iterator[tuple[pa.Array, pa.Array]], "return": Iterator[pa.Array]}
    shape = ",".join(f"{name}:{type_}" for name, type_ in COMPARISON.items())
    return F.arrow_udf(compare_batches, f"struct<{shape}>")(usage, recording)  # type: ignore[call-overload]


def evidence(seen: Column) -> Column:
    """The evidence of one pair for people, as EVIDENCE_TYPE: each field with its level by name, and what both sides say.

    `seen` has the fields of COMPARISON, and the recording's FIELDS as c_; those of the usage key are columns beside it.
    """
    said = {name: (F.col(name), seen[f"c_{name}"]) for name in FIELDS}
    said["version"] = (seen["usage_version"], seen["catalog_version"])

    def told(name: str) -> Column:
        names = F.array(*map(F.lit, ("null", *COMPARISONS[PLACE[name]].levels)))
        level = F.element_at(names, seen[name].cast("int") + (1 - NULL))
        ours, theirs = said[name]
        return F.struct(F.lit(name).alias("field"), level.alias("level"), ours.alias("usage"), theirs.alias("catalog"))

    return F.array(*map(told, _TOLD))


def _words(versions: frozenset[str]) -> str | None:
    return " ".join(sorted(versions)) or None
