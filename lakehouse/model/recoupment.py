"""How royalties recoup what was paid before them: costs and advances of one account, or of several that recoup each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from lakehouse.model.accounts import Books
from lakehouse.model.money import ZERO, add, times
from lakehouse.model.rules import Cross

KINDS = ("cost", "advance")  # costs are recouped before advances (RoyaltyWorx, eddy), where a contract says nothing else


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is still to be recouped of one kind under one contract."""

    kind: str
    contract: str


def position(available: Decimal, outstanding: Decimal, recouped: Decimal, surplus: Decimal) -> Decimal:
    """What of `available` is recouped; negative where a correction gives recoupment back.

    What came last goes first: a negative amount takes back what was left over (`surplus`) before it undoes what was recouped, and a positive
    one makes good what was lacking (a negative surplus) before it recoups. So a correction gives what the corrected history gives.
    """
    if available >= 0:
        return min(max(add(available, min(surplus, ZERO)), ZERO), outstanding)
    beyond = add(available.copy_negate(), min(available.copy_negate(), max(surplus, ZERO)).copy_negate())
    return min(beyond, recouped).copy_negate()


class Recoupment:
    """The accounts of one payee in one currency.

    `available` is by contract, for every contract that has something to recoup too; `limit` the part of it that an advance may use, `order`
    what is recouped first.
    """

    def __init__(
        self,
        books: Books,
        payee: str,
        currency: str,
        available: Mapping[str, Decimal],
        limit: Callable[[str], Fraction],
        order: Callable[[str], Sequence[str]] = lambda contract: KINDS,
    ) -> None:
        self.books, self.payee, self.currency = books, payee, currency
        self.left = dict(available)
        self.limit, self.order = limit, order
        self.recouped: list[tuple[Bucket, Decimal]] = []

    def settle(self, groups: Iterable[Cross], minimum: Decimal) -> None:
        """Recoups everything that can be, account by account and group by group; `left` is what nothing takes."""
        alone = set(self.left)
        for group in sorted((g for g in groups if g.payee == self.payee), key=lambda g: g.contracts):
            members = [contract for contract in group.contracts if contract in alone]
            alone -= set(members)
            if members:
                self._group(group, members, minimum)
        for contract in sorted(alone):
            self._recoup([contract], [Bucket(kind, contract) for kind in self.order(contract)], own=True)

    def _group(self, group: Cross, members: Sequence[str], minimum: Decimal) -> None:
        buckets = [Bucket(kind, contract) for contract in members for kind in self.order(contract)]
        if group.mode in ("always", "income_and_costs"):
            self._recoup(members, buckets, own=True)
            return
        if group.mode == "income":
            for contract in members:
                self._recoup([contract], [Bucket("cost", contract)], own=False)
            self._recoup(members, [b for b in buckets if b.kind == "advance"], own=True)
            return
        for contract in members:
            self._recoup([contract], [Bucket(kind, contract) for kind in self.order(contract)], own=True)
        giving = [contract for contract in members if self.left.get(contract, ZERO) > 0]
        if group.mode == "above_minimum":
            giving = [contract for contract in giving if self.left[contract] >= minimum]
        if giving:
            self._recoup(giving, buckets, own=False)

    def _recoup(self, contracts: Sequence[str], buckets: Sequence[Bucket], own: bool) -> None:
        """Recoups the buckets, in order, from what the contracts have available together."""
        key = contracts[0]
        available = add(*(self.left.get(contract, ZERO) for contract in contracts))
        outstanding, recouped = self._sum(buckets, False), self._sum(buckets, True)
        surplus = self.books.get("surplus", key, self.payee, self.currency) if own else ZERO
        delta = position(available, outstanding, recouped, surplus)
        delta = self._spread(delta, buckets, available)
        self._take(delta, contracts)
        if own:
            kept = add(surplus, available, delta.copy_negate())
            # Where nothing was ever to be recouped, what was left over need not be remembered.
            if outstanding or recouped or surplus or kept < 0:
                self.books.move(add(kept, surplus.copy_negate()), "surplus", key, self.payee, self.currency)

    def _spread(self, delta: Decimal, buckets: Sequence[Bucket], available: Decimal) -> Decimal:
        """Moves `delta` over the buckets: recouped from the first on, given back from the last. Returns what was moved."""
        moved = ZERO
        for bucket in buckets if delta >= 0 else reversed(buckets):
            rest = add(delta, moved.copy_negate())
            if delta >= 0:
                amount = min(rest, self._outstanding(bucket))
                if bucket.kind == "advance" and self.limit(bucket.contract) < 1:
                    amount = min(amount, times(max(available, ZERO), self.limit(bucket.contract)))
            else:
                amount = max(rest, self._recouped(bucket).copy_negate())
            self._move(bucket, amount)
            moved = add(moved, amount)
        return moved

    def _move(self, bucket: Bucket, amount: Decimal) -> None:
        if not amount:
            return
        self.books.move(amount.copy_negate(), bucket.kind, bucket.contract, self.payee, self.currency)
        self.books.move(amount, "recouped", bucket.contract, self.payee, self.currency, bucket.kind)
        account = f"assets:{bucket.kind}s:{bucket.contract}:{self.payee}"
        kind = f"{bucket.kind}_recouped"
        self.books.post(kind, self.payee, self.currency, bucket.contract, amount, f"liabilities:accrued:{self.payee}", account)
        self.recouped.append((bucket, amount))

    def _take(self, delta: Decimal, contracts: Sequence[str]) -> None:
        """Takes what was recouped from the contracts, the first that have it first; what is given back goes to the first."""
        for contract in contracts:
            amount = min(delta, max(self.left.get(contract, ZERO), ZERO)) if delta > 0 else delta
            self.left[contract] = add(self.left.get(contract, ZERO), amount.copy_negate())
            delta = add(delta, amount.copy_negate())
        if delta:
            self.left[contracts[0]] = add(self.left[contracts[0]], delta.copy_negate())

    def _sum(self, buckets: Iterable[Bucket], recouped: bool) -> Decimal:
        return add(*(self._recouped(b) if recouped else self._outstanding(b) for b in buckets))

    def _outstanding(self, bucket: Bucket) -> Decimal:
        return self.books.get(bucket.kind, bucket.contract, self.payee, self.currency)

    def _recouped(self, bucket: Bucket) -> Decimal:
        return self.books.get("recouped", bucket.contract, self.payee, self.currency, bucket.kind)
