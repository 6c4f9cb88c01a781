"""Upkeep of a lake's tables, between months."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import lakehouse
from lakehouse.errors import Misuse
from lakehouse.runs.environment import Environment
from lakehouse.store.upkeep import keep_up
from lakehouse.tables import table
from lakehouse.views.states import status


def upkeep(env: Environment, tables: str) -> dict[str, Any]:
    """Keeps up the tables named, with commas between: {compacted, tables: [{table, version, files_before, files_after, ...}]}.

    While a period is in draft nothing is compacted: a run takes new files for new input, and its drafts would have to be drawn up again.
    """
    try:
        named = [table(name) for name in tables.split(",")]
    except KeyError as error:
        raise Misuse(f"There is {error.args[0]}.") from None
    compact = not any(row["state"] == "draft" for row in status(env.reader))
    note = {"job": "upkeep", "code_version": lakehouse.__version__}
    return {"compacted": compact, "kept": [asdict(keep_up(env.place, each, note, compact)) for each in named]}
