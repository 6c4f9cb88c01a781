"""The search for candidates a column at a time: an equi-join of block keys, and how many letters both sides of it share.

What is asked is small and sorted; the records of the index pass by in batches of any size. What is found depends on neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lakehouse.model.blocks import Places
from lakehouse.model.matching import Blocking, Budget

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.uint64]
Sketch = Sequence[Marks]

# Marks of a block key in a filter: most keys of an index are asked for by nobody, and one look says so.
_FILTER: Final = 1 << 27
# Pairs that are gathered before those that others have left behind are let go.
_GATHERED: Final = 4_000_000


class Blocks:
    """Distinct block keys, to be found among many others."""

    def __init__(self, keys: Numbers) -> None:
        """`keys` are distinct and in order."""
        self.keys = keys
        self._marks = np.zeros(_FILTER >> 3, np.uint8)
        place = _marked(keys)
        np.bitwise_or.at(self._marks, place >> 3, _bit(place))

    def find(self, values: Numbers) -> tuple[Places, Places]:
        """Which of the values are among the keys, and the place of each there."""
        place = _marked(values)
        hits = np.flatnonzero(self._marks[place >> 3] & _bit(place))
        if not len(self.keys):
            return hits, hits
        at = np.minimum(np.searchsorted(self.keys, values[hits]), len(self.keys) - 1)
        true = self.keys[at] == values[hits]
        return hits[true], at[true]

    def count(self, values: Numbers) -> Numbers:
        """How often each key is among the values."""
        counts = np.zeros(len(self.keys), np.int64)
        # In order they are looked up many times faster, for each begins where the last was found.
        found, often = np.unique(values, return_counts=True)
        hits, at = self.find(found)
        counts[at] = often[hits]
        return counts


def _marked(keys: Numbers) -> Numbers:
    return keys & (_FILTER - 1)


def _bit(place: Numbers) -> npt.NDArray[np.uint8]:
    return np.left_shift(1, place & 7).astype(np.uint8)


@dataclass(frozen=True)
class Asked:
    """What usage keys ask for. `of` and `block` are each one of a key's block keys: places in `keys` and in `blocks`.

    `sketch`: which letters each key has, as `lakehouse.model.blocks.sketches` marks them. `lonely` has no artist.
    """

    keys: Numbers
    blocks: Numbers
    of: Places
    block: Places
    sketch: Sketch
    lonely: npt.NDArray[np.bool_]

    @classmethod
    def of_records(cls, keys: Numbers, ends: Places, values: Numbers, sketch: Sketch, lonely: npt.NDArray[np.bool_]) -> Asked:
        """`ends`: where the block keys of each record end in `values`, the first of them where they begin."""
        blocks, block = np.unique(values[ends[0] : ends[-1]], return_inverse=True)
        return cls(keys, blocks, np.repeat(np.arange(len(keys)), np.diff(ends)), block, sketch, lonely)

    def rarest(self, counts: Numbers, budget: Budget, most: int, only: npt.NDArray[np.bool_] | None = None) -> Chosen:
        """Of what each key asks for the rarest block keys that the budget allows, the first of them in any case.

        `counts`: how many records share each of `blocks`; what none does, or more than `most`, is left out. `only`: the keys that ask.
        """
        shared = counts[self.block]
        known = (shared > 0) & (shared <= most)
        if only is not None:
            known &= only[self.of]
        of, block, shared = self.of[known], self.block[known], shared[known]
        order = np.lexsort((block, shared, of))
        of, block, brought = of[order], block[order], np.cumsum(shared[order])
        first = np.searchsorted(of, of)
        nth, brought = np.arange(len(of)) - first, brought - (brought - shared[order])[first]
        chosen = (nth == 0) | ((nth < budget.keys) & (brought <= budget.postings))
        of, block = of[chosen], block[chosen]
        order = np.argsort(block, kind="stable")
        blocks, first = np.unique(block[order], return_index=True)
        return Chosen(self.keys, self.blocks[blocks], np.append(first, len(order)), of[order], self.sketch, self.lonely)


@dataclass(frozen=True)
class Chosen:
    """The block keys that are looked up: who asks for the nth of them stands in `who` from ends[n] to ends[n + 1]."""

    keys: Numbers
    blocks: Numbers
    ends: Places
    who: Places
    sketch: Sketch
    lonely: npt.NDArray[np.bool_]

    @cached_property
    def known(self) -> Blocks:
        return Blocks(self.blocks)

    @cached_property
    def size(self) -> Numbers:
        return _letters(self.sketch)


class Records(NamedTuple):
    """A batch of an index: what each record is called, its block keys as `ends` and `values`, and the sketches of all its text and of its title."""

    form: Numbers
    ends: Places
    values: Numbers
    sketch: Sketch
    title: Sketch


class Pairs(NamedTuple):
    """Places of keys with forms of records, and how alike each pair is."""

    who: Places
    form: Numbers
    alike: Numbers


class Search:
    """Finds what is near enough to each key among records that pass by."""

    def __init__(self, chosen: Chosen, rules: Blocking) -> None:
        self.chosen, self.rules = chosen, rules
        self._best = np.zeros(len(chosen.keys), np.int64)
        self._found: list[Pairs] = []
        self._gathered = 0

    def look_at(self, records: Records) -> None:
        found = self._brought(records)
        np.maximum.at(self._best, found.who, found.alike)
        self._found.append(self._near(found))
        self._gathered += len(self._found[-1].who)
        if self._gathered > _GATHERED:
            self._found = [self.found()]
            self._gathered = len(self._found[0].who)

    def found(self) -> Pairs:
        """The nearest of what has passed by: none that is too far behind the best of its key, and no more than the rules allow."""
        if not self._found:
            return Pairs(*(np.zeros(0, np.int64) for _ in Pairs._fields))
        pairs = self._near(Pairs(*map(np.concatenate, zip(*self._found, strict=True))))
        order = np.lexsort((pairs.form, -pairs.alike, pairs.who))
        who = pairs.who[order]
        nth = np.arange(len(who)) - np.searchsorted(who, who)
        kept = order[nth < self.room(who)]
        return Pairs(*(column[kept] for column in pairs))

    def room(self, who: Places) -> Numbers:
        """How many candidates each of these keys may have: without an artist more, for many recordings share a title."""
        return np.where(self.chosen.lonely[who], self.rules.alone, self.rules.candidates)

    def _brought(self, records: Records) -> Pairs:
        """Every key with every record of which it has looked up a block key, once."""
        chosen = self.chosen
        hits, at = chosen.known.find(records.values)
        many = chosen.ends[at + 1] - chosen.ends[at]
        record = np.repeat(np.searchsorted(records.ends, hits, "right") - 1, many)
        who = chosen.who[np.repeat(chosen.ends[at] - (np.cumsum(many) - many), many) + np.arange(len(record))]
        alike = self._alike(records, who, record)
        near = (alike >= self.rules.alike) & (alike >= self._best[who] - self.rules.behind)
        who, record, alike = who[near], record[near], alike[near]
        _, once = np.unique(who * len(records.form) + record, return_index=True)
        return Pairs(who[once], records.form[record[once]], alike[once])

    def _alike(self, records: Records, who: Places, record: Places) -> Numbers:
        """How much of either's letters is in the other, in thousandths of each: 2000 for the same letters. Without an artist it may be those of the title alone."""
        chosen = self.chosen
        alike = _shared(chosen.sketch, chosen.size, who, records.sketch, record)
        alone = np.flatnonzero(chosen.lonely[who])
        by_title = _shared(chosen.sketch, chosen.size, who[alone], records.title, record[alone])
        alike[alone] = np.maximum(alike[alone], by_title)
        return alike

    def _near(self, pairs: Pairs) -> Pairs:
        near = pairs.alike >= self._best[pairs.who] - self.rules.behind
        return Pairs(*(column[near] for column in pairs))


def _letters(sketch: Sketch) -> Numbers:
    """How many marks each sketch has; never none, so that it can be divided by."""
    return np.maximum(_marks(sketch), 1)


def _marks(parts: Iterable[Marks]) -> Numbers:
    return np.sum([np.bitwise_count(part) for part in parts], axis=0, dtype=np.int64)


def _shared(ours: Sketch, size: Numbers, who: Places, theirs: Sketch, record: Places) -> Numbers:
    common = 1000 * _marks(one[who] & other[record] for one, other in zip(ours, theirs, strict=True))
    found: Numbers = common // size[who] + common // _letters(theirs)[record]
    return found
