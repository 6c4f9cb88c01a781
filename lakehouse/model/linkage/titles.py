"""A title taken apart: what it is called, and which version of it this is. Version words tell recordings apart; they are not noise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lakehouse.model.normalize import normalize

_PARTS: Final = re.compile(r"[()\[\]{}]|\s[-\u2013\u2014:|]\s")
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
        self._featuring = re.compile(rf"(?i)(?:^|(?<=\s))(?:{words})\.?\s")
        self._noise = frozenset(noise)
        self._begins = frozenset(word.split()[0] for word in versions)
        # Longest first: "radio edit" is one version, not two.
        longest = sorted(versions, key=lambda word: (-len(word), word))
        self._versions = re.compile(f"(?<= )(?:{'|'.join(map(re.escape, longest))})(?= )")
        self.title = lru_cache(maxsize=65536)(self._read_title)
        self.name = lru_cache(maxsize=65536)(self._read_name)

    def _read_title(self, text: str) -> Title:
        """A title without featured artists and noise, its version words apart."""
        parts = [normalize(self._until_featuring(part)) for part in _PARTS.split(text) if part.strip()]
        words = f" {' '.join(part for nth, part in enumerate(parts) if nth == 0 or part not in self._noise)} "
        # Most titles have none, and a look at their words says so sooner than the search.
        versions = set() if self._begins.isdisjoint(words.split()) else set(self._versions.findall(words))
        core = " ".join(self._versions.sub("", words).split()) if versions else words.strip(" ")
        if len(versions) > 1:
            versions.discard(_VERSION)
        return Title(core or normalize(text), frozenset(versions))

    def _read_name(self, text: str) -> str:
        return normalize(self._until_featuring(text))

    def _until_featuring(self, text: str) -> str:
        return self._featuring.split(text, maxsplit=1)[0]
