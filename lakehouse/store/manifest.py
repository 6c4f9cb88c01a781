"""The manifest of a published period: beside its content roots, every object and log entry with size and SHA-256.

A root tells that something was changed; the manifest tells which object. Described in docs/reference/content-root.md, section 7.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from lakehouse.errors import Findings
from lakehouse.model.content_root import Root, period_root
from lakehouse.store.objects import Objects
from lakehouse.store.reader import LakeReader
from lakehouse.tables import Table, gold

FORMAT = "royalty lakehouse manifest v1"
_LOG_ENTRY = re.compile(r"/_delta_log/(\d{20})\.json$")


def manifest_key(period: str) -> str:
    return f"manifests/{period}.json"


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """The one way to write a manifest as bytes: sorted keys, no blanks, UTF-8, a line feed at the end."""
    return (json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()


def build_manifest(
    reader: LakeReader,
    period: str,
    roots: Mapping[str, Root],
    versions: Mapping[str, int],
    pins: Mapping[str, int],
    book_sha256: str,
    rules_sha256: str,
    code_version: str,
) -> dict[str, Any]:
    """The manifest of a period whose rows are appended already and whose row in gold.periods is not.

    `roots` and `versions` name every table of ``gold.PUBLISHED``: the root of its rows of the period and the Delta version that
    holds them. `pins` are the versions of the input tables that were read.
    """
    objects = reader.objects
    return {
        "format": FORMAT,
        "period": period,
        "root": period_root(roots),
        "rows": sum(root.rows for root in roots.values()),
        "totals": dict(roots[gold.statements.name].totals["payable"]),
        "tables": {
            table.name: _table_entry(reader, objects, table, period, roots[table.name], versions[table.name])
            for table in gold.PUBLISHED
        },
        # The publications before this one: their own log is evidence too.
        "publications": {
            "table": gold.periods.name,
            "version": reader.version(gold.periods.name),
            "log": _log(objects, gold.periods, reader.version(gold.periods.name)),
        },
        "pins": dict(pins),
        "book_sha256": book_sha256,
        "rules_sha256": rules_sha256,
        "code_version": code_version,
        "previous_manifest_sha256": last_manifest_sha256(reader),
    }


def _table_entry(reader: LakeReader, objects: Objects, table: Table, period: str, root: Root, version: int) -> dict[str, Any]:
    uris = reader.delta(table.name, version).file_uris(file_pruning_predicate=[("period", "=", period)])
    referenced = {unquote(uri).rpartition(f"/{table.path}/")[2] for uri in uris}
    found = [
        {**_fingerprint(objects, key), "state": "referenced" if key.removeprefix(f"{table.path}/") in referenced else "leftover"}
        for key in data_keys(objects, table, period)
    ]
    return {
        "version": version,
        "schema_id": root.schema_id,
        "rows": root.rows,
        "totals": {column: dict(sums) for column, sums in root.totals.items()},
        "root": root.root,
        "objects": found,
        "log": _log(objects, table, version),
    }


def _log(objects: Objects, table: Table, version: int) -> list[dict[str, Any]]:
    return [_fingerprint(objects, key) for number, key in log_keys(objects, table) if number <= version]


def _fingerprint(objects: Objects, key: str) -> dict[str, Any]:
    content = objects.get(key)
    if content is None:
        raise Findings(f"{key} vanished while its manifest was being written: find out who removes objects, then close again.")
    return {"path": key, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def data_keys(objects: Objects, table: Table, period: str) -> list[str]:
    """The objects in a period's partition folder. Names that begin with . or _ are not data, in Delta as in Hadoop."""
    keys = objects.keys(f"{table.path}/period={period}")
    return [key for key in keys if not key.rpartition("/")[2].startswith((".", "_"))]


def log_keys(objects: Objects, table: Table) -> Iterator[tuple[int, str]]:
    """(version, object) of each entry of a table's Delta log."""
    for key in objects.keys(f"{table.path}/_delta_log"):
        if found := _LOG_ENTRY.search(key):
            yield int(found.group(1)), key


def last_manifest_sha256(reader: LakeReader) -> str | None:
    """The manifest that no other names as the one before it: the head of the chain. None where nothing is published."""
    published = reader.sql(
        f"SELECT manifest_sha256, previous_manifest_sha256 AS previous FROM {reader.relation(gold.periods.name)}"
    )
    heads = {row["manifest_sha256"] for row in published} - {row["previous"] for row in published}
    if len(heads) > 1 or (published and not heads):
        raise Findings(f"The chain of manifests has {len(heads)} ends in {gold.periods.name}, not one. Run `lakehouse verify`.")
    return heads.pop() if heads else None


def write_manifest(reader: LakeReader, manifest: Mapping[str, Any]) -> str:
    """Stores the manifest and returns the SHA-256 of its bytes.

    A manifest left by a close that died before it published is replaced; that of a published period never is. Raises Findings.
    """
    period, content = manifest["period"], manifest_bytes(manifest)
    objects, key = reader.objects, manifest_key(manifest["period"])
    digest = hashlib.sha256(content).hexdigest()
    periods = reader.relation(gold.periods.name)
    if published := reader.sql(f"SELECT manifest_sha256 FROM {periods} WHERE period = ?", [period]):
        if published[0]["manifest_sha256"] != digest:
            raise Findings(f"Period {period} is published already, under another manifest: {key} stays as it is.")
        return digest
    objects.put(key, content)
    return digest


def publication(manifest: Mapping[str, Any], manifest_sha256: str) -> dict[str, Any]:
    """The row of gold.periods that publishes a manifest, without `closed_at`."""
    return {
        "period": manifest["period"],
        "root": manifest["root"],
        "rows": manifest["rows"],
        "totals": dict(manifest["totals"]),
        "delta_versions": {name: str(entry["version"]) for name, entry in manifest["tables"].items()},
        "pins": {name: str(version) for name, version in manifest["pins"].items()},
        "book_sha256": manifest["book_sha256"],
        "rules_sha256": manifest["rules_sha256"],
        "code_version": manifest["code_version"],
        "manifest_sha256": manifest_sha256,
        "previous_manifest_sha256": manifest["previous_manifest_sha256"],
    }
