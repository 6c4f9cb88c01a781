"""Recipes applied to many amounts at once: one column operation for each cut, over all groups whose recipes have the same shape.

What `lakehouse.model.recipe` does with one amount in Python's whole numbers is done here with a batch of them, to the same last digit. Contracts
differ in shares, parties and terms far more often than in which amount is cut out of which: few shapes serve a whole book.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakehouse.model.contracts import Contract
from lakehouse.model.recipe import Recipe
from lakehouse.transforms.parts import WAY
from lakehouse.transforms.wide import LIMIT, Places, Wide, Words, cut, write

OWN = ("contract_id", "contract_version", "payee", "role", "category")

_UNITS = pa.decimal128(38, 18)


class Shape(NamedTuple):
    """Which amount each cut is of, into how many others, who comes first where remainders are equal; and which amounts are the last."""

    cuts: tuple[tuple[int, tuple[int, ...]], ...]
    owners: tuple[int, ...]

    def way(self, place: int) -> list[int]:
        """The amounts that one came out of, the first of all left aside, down to itself."""
        above = {child: origin for origin, children in self.children() for child in children}
        found = []
        while place:
            found.append(place)
            place = above[place]
        return found[::-1]

    def children(self) -> Iterator[tuple[int, range]]:
        """For each cut the amount it is of, and those that it makes."""
        first = 1
        for origin, order in self.cuts:
            yield origin, range(first, first + len(order))
            first += len(order)


class Entry(NamedTuple):
    """A recipe in figures: the whole and the parts of every cut, and where its texts are in the list of all texts."""

    shape: Shape
    figures: tuple[int, ...]
    owners: tuple[tuple[int, ...], ...]
    cuts: tuple[tuple[int, int], ...]


@dataclass
class Cookbook:
    """The recipes that have been met, by number; and every text in them once."""

    entries: list[Entry] = field(default_factory=list)
    numbers: dict[Recipe, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)

    def number(self, contract: Contract, recipe: Recipe) -> int | None:
        """The number of a recipe; None where a share is too fine for columns."""
        if any(made.cut.whole >= LIMIT for made in recipe.made):
            return None
        if recipe not in self.numbers:
            self.numbers[recipe] = len(self.entries)
            self.entries.append(self._entry(contract, recipe))
        return self.numbers[recipe]

    def _entry(self, contract: Contract, recipe: Recipe) -> Entry:
        shape = Shape(tuple((made.origin, made.cut.order) for made in recipe.made), tuple(owner.place for owner in recipe.owners))
        figures = tuple(figure for made in recipe.made for figure in (made.cut.whole, *made.cut.parts))
        named = (contract.contract, contract.version)
        owners = tuple(tuple(map(self._text, (*named, o.party, o.role, o.category))) for o in recipe.owners)
        return Entry(shape, figures, owners, tuple((self._text(made.stage), self._text(made.term)) for made in recipe.made))

    def _text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def parts(self, numbers: Places, sizes: Wide, negative: npt.NDArray[np.bool_]) -> Iterator[Pieces]:
        """The parts of every amount by the recipe with its number; of nothing none is left out, of anything those of nothing are."""
        met, which = np.unique(numbers, return_inverse=True)
        shapes: dict[Shape, list[int]] = {}
        for place, number in enumerate(met):
            shapes.setdefault(self.entries[number].shape, []).append(place)
        for shape, places in shapes.items():
            rows = np.flatnonzero(np.isin(which, places)) if len(shapes) > 1 else np.arange(len(numbers))
            within = np.zeros(len(met), np.int64)
            within[places] = np.arange(len(places))
            entries = [self.entries[met[place]] for place in places]
            yield from _of_shape(shape, entries, within[which[rows]], rows, sizes.take(rows), negative[rows])


class Pieces(NamedTuple):
    """Parts of one owner's place in a shape: the rows they are of, their texts, amounts and ways, as columns."""

    rows: Places
    own: npt.NDArray[np.int64]  # (parts, len(OWN)): texts
    steps: npt.NDArray[np.int64]  # (parts, steps, 2): texts of stage and term
    amounts: Wide
    before: Wide  # of every step of every part, one after the other
    after: Wide
    negative: npt.NDArray[np.bool_]


