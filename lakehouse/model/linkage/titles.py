"""A title taken apart: what it is called, and which version of it this is. Version words tell recordings apart; they are not noise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lakehouse.model.normalize import normalize

_PARTS: Final = re.compile(r"[()\[\]{}]|\s[-\u2013\u2014:|]\s")
# Without those that are words too.
_ROMAN: Final = frozenset({"ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii"})
# Says nothing beside a word that names the version: "karaoke version" is "karaoke".
_VERSION: Final = "version"


@dataclass(frozen=True)
class Title:
    """`core` is empty only where the title is."""

    core: str
    versions: frozenset[str]


class TitleReader:
    """Reads titles and names under lists of words in their normal form. They recur, so what was read is kept."""

    def __init__(self, versions: Sequence[str], noise: Sequence[str], featuring: Sequence[str]) -> None:
        words = "|".join(re.escape(word) for word in featuring)
        self._featuring = re.compile(rf"(?i)(?:^|(?<=[\s(\[]))(?:{words})\.?\s")
        self._noise = frozenset(noise)
        self._begins = frozenset(word.split()[0] for word in versions)
        # Longest first: "radio edit" is one version, not two.
        longest = sorted(versions, key=lambda word: (-len(word), word))
        self._versions = re.compile(f"(?<= )(?:{'|'.join(map(re.escape, longest))})(?= )")
        self.versions = lru_cache(maxsize=65536)(self._read_versions)
        self.title = lru_cache(maxsize=65536)(self._read_title)
        self.name = lru_cache(maxsize=65536)(self._read_name)

    def _read_title(self, text: str) -> Title:
        """A title without featured artists and noise, its version words apart."""
        parts = [normalize(self._until_featuring(part)) for part in _PARTS.split(text) if part.strip()]
        words = " ".join(part for nth, part in enumerate(parts) if part and (nth == 0 or part not in self._noise))
        versions = set(self._read_versions(words))
        core = " ".join(self._versions.sub("", f" {words} ").split()) if versions else words
        if len(versions) > 1:
            versions.discard(_VERSION)
        return Title(core or normalize(text), frozenset(versions))

    def _read_versions(self, words: str) -> frozenset[str]:
        """The version words in a text in its normal form."""
        # Most texts have none, and a look at their words says so sooner than the search.
        return frozenset() if self._begins.isdisjoint(words.split()) else frozenset(self._versions.findall(f" {words} "))

    def _read_name(self, text: str) -> str:
        return normalize(self._until_featuring(text))

    def _until_featuring(self, text: str) -> str:
        return self._featuring.split(text, maxsplit=1)[0]


@lru_cache(maxsize=65536)
def words_and_counts(core: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a title, and those of them that count: "symphony 5 ii" is not "symphony 6 ii"."""
    words = frozenset(core.split())
    return words, frozenset(word for word in words if word.isdecimal() or word in _ROMAN)
