"""The rules that decide: those of matching as a run knows them, and the versions of the routing document that a lake has seen, none changed under its
version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.routing import read_ruleset, ruleset_sha256
from lakehouse.runs.environment import Environment
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ops


def unseen_ruleset(reader: LakeReader, text: str) -> tuple[Any, ...] | None:
    """The row of ops.rulesets for a document that is new to the lake; None where it is known.

    Raises Misuse for a document that differs from the one that the lake knows under its version.
    """
    ruleset, digest = read_ruleset(text), ruleset_sha256(text)
    rows = reader.sql(f"SELECT sha256 FROM {reader.relation(ops.rulesets.name)} WHERE version = ?", [ruleset.version])
    if not rows:
        return ruleset.version, digest, text, datetime.now(timezone.utc)
    if (known := rows[0]["sha256"]) != digest:
        raise Misuse(
            f"conf/routing.yaml says version {ruleset.version}, which this lake knows with another content (sha256 {known[:12]}, now "
            f"{digest[:12]}). Give the changed document a new version; `lakehouse routing show --version {ruleset.version}` shows the old one."
        )
    return None


def matching_rules(env: Environment) -> Mapping[str, str]:
    return {"rules": env.rules.ruleset}
