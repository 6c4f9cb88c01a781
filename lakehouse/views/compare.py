"""What changes on whose statement between two runs of a period."""

from __future__ import annotations

from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.compare import COMPARED, changes
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold, ops
from lakehouse.views.common import write_money

BEFORE_THIS_RUN = "last"
_DRAFT = gold.statements.draft().name
_SHORTEST = 6


def drafted_by(reader: LakeReader, period: str, previous: str) -> int:
    """The Delta version of the draft statements that a run of the period left behind.

    `previous`: a run id of the journal (its first digits will do), a Delta version, or `last` for the statements as they are now. Raises
    Misuse where there is none.
    """
    newest = reader.version(_DRAFT)
    if previous == BEFORE_THIS_RUN:
        return newest
    if previous.isdigit() and len(previous) < _SHORTEST:
        if int(previous) > newest:
            raise Misuse(f"{_DRAFT} has no version {previous}: the newest is {newest}.")
        return int(previous)
    runs = reader.relation(ops.runs.name)
    named = reader.sql(f"SELECT run_id, ended_at FROM {runs} WHERE period = ? AND starts_with(run_id, ?)", [period, previous])
    if len(named) != 1:
        found = f"names {len(named)} runs" if named else "names no run"
        raise Misuse(f"{previous!r} {found} of {period}. `lakehouse history {_DRAFT}` lists them.")
    written = reader.sql(
        f"SELECT CAST(writes[?] AS BIGINT) AS version FROM {runs} WHERE period = ? AND ended_at <= ? AND writes[?] IS NOT NULL"
        " ORDER BY ended_at DESC LIMIT 1",
        [_DRAFT, period, named[0]["ended_at"], _DRAFT],
    )
    if not written:
        raise Misuse(f"By then no run of {period} had drawn up statements: nothing can be compared with {previous!r}.")
    return int(written[0]["version"])


def compare_drafts(reader: LakeReader, period: str, version: int) -> dict[str, Any]:
    """{previous, version, changes}: what the draft statements of a period have changed since a version of them."""
    now = reader.version(_DRAFT)
    before, after = (_statements(reader, period, at) for at in (version, now))
    return {"previous": version, "version": now, "changes": changes(before, after, write_money)}


def _statements(reader: LakeReader, period: str, version: int) -> list[dict[str, Any]]:
    relation = reader.relation(_DRAFT, version, where={"period": period})
    return reader.sql(f"SELECT period, currency, payee, {', '.join(COMPARED)} FROM {relation}")
