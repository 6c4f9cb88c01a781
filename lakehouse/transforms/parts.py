"""The parts of groups as Arrow columns: a group is taken from its batch as it is, and only what a contract adds is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from lakehouse.model.clauses import Part
from lakehouse.tables import gold
from lakehouse.tables.arrow import arrow_type
from lakehouse.transforms.resolved import OWN
from lakehouse.transforms.wide import Places

_MONEY = pa.decimal128(38, 18)
WAY = arrow_type(gold.royalty_lines.types["stages"])
COUNTS = arrow_type(gold.royalty_lines.types["counts"])
# What a contract adds to a group, beside the way.
_CELLS = tuple(name for name in OWN if name != "stages")


@dataclass
class Parts:
    """Rows to be: each is of one group, the one at `origin` in its batch."""

    origin: list[int] = field(default_factory=list)
    cells: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _CELLS})
    ways: list[tuple[Any, ...] | None] = field(default_factory=list)

    def add(self, origin: int, amount: Decimal, **cells: Any) -> None:
        """A row of the whole group: a refusal, or a group that another pass divides."""
        self.origin.append(origin)
        self.ways.append(None)
        for name, column in self.cells.items():
            column.append(amount if name == "amount" else cells.get(name))

    def give(
        self, origin: int, contract: str, version: str, parts: Sequence[Part], counts: list[Mapping[str, Any]] | None = None
    ) -> None:
        """A row for each part; what the group counts stands on the first."""
        cells = self.cells
        for part in parts:
            self.origin.append(origin)
            self.ways.append(part.stream.steps)
            cells["payee"].append(part.party)
            cells["role"].append(part.role)
            cells["category"].append(part.category)
            cells["amount"].append(part.stream.amount)
        cells["contract_id"] += [contract] * len(parts)
        cells["contract_version"] += [version] * len(parts)
        cells["counts"] += [counts, *([None] * (len(parts) - 1))]
        for name in ("refusal", "counting"):
            cells[name] += [None] * len(parts)

    def columns(self) -> dict[str, pa.Array]:
        """What a contract adds to the groups, as columns."""
        types = {"counts": COUNTS, "amount": _MONEY}
        told = {name: pa.array(column, types.get(name, pa.string())) for name, column in self.cells.items()}
        return {**told, "stages": _stages(self.ways)}


def assemble(
    groups: pa.RecordBatch, origin: Sequence[int] | Places, columns: Mapping[str, pa.Array], schema: pa.Schema
) -> pa.RecordBatch:
    """A row for each group in the columns of `schema`, with its parts, whose base is the group's amount.

    Each part is of the group at `origin` in its batch; the order of the parts of one group is kept.
    """
    places = np.asarray(origin, np.int64)
    type_ = schema.field("parts").type
    cells = [columns[cell.name] if cell.name in columns else pa.nulls(len(places), cell.type) for cell in type_.value_type]
    parts = pa.StructArray.from_arrays(cells, fields=list(type_.value_type))
    if (np.diff(places) < 0).any():
        parts = parts.take(pa.array(np.argsort(places, kind="stable")))
    starts = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=len(groups)))])
    told = {"parts": pa.ListArray.from_arrays(pa.array(starts, pa.int32()), parts, type=type_)}
    if "base" not in groups.schema.names:
        told["base"] = groups.column("amount")
    return pa.RecordBatch.from_arrays([told[c.name] if c.name in told else groups.column(c.name) for c in schema], schema=schema)


def _stages(ways: Sequence[tuple[Any, ...] | None]) -> pa.ListArray:
    """Steps as one flat array for each of their fields, and where each row's begin."""
    starts: list[int | None] = []
    stages: list[str] = []
    terms: list[str] = []
    before: list[Decimal] = []
    after: list[Decimal] = []
    for way in ways:
        starts.append(None if way is None else len(stages))
        for step in way or ():
            stages.append(step.stage)
            terms.append(step.term)
            before.append(step.amount_in)
            after.append(step.amount_out)
    # Typed: a batch in which nothing could be divided has no stages at all.
    fields = [pa.array(stages, pa.string()), pa.array(terms, pa.string()), pa.array(before, _MONEY), pa.array(after, _MONEY)]
    steps = pa.StructArray.from_arrays(fields, fields=list(WAY.value_type))
    return pa.ListArray.from_arrays(pa.array([*starts, len(stages)], pa.int32()), steps, type=WAY)
