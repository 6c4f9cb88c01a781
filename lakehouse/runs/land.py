"""Landing what senders left for the lake: `landing/incoming/<source>/`, one folder for each dialect."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.runs.environment import Environment
from lakehouse.store import incoming
from lakehouse.store.landing import Landed


def take_incoming(env: Environment, source: str | None = None, whole: bool = False) -> list[Landed]:
    """Lands what is complete in the folder of a source, or in all; see `store.incoming`. Raises Misuse for a source that is not known."""
    if source is not None and source not in env.dialects.by_id:
        raise Misuse(f"There is no dialect {source!r}. `lakehouse sources list` lists them.")
    settled = env.settings.incoming_settled
    return incoming.ingest(env.reader.objects, env.landing, env.dialects, source, settled, whole)


def land_incoming(env: Environment, source: str) -> dict[str, Any]:
    """The same for a job: {ok, incoming, landed, duplicates, waiting, rejected: [{name, reason}]}.

    Nothing is moved away. `ok` is false where a file is no report of the source.
    """
    files = take_incoming(env, source)
    count = Counter(file.status for file in files)
    rejected = [{"name": file.path.rpartition("/")[2], "reason": file.reason} for file in files if file.status == "rejected"]
    return {
        "ok": not rejected, "incoming": len(files), "landed": count["landed"], "duplicates": count["duplicate"],
        "waiting": count["waiting"], "rejected": rejected,
    }  # fmt: skip
