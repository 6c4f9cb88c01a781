"""Pools: what subscribers pay, divided among recordings by listening, over all of it or subscriber by subscriber."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from lakehouse.model.clauses import Step
from lakehouse.model.money import ZERO, add, exact, split, times
from lakehouse.model.rules import Pool

if TYPE_CHECKING:
    from lakehouse.model.trial_rows import UsageRow

Bases = dict[str, tuple[Decimal, tuple[Step, ...]]]
# The methods of a pool, each the step that it leaves.
PRO_RATA: Final = "pro_rata"
USER_CENTRIC: Final = "user_centric"
BREAKAGE: Final = "breakage"
# From what was held to what a person has adjusted it to.
ADJUSTED: Final = "holding_adjustment"
# From what was brought to what is left of it once its publishing is paid on the work.
REST_OF_WORK: Final = "rest_of_work"
# The steps by which an amount comes to its contract: out of a pool, or out of holding.
STEPS: Final = (PRO_RATA, USER_CENTRIC, BREAKAGE, REST_OF_WORK, ADJUSTED)
# What a pool may ask of the lines of a report themselves. All else is the catalog's word, which lines that it does not know do not have.
REPORTED: Final = ("territory", "channel", "configuration", "price_category", "source")


def by_units(revenue: Decimal, units: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """A pool divided by units: each has its part of them, and the parts add up to the pool. Raises ValueError where there are no units."""
    total = sum((exact(count) for count in units.values()), Fraction(0))
    if not total:
        raise ValueError("a pool without units cannot be divided by them")
    return split(revenue, {key: exact(count) / total for key, count in units.items()})


def pool_term(pool: Pool, subscriber: str = "") -> str:
    """The id under which a pool stands in the way of an amount."""
    return ":".join(part for part in ("pool", pool.name, subscriber) if part)


def shared_out(pool: Pool, paid: Decimal) -> tuple[Decimal, Decimal]:
    """What of the money in a pool is divided, and what its minimum adds to that."""
    shared = add(paid, times(paid, pool.dsp_cut).copy_negate())
    return shared, max(add(pool.minimum, shared.copy_negate()), ZERO) if pool.minimum is not None else ZERO


def not_in_a_lake(pool: Pool) -> str:
    """Why a lake cannot divide a pool; empty where it can."""
    if asked := [dimension for dimension in pool.when.wanted if dimension not in REPORTED]:
        return f"`{asked[0]}` is what the catalog says, and a pool has lines too that the catalog does not know"
    return ""


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
            groups[row.currency, row.subscriber if pool.method == USER_CENTRIC else ""].append(row)
        for (currency, subscriber), own in sorted(groups.items()):
            paid = add(*(row.amount for row in own))
            shared, breakage = shared_out(pool, paid)
            term = pool_term(pool, subscriber)
            units = {row.line_id: row.usage.units for row in own}
            if not sum(units.values()):
                raise ValueError(
                    f"{term} has {paid.normalize():f} {currency} and no units to divide them by: see line {own[0].line_id}"
                )
            more = by_units(breakage, units)
            for line_id, amount in by_units(shared, units).items():
                steps = [Step(pool.method, term, bases[line_id][0], amount)]
                if breakage:
                    steps.append(Step(BREAKAGE, term, amount, add(amount, more[line_id])))
                bases[line_id] = (add(amount, more[line_id]), tuple(steps))
    return bases
