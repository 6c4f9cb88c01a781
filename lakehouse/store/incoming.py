"""Files that others send to `landing/incoming/<source>/`: what is complete is landed, once, and stays where its sender put it.

Three things of a file are looked at, in this order: a document `<name>.sha256` beside it, which says what it must hold; a `_SUCCESS` in
its folder, put after it; else its age: a file that was not touched for a while is complete. A mark under `landing/seen/<source>/`
remembers each object that was taken, by key and ETag, so that a file that is replaced under its name is taken again.

Where a source has very many files, a look begins at its last position, `landing/positions/<source>.json`: the key up to which
everything was taken. Once a day, and where asked to, it begins at the start again: a name may come late in the alphabet's order.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakehouse.sources.payload import payload_of, sha256_of
from lakehouse.sources.recognise import Dialects
from lakehouse.sources.told import SIDECAR
from lakehouse.store.landing import Landed, Landing
from lakehouse.store.objects import Listed, Objects

FOLDER = "landing/incoming"
# So many files are looked at whole each time; beyond, from the last position.
WHOLE_LOOK = 10_000
_DAY = 24 * 60 * 60
_DIGEST, _DONE = ".sha256", "_SUCCESS"
# Names under which programs write what is not complete yet, and what stands beside a report.
_NOT_REPORTS = (".part", ".tmp", ".filepart", ".crdownload", _DIGEST, SIDECAR)


def ingest(
    objects: Objects,
    landing: Landing,
    dialects: Dialects,
    source: str | None = None,
    settled: float = 30,
    whole: bool = False,
) -> list[Landed]:
    """Lands what has come for one source, or for all. What is not complete, or changes under the eyes, has status waiting."""
    sources = [source] if source else sources_of(objects)
    return [landed for each in sources for landed in _Inbox(objects, landing, dialects, each, settled).take(whole)]


def sources_of(objects: Objects) -> list[str]:
    """The sources that have a folder with something in it: each is found by one look after the one before (0 comes after /)."""
    found: list[str] = []
    while listed := next(objects.listing(FOLDER, f"{FOLDER}/{found[-1]}0" if found else None), None):
        found.append(listed.key.removeprefix(f"{FOLDER}/").partition("/")[0])
    return found


class _Inbox:
    """The folder of one source."""

    def __init__(self, objects: Objects, landing: Landing, dialects: Dialects, source: str, settled: float) -> None:
        self._objects, self._landing, self._dialects = objects, landing, dialects
        self._source, self._settled = source, settled
        self._folder = f"{FOLDER}/{source}"

    def take(self, whole: bool) -> Iterator[Landed]:
        place = self._position()
        begun = place["after"] if not whole and place["files"] > WHOLE_LOOK and time.time() - place["whole_at"] < _DAY else None
        listed = list(self._objects.listing(self._folder, begun))
        seen = {mark.key for mark in self._objects.listing(self._marks(), self._mark_of(begun) if begun else None)}
        beside = {each.key: each for each in listed}
        taken_up_to, all_taken = begun, True
        for each in listed:
            if _is_report(each.key) and self._mark(each) not in seen:
                landed = self._land(each, beside)
                all_taken = all_taken and landed.status != "waiting"
                yield landed
            if all_taken:
                taken_up_to = each.key
        self._remember(place, begun, taken_up_to, len(listed))

    def _land(self, listed: Listed, beside: dict[str, Listed]) -> Landed:
        name = listed.key.rpartition("/")[2]
        digest = beside.get(listed.key + _DIGEST)
        if digest is None and not self._complete(listed, beside):
            return _waiting(listed, f"it was touched {max(0, round(listed.age))} seconds ago and may not be complete")
        with tempfile.TemporaryDirectory(prefix="lakehouse-incoming-") as folder:
            copy = Path(folder) / name
            told = beside.get(listed.key + SIDECAR)
            if not self._objects.fetch(listed, copy) or (told and not self._objects.fetch(told, Path(folder) / (name + SIDECAR))):
                return _waiting(listed, "it was replaced or removed while it was being read")
            if digest and self._expected(digest.key) != sha256_of(payload_of(copy)):
                return _waiting(listed, f"its SHA-256 is not the one in {name}{_DIGEST}: it is not complete, or damaged")
            landed = self._landing.put(copy, self._dialects, self._source)
        # The mark comes last: what was stored and not marked is found to be a duplicate the next time. What was rejected gets none: it
        # is told of again until its sender, or a dialect, is mended.
        if landed.status != "rejected":
            self._objects.put_new(self._mark(listed), landed.file_id.encode())
        return replace(landed, path=listed.key)

    def _complete(self, listed: Listed, beside: dict[str, Listed]) -> bool:
        done = beside.get(f"{listed.key.rpartition('/')[0]}/{_DONE}")
        return listed.age >= self._settled or (done is not None and done.age <= listed.age)

    def _expected(self, key: str) -> str:
        """The digest in a document as sha256sum writes it."""
        words = (self._objects.get(key) or b"").decode(errors="replace").split()
        return words[0].lower() if words else ""

    def _marks(self) -> str:
        return f"landing/seen/{self._source}"

    def _mark_of(self, key: str) -> str:
        return f"{self._marks()}/{key.removeprefix(f'{self._folder}/')}"

    def _mark(self, listed: Listed) -> str:
        """Marks are in the order of keys, so that they too can be looked at from a position on."""
        return f"{self._mark_of(listed.key)}#{hashlib.sha256(f'{listed.etag} {listed.size}'.encode()).hexdigest()[:32]}"

    def _position(self) -> dict[str, Any]:
        content = self._objects.get(f"landing/positions/{self._source}.json")
        return json.loads(content) if content else {"after": None, "files": 0, "whole_at": 0.0}

    def _remember(self, before: dict[str, Any], begun: str | None, after: str | None, looked_at: int) -> None:
        """Another process may remember less at the same moment: then more is looked at again, and nothing is passed over."""
        now = {"after": after, "files": looked_at, "whole_at": time.time()}
        if begun:
            now = {**before, "after": after, "files": before["files"] + looked_at}
        self._objects.put(f"landing/positions/{self._source}.json", json.dumps(now, sort_keys=True).encode())


def _is_report(key: str) -> bool:
    name = key.rpartition("/")[2]
    return not name.startswith(("_", ".")) and not name.endswith(_NOT_REPORTS)


def _waiting(listed: Listed, reason: str) -> Landed:
    return Landed(listed.key, "", None, "waiting", reason)
