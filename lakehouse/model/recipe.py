"""Splits that are the same for every amount, worked out once: which cuts, in which order, and whose each part is.

Where every term that applies takes a fixed share, the way through a contract depends on nothing but the terms. It is followed once, with a
stream that writes down how it is cut; any other amount then goes through the same cuts in whole numbers. Two paths, one meaning: the clauses
alone say what is cut, and the cut is the one of `money.split`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from lakehouse.model.clauses import Part, Step, Stream
from lakehouse.model.money import Cut, from_units, to_units


class Made(NamedTuple):
    """One cut of a recipe: of which amount, into which others."""

    origin: int
    cut: Cut
    places: tuple[int, ...]
    stage: str
    term: str


@dataclass(frozen=True, slots=True)
class Recorded(Stream):
    """A stream that writes down how it is divided. Its amount means nothing; a term that would ask for it has no recipe."""

    place: int = 0
    made: list[Made] = field(default_factory=list)

    def divide(self, stage: str, term: str, shares: Mapping[str, Fraction]) -> dict[str, Stream]:
        first = 1 + sum(len(made.places) for made in self.made)
        places = tuple(range(first, first + len(shares)))
        self.made.append(Made(self.place, Cut(shares), places, stage, term))
        return {key: Recorded(self.amount, (), place, self.made) for key, place in zip(shares, places, strict=True)}

    def take(self, stage: str, term: str, amount: Decimal) -> tuple[Stream, Stream]:
        raise AssertionError(f"{term} takes an amount: it takes no fixed share")

    def becomes(self, stage: str, term: str, amount: Decimal) -> Stream:
        raise AssertionError(f"{term} sets an amount: it takes no fixed share")


class Owner(NamedTuple):
    party: str
    role: str
    category: str
    place: int


@dataclass(frozen=True, eq=False)
class Recipe:
    """Every cut of an amount, in order, and whose the last parts are. One recipe is equal to no other."""

    made: tuple[Made, ...]
    owners: tuple[Owner, ...]

    def parts(self, base: Decimal) -> tuple[Part, ...]:
        """The parts of an amount; those of nothing are left out, as long as there is anything."""
        whole = to_units(base)
        amounts, steps = {0: base}, {0: ()}  # type: dict[int, Decimal], dict[int, tuple[Step, ...]]
        units = {0: whole}
        for origin, cut, places, stage, term in self.made:
            before, way = amounts[origin], steps[origin]
            for place, size in zip(places, cut.of(units[origin]), strict=True):
                units[place] = size
                amount = amounts[place] = from_units(size)
                steps[place] = (*way, Step(stage, term, before, amount))
        return tuple(
            Part(party, role, category, Stream(amounts[place], steps[place]))
            for party, role, category, place in self.owners
            if units[place] or not whole
        )


def work_out(follow: Callable[[Stream], Iterable[Part]]) -> Recipe:
    """The recipe of a way through terms that all take fixed shares."""
    made: list[Made] = []
    owners = []
    for part in follow(Recorded(Decimal(1), (), 0, made)):
        assert isinstance(part.stream, Recorded)
        owners.append(Owner(part.party, part.role, part.category, part.stream.place))
    return Recipe(tuple(made), tuple(owners))