def _of_shape(
    shape: Shape, entries: list[Entry], which: Places, rows: Places, sizes: Wide, negative: npt.NDArray[np.bool_]
) -> Iterator[Pieces]:
    """The parts of amounts whose recipes have one shape; `which` entry is that of each row."""
    figures = np.array([entry.figures for entry in entries], np.uint64)
    texts = np.array([entry.cuts for entry in entries], np.int64).reshape(len(entries), len(shape.cuts), 2)
    amounts, cut_of = {0: sizes}, {}
    first = 0
    for number, ((origin, children), (_, order)) in enumerate(zip(shape.children(), shape.cuts, strict=True)):
        whole, *parts = (figures[which, first + place] for place in range(1 + len(order)))
        first += 1 + len(order)
        amounts.update(zip(children, cut(amounts[origin], parts, whole, order), strict=True))
        cut_of.update(dict.fromkeys(children, (number, origin)))
    nothing = sizes.is_zero()
    for owner, place in enumerate(shape.owners):
        there = np.flatnonzero(nothing | ~amounts[place].is_zero())
        way = shape.way(place)
        own = np.array([entry.owners[owner] for entry in entries], np.int64)
        yield Pieces(
            rows[there],
            own[which[there]],
            texts[which[there]][:, [cut_of[step][0] for step in way]],
            amounts[place].take(there),
            _row_by_row([amounts[cut_of[step][1]] for step in way], there),
            _row_by_row([amounts[step] for step in way], there),
            negative[there],
        )


def _row_by_row(columns: list[Wide], rows: Places) -> Wide:
    def flat(words: list[Words]) -> Words:
        return np.stack([column[rows] for column in words], axis=1).ravel() if words else np.zeros(0, np.uint64)

    return Wide(flat([column.high for column in columns]), flat([column.low for column in columns]))


def columns_of(pieces: list[Pieces], cookbook: Cookbook) -> tuple[Places, dict[str, pa.Array]]:
    """The rows that parts are of, in order, and the columns `OWN`, `amount` and `stages` of the parts."""
    words = pa.array(list(cookbook.texts), pa.string())
    rows = np.concatenate([piece.rows for piece in pieces])
    order = np.argsort(rows, kind="stable")
    own = np.concatenate([piece.own for piece in pieces])[order]
    columns = {name: words.take(pa.array(own[:, place])) for place, name in enumerate(OWN)}
    negative = np.concatenate([piece.negative for piece in pieces])[order]
    columns["amount"] = write(_joined([piece.amounts for piece in pieces]).take(order), negative, _UNITS)
    lengths = np.concatenate([np.full(len(piece.rows), piece.steps.shape[1]) for piece in pieces])
    first = (np.cumsum(lengths) - lengths)[order]
    lengths = lengths[order]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    # Where the steps of each part, one after the other, are among those of the pieces.
    within = np.repeat(first - starts[:-1], lengths) + np.arange(starts[-1])
    steps = np.concatenate([piece.steps.reshape(-1, 2) for piece in pieces])[within]
    signs = np.repeat(negative, lengths)
    fields = [
        words.take(pa.array(steps[:, 0])),
        words.take(pa.array(steps[:, 1])),
        write(_joined([piece.before for piece in pieces]).take(within), signs, _UNITS),
        write(_joined([piece.after for piece in pieces]).take(within), signs, _UNITS),
    ]
    ways = pa.StructArray.from_arrays(fields, fields=list(WAY.value_type))
    columns["stages"] = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), ways, type=WAY)
    return rows[order], columns


def _joined(columns: list[Wide]) -> Wide:
    return Wide(np.concatenate([c.high for c in columns]), np.concatenate([c.low for c in columns]))
