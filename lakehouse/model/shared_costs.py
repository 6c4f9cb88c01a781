"""Costs that come off a contract's income before it is shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.model.accounts import Books, Line
from lakehouse.model.money import ZERO, add, exact, split
from lakehouse.model.recoupment import position

if TYPE_CHECKING:
    from lakehouse.model.settle import Tally

# A part that has come through one of these is a share of the contract's income; what left before is a fee, a deduction or publishing.
SHARED_OUT = {"master_share", "writer_share", "statutory_split", "split"}


def share_costs(books: Books, lines: Iterable[Line], tally: Tally) -> None:
    """Recoups shared costs from the income of their contract: whoever shares in the income bears the same part of what he has of it.

    No more is recouped than there is income; the rest waits. Income that is taken back gives recoupment back.
    """
    pending = {(key[1], key[3]) for key, _ in [*books.of_kind("shared_cost"), *books.of_kind("recouped")] if key[2] == ""}
    shares: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for line in lines:
        key = (line.contract, line.currency)
        # What is reserved is income too, that a payee only has later: otherwise who is held back would bear less than his part.
        if key in pending and line.category in ("payable", "reserved", "retained") and _is_income(line):
            payee = "" if line.category == "retained" or _mechanical(line) else line.payee
            shares[key][payee] = add(shares[key][payee], line.amount)
    for (contract, currency), parts in sorted(shares.items()):
        income = add(*parts.values())
        outstanding = books.get("shared_cost", contract, "", currency)
        recouped = books.get("recouped", contract, "", currency, "shared_cost")
        surplus = books.get("surplus", contract, "", currency)
        amount = position(income, outstanding, recouped, surplus)
        books.move(amount.copy_negate(), "shared_cost", contract, "", currency)
        books.move(amount, "recouped", contract, "", currency, "shared_cost")
        books.move(add(income, amount.copy_negate()), "surplus", contract, "", currency)
        if amount:
            _bear(books, (contract, currency), split(amount, {p: exact(v) / exact(income) for p, v in parts.items()}), tally)


def _bear(books: Books, account: tuple[str, str], parts: dict[str, Decimal], tally: Tally) -> None:
    """Each payee's part comes off what he has; the label's comes off what it retains."""
    contract, currency = account
    for payee, amount in sorted(parts.items()):
        source = f"liabilities:accrued:{payee}" if payee else f"income:retained:{contract}"
        books.post("shared_cost_recouped", payee, currency, contract, amount, source, f"assets:shared_costs:{contract}")
        if payee:
            tally.deducted[contract, payee, currency] = add(tally.deducted[contract, payee, currency], amount)


def _is_income(line: Line) -> bool:
    return any(step.stage in SHARED_OUT for step in line.stages) or (line.category == "retained" and line.role == "label")


def _mechanical(line: Line) -> bool:
    return any(step.stage == "mechanical" for step in line.stages)
