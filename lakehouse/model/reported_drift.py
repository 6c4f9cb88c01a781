"""What reports say of a recording against the catalog: typed events with the old and the new value, each difference once.

What counts are the normal forms by which the matcher compares (`lakehouse.model.linkage.titles`): case, accents, punctuation, featured artists and
the words that say nothing are no difference. Any other is one, however small: whether it is a slip or a correction is for a person to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from lakehouse.model.drift import KINDS
from lakehouse.model.linkage.titles import TitleReader
from lakehouse.model.normalize import normalize

# What both a report and the catalog may say, and is not itself how the recording was found.
REPORTED: Final = ("title", "artist", "label")


def reported_drift(
    said: Iterable[Mapping[str, Any]],
    known: Mapping[str, Sequence[Mapping[str, Any]]],
    titles: TitleReader,
    is_unknown: Callable[[str | None], bool],
) -> list[dict[str, Any]]:
    """{event_id, kind, recording_id, field, old, new, source, usage_key} of each difference, in order of recording, field and value.

    `said`: usage_key, recording_id, source and REPORTED of keys that an identifier or an alias matched. `known`: for each recording REPORTED
    of its releases, of which the first stands for it. What agrees with any of its releases is no difference, nor is what says nothing.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(said, key=lambda one: (one["recording_id"], one["usage_key"])):
        releases = known.get(row["recording_id"], ())
        for field in REPORTED:
            told = [release[field] for release in releases if release[field]]
            if not told or is_unknown(row[field]) or any(_agree(field, row[field], one, titles) for one in told):
                continue
            event = {"kind": KINDS[field], "recording_id": row["recording_id"], "field": field, "old": told[0], "new": row[field]}
            parts = (event["recording_id"], field, event["old"], _form(field, event["new"], titles))
            event_id = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
            source = min(row["source"], found.get(event_id, row)["source"])
            found[event_id] = {
                "event_id": event_id,
                **found.get(event_id, {**event, "usage_key": row["usage_key"]}),
                "source": source,
            }
    return sorted(found.values(), key=lambda event: (event["recording_id"], event["field"], event["new"]))


def _form(field: str, text: str, titles: TitleReader) -> str:
    """What of a text counts: the same in every spelling that the matcher holds to be the same."""
    if field == "title":
        title = titles.title(text)
        return "|".join([title.core, *sorted(title.versions)])
    # "Okafor, Mara" is Mara Okafor.
    return " ".join(sorted((titles.name(text) if field == "artist" else normalize(text)).split()))


def _agree(field: str, said: str, known: str, titles: TitleReader) -> bool:
    """Whether a report says the same as a release. It may leave out a version word, and a label's "Records": that contradicts nothing."""
    if field == "title":
        ours, theirs = titles.title(said), titles.title(known)
        return ours.core == theirs.core and ours.versions <= theirs.versions
    if field == "label":
        words = [set(_form(field, text, titles).split()) for text in (said, known)]
        return words[0] <= words[1] or words[1] <= words[0]
    return _form(field, said, titles) == _form(field, known, titles)
