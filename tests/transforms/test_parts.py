"""Parts as Arrow columns, whatever is in a batch: parts, refusals alone, or nothing. No JVM."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.transforms.resolve import _resolver
from lakehouse.transforms.resolved import COUNTING, RESOLVED, arrow_of, divided
from tests.support.books import book_of
from tests.support.frames import DIMENSIONS, digest
from tests.support.groups import BOOK as RANDOM_BOOK
from tests.support.groups import by_the_reference, random_groups

BOOK = """\
contract: C-1
version: "1"
effective: {from: 2026-01}
label: P-LABEL
parties: {P-LABEL: {name: L}, P-A: {name: A}}
covers: {artists: [Ana, Rising]}
terms: [{clause: master_share, rate: 50%, to: P-A}]
"""
RISING = """\
contract: C-2
version: "1"
effective: {from: 2026-01}
label: P-LABEL
parties: {P-LABEL: {name: L}, P-B: {name: B}}
covers: {artists: [Ben]}
terms: [{clause: master_share, rate: 10%, to: P-B, escalation: {by: units, steps: [{above: 5, rate: 20%}]}}]
"""


class Shared:
    """What Spark shares with its workers, without Spark."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _batch(*artists: str) -> pa.RecordBatch:
    schema = arrow_of(*(field for field in RESOLVED if field.name in (*DIMENSIONS, "recording_id", "release", "release_type", "catalog_group", "usage_lines", "units", "gross", "amount", "hold_id")))  # fmt: skip
    schema = schema.append(pa.field("catalog_artist", pa.string())).append(pa.field("catalog_label", pa.string()))
    rows: list[dict[str, Any]] = [
        {**DIMENSIONS, "usage_key": digest(f"{n}"), "recording_id": "R-1", "usage_lines": 1, "units": Decimal(3), "amount": Decimal(10), "catalog_artist": artist}
        for n, artist in enumerate(artists)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def _parts(groups: pa.RecordBatch) -> list[dict[str, Any]]:
    """The parts of groups, each with what it has from its group."""
    return [{**group, **part} for group in groups.to_pylist() for part in group["parts"]]


@pytest.mark.parametrize(
    ("artists", "expected"),
    [
        ((), []),
        (("Zoe", "Zoe"), [("NO_CONTRACT", None, None, None)] * 2),
        (("Ben",), [(None, "C-2", None, None)]),  # for the pass that sees its lines in order
        (("Zoe", "Ana"), [("NO_CONTRACT", None, None, None), (None, None, "P-A", 1), (None, None, "P-LABEL", 1)]),
    ],
)
def test_every_kind_of_batch_becomes_rows(artists: tuple[str, ...], expected: list[tuple[Any, ...]]) -> None:
    book = book_of({"a.yaml": BOOK, "b.yaml": RISING})
    batches = list(_resolver(Shared(book), {"C-2": "C-2"}, RESOLVED)([_batch(*artists)]))
    for found in batches:
        assert found.schema == divided(*RESOLVED, COUNTING)[1]
        found.validate(full=True)
    rows = sorted((row for found in batches for row in _parts(found)), key=lambda row: row["payee"] or "")
    told = [(r["refusal"], r["counting"], r["payee"], None if r["stages"] is None else len(r["stages"])) for r in rows]
    assert told == expected
    assert all(row["base"] == 10 for row in rows)


def test_random_groups_have_the_parts_of_the_reference_engine_in_batches_of_any_size() -> None:
    """Recipes, shares too fine for columns, prices that are missing, groups that nobody owns: row by row what the contract itself gives."""
    fine = RANDOM_BOOK["artist-2.yaml"].replace("rate: 2/3", "rate: 1431655765/2147483659")
    unit = "\n  - {clause: territory_deduction, per_unit: 0.25, when: {territory: FR}}\n"
    book = book_of({**RANDOM_BOOK, "artist-2.yaml": fine, "label.yaml": RANDOM_BOOK["label.yaml"].rstrip() + unit})
    groups = [{**group, "units": Decimal(group["units"])} for group in random_groups(600)]
    expected = [part for group in groups for part in by_the_reference(group, book)]
    schema = _batch("Ana").schema
    batches = [
        pa.RecordBatch.from_pylist(groups[start : start + size], schema=schema) for start, size in ((0, 1), (1, 7), (8, 592))
    ]
    found = [
        (r["usage_key"], r["contract_id"], r["contract_version"], r["payee"], r["role"], r["category"], r["amount"],
         None if r["stages"] is None else tuple(tuple(step.values()) for step in r["stages"]))
        for batch in _resolver(Shared(book), {}, RESOLVED)(batches) for r in _parts(batch)
    ]  # fmt: skip
    assert {part[1] for part in expected} == {None, "C-1", "C-2"}
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_parts_leave_in_batches_of_bounded_size_and_a_group_is_never_torn_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many share what a group earns, so many parts are in the memory of two processes at once."""
    monkeypatch.setattr("lakehouse.transforms.resolve._SENT", 5)
    book = book_of({"a.yaml": BOOK})
    batches = list(
        _resolver(Shared(book), {}, RESOLVED)([_batch(*["Ana", "Zoe", "Ana"] * 4)])
    )  # an owner and a label, or a refusal
    assert [[len(group["parts"]) for group in batch.to_pylist()] for batch in batches] == [[2, 2]] * 4 + [[1, 1, 1, 1]]
    monkeypatch.setattr("lakehouse.transforms.resolve._SENT", 1)
    alone = list(_resolver(Shared(book), {}, RESOLVED)([_batch("Ana", "Ana")]))
    assert [[len(group["parts"]) for group in batch.to_pylist()] for batch in alone] == [[2], [2]]
