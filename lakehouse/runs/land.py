"""Landing what senders left for the lake: `landing/incoming/<source>/`, one folder for each dialect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.runs.environment import Environment
from lakehouse.sources.told import SIDECAR


def land_incoming(env: Environment, source: str) -> dict[str, Any]:
    """Lands every report in the folder of a source: {ok, incoming, landed, duplicates, rejected: [{name, reason}]}.

    Nothing is moved away; what is here already is a duplicate and changes nothing. `ok` is false where a file is no report of the source.
    """
    if source not in env.dialects.by_id:
        raise Misuse(f"There is no dialect {source!r}. `lakehouse sources list` lists them.")
    folder = Path(env.root) / "landing" / "incoming" / source
    reports = (
        sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")) if folder.is_dir() else []
    )
    landed = [env.landing.put(file, env.dialects, source) for file in reports if not file.name.endswith(SIDECAR)]
    rejected = [{"name": Path(each.path).name, "reason": each.reason} for each in landed if each.status == "rejected"]
    count = {status: sum(each.status == status for each in landed) for status in ("landed", "duplicate")}
    return {
        "ok": not rejected, "incoming": len(landed), "landed": count["landed"], "duplicates": count["duplicate"], "rejected": rejected,
    }  # fmt: skip
