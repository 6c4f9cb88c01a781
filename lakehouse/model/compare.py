"""What differs between two sets of statements: of two runs of a period, or under two contract books."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from lakehouse.model.money import add

COMPARED = (
    "opening", "earned", "deducted", "recouped", "reserved", "taxed", "converted", "payable", "carried", "unrecouped", "held",
)  # fmt: skip

Statement = Mapping[str, Any]


def changes(
    before: Iterable[Statement], after: Iterable[Statement], write: Callable[[Decimal, str], str]
) -> list[dict[str, Any]]:
    """For each period, currency and payee the amounts that differ: [{period, currency, payee, amounts: {name: {old, new, difference}}}].

    A statement that one side does not have counts as nought. Amounts may be decimals or their text; `write` makes text of amount and currency.
    """
    sides = [{(s["period"], s["currency"], s["payee"]): s for s in statements} for statements in (before, after)]
    found = []
    for period, currency, payee in sorted(set(sides[0]) | set(sides[1])):
        amounts = {}
        for name in COMPARED:
            old, new = (Decimal(side.get((period, currency, payee), {}).get(name, 0)) for side in sides)
            if old != new:
                told = {"old": old, "new": new, "difference": add(new, old.copy_negate())}
                amounts[name] = {key: write(amount, currency) for key, amount in told.items()}
        if amounts:
            found.append({"period": period, "currency": currency, "payee": payee, "amounts": amounts})
    return found
