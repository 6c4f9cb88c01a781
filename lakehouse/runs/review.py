"""Reviewing by people: accepted matches become aliases, rejected ones stay held. The next run of the open period acts on them."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import lakehouse
from lakehouse.errors import Misuse
from lakehouse.model.vocabulary import ALIAS, UNPAID
from lakehouse.runs.environment import Environment
from lakehouse.runs.given import the_one
from lakehouse.store.light import append_rows
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ops, silver
from lakehouse.views.review import newest_decisions, standing_reviews


@dataclass(frozen=True)
class Verdict:
    """What a person says of a usage key: it is `recording_id`, or, without one, none of the recordings offered."""

    usage_key: str
    recording_id: str | None
    reason: str


def review(env: Environment, verdicts: Sequence[Verdict], reviewer: str | None = None) -> list[dict[str, Any]]:
    """Keeps the verdicts, all or none; one that says what stands already adds nothing.

    A usage key may be shortened to its first 8 or more digits. One row for each verdict: {review_no, usage_key, decision,
    recording_id, reviewer, reason, changed}. Raises Misuse for a key that is not in doubt, and for a recording not in the catalog.
    """
    reader, who = env.reader, reviewer or getpass.getuser()
    keys = [_whole_key(reader, verdict.usage_key) for verdict in verdicts]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise Misuse(f"More than one verdict on {', '.join(twice)}: give one for each key.")
    _require_recordings(reader, verdicts)
    state = _states(reader, env.rules.ruleset, keys)
    number = int(reader.sql(f"SELECT coalesce(max(review_no), 0) AS n FROM {reader.relation(ops.reviews.name)}")[0]["n"])
    outcome, rows = [], []
    for key, verdict in zip(keys, verdicts, strict=True):
        row = _row(key, verdict, state[key])
        changed = not _stands(row, state[key])
        if changed:
            number += 1
            rows.append({**row, "review_no": number, "reviewer": who, "reviewed_at": datetime.now(timezone.utc)})
        said = rows[-1] if changed else {**row, "review_no": state[key]["review_no"], "reviewer": state[key]["reviewer"]}
        shown = ("review_no", "usage_key", "decision", "recording_id", "reviewer", "reason")
        outcome.append({**{name: said[name] for name in shown}, "changed": changed})
    if rows:
        append_rows(env.place, ops.reviews, rows, {"job": "review", "code_version": lakehouse.__version__})
    return outcome


def _row(key: str, verdict: Verdict, state: dict[str, Any]) -> dict[str, Any]:
    if not verdict.reason.strip():
        raise Misuse(f"Why? A review of {key} needs a --reason: it is kept for auditors.")
    accepted = verdict.recording_id is not None
    return {
        "usage_key": key, "decision": "accept" if accepted else "reject", "recording_id": verdict.recording_id,
        # What an earlier review ruled out or took for right is not offered again either.
        "refused": None if accepted else sorted({*state["offered"], *state["refused"], *filter(None, [state["recording_id"]])}),
        "reason": verdict.reason.strip(), "catalog_version": state["catalog_version"],
    }  # fmt: skip


def _stands(row: dict[str, Any], state: dict[str, Any]) -> bool:
    """Whether the verdict stands already. A rejection does not, once the matcher has been in doubt anew."""
    if (row["decision"], row["recording_id"]) != (state["decision"], state["recording_id"]):
        return False
    return row["decision"] == "accept" or state["reviewed_version"] >= state["catalog_version"]


def _whole_key(reader: LakeReader, given: str) -> str:
    query = f"SELECT DISTINCT usage_key FROM {reader.relation(silver.matches.name)} WHERE starts_with(usage_key, ?) ORDER BY 1"
    found = the_one(reader, query, given, ("usage key", "usage keys"), "`lakehouse review list` lists those that wait.")
    return str(found["usage_key"])


def _require_recordings(reader: LakeReader, verdicts: Sequence[Verdict]) -> None:
    wanted = sorted({verdict.recording_id for verdict in verdicts if verdict.recording_id is not None})
    known = reader.sql(
        f"SELECT DISTINCT recording_id FROM {reader.relation(silver.catalog.name)} WHERE list_contains(?, recording_id)", [wanted]
    )
    if missing := sorted({*wanted} - {row["recording_id"] for row in known}):
        raise Misuse(f"Not in the catalog: {', '.join(missing)}. Load it first: `lakehouse catalog load`.")


def _states(reader: LakeReader, ruleset: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For each key the decision and the review that stand. Raises Misuse for a key that the matcher, and not a person, has matched."""
    rows = reader.sql(
        f"""SELECT usage_key, d.reconciliation_status AS status, d.recording_id AS matched, d.tier, d.catalog_version, d.offered,
                   r.decision, r.recording_id, r.refused, r.reviewer, coalesce(r.review_no, 0) AS review_no,
                   r.catalog_version AS reviewed_version
            FROM {newest_decisions(reader, ruleset)} d LEFT JOIN {standing_reviews(reader)} r USING (usage_key)
            WHERE list_contains(?, usage_key)""",
        [list(keys)],
    )
    for row in rows:
        if row["status"] not in UNPAID and row["tier"] != ALIAS:
            raise Misuse(
                f"{row['usage_key']} is {row['status']} with {row['matched']} by {row['tier']}: there is no doubt to decide. "
                "Where that is wrong, mend the catalog."
            )
        row["offered"] = [one["recording_id"] for one in row["offered"] or ()]
        row["refused"] = list(row["refused"] or ())
    return {row["usage_key"]: row for row in rows}
