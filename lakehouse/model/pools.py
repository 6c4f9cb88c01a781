"""Pools: what subscribers pay, divided among recordings by listening, over all of it or subscriber by subscriber."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from lakehouse.model.clauses import Step
from lakehouse.model.money import ZERO, add, exact, split, times
from lakehouse.model.rules import Pool

if TYPE_CHECKING:
    from lakehouse.model.trial_rows import UsageRow

Bases = dict[str, tuple[Decimal, tuple[Step, ...]]]


def by_units(revenue: Decimal, units: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """A pool divided by units: each has its part of them, and the parts add up to the pool. Raises ValueError where there are no units."""
    total = sum((exact(count) for count in units.values()), Fraction(0))
    if not total:
        raise ValueError("a pool without units cannot be divided by them")
    return split(revenue, {key: exact(count) / total for key, count in units.items()})


def pooled(pools: Iterable[Pool], rows: Sequence[UsageRow]) -> Bases:
    """The amount of each line, by line id: its own, or where it is in a pool its part of what the pool has, less the DSP's cut.

    In a user-centric pool the lines of each subscriber are a pool of their own.
    """
    bases: Bases = {row.line_id: (row.amount, ()) for row in rows}
    left = list(rows)
    for pool in pools:
        members = [row for row in left if pool.when.fits(row.usage)]
        left = [row for row in left if row not in members]
        groups: dict[tuple[str, str], list[UsageRow]] = defaultdict(list)
        for row in members:
            groups[row.currency, row.subscriber if pool.method == "user_centric" else ""].append(row)
        for (_, subscriber), own in sorted(groups.items()):
            paid = add(*(row.amount for row in own))
            shared = add(paid, times(paid, pool.dsp_cut).copy_negate())
            breakage = max(add(pool.minimum, shared.copy_negate()), ZERO) if pool.minimum is not None else ZERO
            term = ":".join(part for part in ("pool", pool.name, subscriber) if part)
            units = {row.line_id: row.usage.units for row in own}
            more = by_units(breakage, units)
            for line_id, amount in by_units(shared, units).items():
                steps = [Step(pool.method, term, bases[line_id][0], amount)]
                if breakage:
                    steps.append(Step("breakage", term, amount, add(amount, more[line_id])))
                bases[line_id] = (add(amount, more[line_id]), tuple(steps))
    return bases
