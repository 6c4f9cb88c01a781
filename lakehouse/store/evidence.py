"""Objects against the manifest: each data file and log entry that was changed, removed or added, by its path."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from lakehouse.store.manifest import FORMAT, data_keys, log_keys, manifest_key
from lakehouse.store.objects import Objects
from lakehouse.tables import gold, table


@dataclass(frozen=True)
class Finding:
    """What is wrong, with the object it is about: a path below the lake's root, or a table and the row in it."""

    kind: str
    object: str
    message: str


def load_manifest(objects: Objects, row: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The manifest of a row of gold.periods, None where it cannot be used, and what is wrong with it."""
    key = manifest_key(row["period"])
    content = objects.get(key)
    if content is None:
        return None, [
            Finding("manifest_missing", key, f"{key} is not there: restore it; its SHA-256 is {row['manifest_sha256']}.")
        ]
    found: list[Finding] = []
    if (digest := hashlib.sha256(content).hexdigest()) != row["manifest_sha256"]:
        found.append(Finding("manifest_changed", key, f"{key} has SHA-256 {digest}; published was {row['manifest_sha256']}."))
    try:
        manifest = json.loads(content)
    except ValueError as error:
        return None, found or [Finding("manifest_changed", key, f"{key} is not JSON: {error}.")]
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None, found or [Finding("manifest_changed", key, f"{key} is not a {FORMAT}.")]
    return manifest, found


def check_manifest_objects(objects: Objects, manifest: Mapping[str, Any]) -> Iterable[Finding]:
    """Every object and log entry of one manifest, and every object in the period's folders that is not in it."""
    for name, entry in manifest["tables"].items():
        listed = {held["path"] for held in entry["objects"]}
        for held in entry["objects"]:
            yield from _check_object(objects, held, "file")
        for key in data_keys(objects, table(name), manifest["period"]):
            if key not in listed:
                yield Finding("file_added", key, f"{key} was not there when {manifest['period']} was published.")
        for held in entry["log"]:
            yield from _check_object(objects, held, "log")
    for held in manifest["publications"]["log"]:
        yield from _check_object(objects, held, "log")


def _check_object(objects: Objects, held: Mapping[str, Any], noun: str) -> Iterable[Finding]:
    key = held["path"]
    content = objects.get(key)
    if content is None:
        yield Finding(f"{noun}_missing", key, f"{key} ({held['bytes']} bytes, SHA-256 {held['sha256']}) is not there any more.")
    elif (digest := hashlib.sha256(content).hexdigest()) != held["sha256"]:
        was = f"published were {held['bytes']} bytes with {held['sha256']}"
        yield Finding(f"{noun}_changed", key, f"{key} has {len(content)} bytes with SHA-256 {digest}; {was}.")


def check_closed_periods_untouched(
    objects: Objects, manifests: Sequence[Mapping[str, Any]], closed: Sequence[str]
) -> Iterable[Finding]:
    """Log entries newer than every manifest: none may add data to, or take it from, a period that is closed."""
    for each in gold.PUBLISHED:
        covered = max((manifest["tables"][each.name]["version"] for manifest in manifests), default=-1)
        for version, key in log_keys(objects, each) if manifests else ():
            if version > covered:
                yield from _check_entry(objects, key, closed)


def _check_entry(objects: Objects, key: str, closed: Sequence[str]) -> Iterable[Finding]:
    try:
        actions = [json.loads(line) for line in (objects.get(key) or b"").splitlines() if line.strip()]
    except ValueError as error:
        yield Finding("log_changed", key, f"{key} is not a Delta log entry: {error}.")
        return
    touched = {
        unquote(a[verb]["path"]).partition("/")[0].removeprefix("period=")
        for a in actions
        for verb in ("add", "remove")
        if verb in a
    }
    for period in sorted(touched & set(closed)):
        message = f"{key} changes the data of {period}, which was closed before: closed periods are corrected in an open one."
        yield Finding("closed_period_touched", key, message)
