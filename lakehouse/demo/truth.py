"""What the demo's books must say: counted and split while the files are written, never by the engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from lakehouse.demo.deals import deal_for
from lakehouse.demo.reports import UNIT, Layout, Sale

_PLACES = ("revenue", "payable", "retained", "fees", "tax", "held", "quarantined")


class Truth:
    """One statement period. Amounts come in ten-billionths of a currency."""

    def __init__(self) -> None:
        self.files: Counter[str] = Counter(landed=0, duplicate=0, rejected=0)
        self.lines: Counter[str] = Counter(accepted=0, ignored=0, quarantined=0)
        self._keys: dict[tuple[str, ...], str] = {}
        self._owned: Counter[tuple[str, str, str, str, str, str]] = Counter()
        self._money: dict[str, Counter[str]] = defaultdict(Counter)

    def accept(self, layout: Layout, sale: Sale, counts: bool = True) -> None:
        """A usage line. `counts` is false where a later version of the report replaces it."""
        self.lines["accepted"] += 1
        credit = sale.credit
        self._keys.setdefault(layout.identity(credit), credit.outcome)
        if not counts:
            return
        self._money[layout.currency]["revenue"] += sale.amount
        if credit.recording is None:
            self._money[layout.currency]["held"] += sale.amount
        else:
            artist, label = credit.recording.artist, credit.recording.label
            self._owned[layout.currency, artist, label, sale.month, layout.source, sale.territory] += sale.amount

    def quarantine(self, layout: Layout, amount: int | None) -> None:
        """A refused line, with its money where that can be read."""
        self.lines["quarantined"] += 1
        for place in ("revenue", "quarantined"):
            self._money[layout.currency][place] += amount or 0

    def ignore(self, lines: int = 1) -> None:
        self.lines["ignored"] += lines

    def document(self) -> dict[str, Any]:
        """The period's part of expected.json. Money is text in plain notation."""
        money, earned = self._divided()
        outcomes = Counter(self._keys.values())
        return {
            "files": dict(self.files),
            "lines": {"read": self.lines.total(), **self.lines},
            "money": [
                {"currency": c, **{place: _plain(money[c].get(place, Fraction(0))) for place in _PLACES}} for c in sorted(money)
            ],
            "payees": [
                {"payee": p, "currency": c, "earned": _plain(earned[c, p])} for c, p in sorted(earned, key=lambda k: (k[1], k[0]))
            ],
            "matching": {
                "keys": len(self._keys),
                **{status: outcomes[status] for status in ("matched", "ambiguous", "unclaimed", "drift_flagged")},
            },
        }

    def _divided(self) -> tuple[dict[str, dict[str, Fraction]], dict[tuple[str, str], Fraction]]:
        money = {c: {place: Fraction(amount, UNIT) for place, amount in counted.items()} for c, counted in self._money.items()}
        earned: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for (currency, artist, label, month, source, territory), total in self._owned.items():
            amount, deal = Fraction(total, UNIT), deal_for(artist, label, month)
            places = money[currency]
            if deal is None:
                places["held"] = places.get("held", Fraction(0)) + amount
                continue
            for party, place, part in deal.split(source, territory, amount):
                places[place] = places.get(place, Fraction(0)) + part
                if place == "payable":
                    earned[currency, party] += part
        for places in money.values():
            assert places["revenue"] == sum(amount for place, amount in places.items() if place != "revenue")
        return money, earned


def _plain(amount: Fraction) -> str:
    """An exact decimal; the deals are made so that there is one with 18 decimals."""
    with localcontext() as exact:
        exact.prec = 60
        decimal = Decimal(amount.numerator) / Decimal(amount.denominator)
    assert Fraction(decimal) == amount
    assert -int(decimal.as_tuple().exponent) <= 18
    return f"{decimal.normalize():f}" if decimal else "0"
