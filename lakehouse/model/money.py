"""Exact money: 18 decimals, split by largest remainder, rounded once.

Amounts are `Decimal` at 18 decimals. Shares are `Fraction`, so that a third is a third. Parts always add up to
the whole, and the split of ``-x`` is the exact mirror of the split of ``x`` (Hamilton's method; ties go to the
party whose key sorts first).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from math import lcm
from typing import Annotated, Any

from iso4217 import Currency
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

SCALE = 18
ZERO = Decimal(0).scaleb(-SCALE)
# Wide enough for 20 integer digits, 18 decimals and a factor; money never overflows into rounding.
_WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN)


def to_units(amount: Decimal, scale: int = SCALE) -> int:
    """The amount as an integer of 10**-scale. Raises ValueError when it has more decimals than that."""
    units = amount.scaleb(scale, _WIDE)
    whole = int(units)
    if units != whole:
        raise ValueError(f"{amount} has more than {scale} decimals")
    return whole


def from_units(units: int, scale: int = SCALE) -> Decimal:
    return Decimal(units).scaleb(-scale, _WIDE)


def add(*amounts: Decimal) -> Decimal:
    """The exact sum. Python's own operators would round it to 28 digits, which is ten before the point."""
    return from_units(sum(map(to_units, amounts)))


def times(amount: Decimal, factor: Fraction) -> Decimal:
    """`factor` times the amount, at 18 decimals (half to even, so that a reversal is the exact mirror)."""
    return from_units(round(to_units(amount) * factor))


def exact(amount: Decimal) -> Fraction:
    """The amount as a fraction of whole currency units."""
    return Fraction(to_units(amount), 10**SCALE)


class Cut:
    """Shares that make a whole, ready to cut any number of units. Whole numbers over one denominator: fractions would give the same, at
    several times the cost. Raises ValueError where the shares do not add up to 1.

    `parts` of `whole` are the shares; `order` the places of the keys as they sort, which decides between equal remainders.
    """

    __slots__ = ("order", "parts", "whole")

    def __init__(self, shares: Mapping[str, Fraction]) -> None:
        keys = tuple(shares)
        self.order = tuple(sorted(range(len(keys)), key=keys.__getitem__))
        self.whole = lcm(*(share.denominator for share in shares.values()))
        self.parts = tuple(share.numerator * (self.whole // share.denominator) for share in shares.values())
        if sum(self.parts) != self.whole:
            raise ValueError(f"shares add up to {sum(shares.values())}, not 1")

    def of(self, units: int) -> list[int]:
        """The parts, in the order of the shares: largest remainders get the last units, and of equal ones the key that sorts first."""
        size, whole = abs(units), self.whole
        found = [size * part // whole for part in self.parts]
        missing = size - sum(found)
        if missing:
            left = [size * part % whole for part in self.parts]
            for place in sorted(self.order, key=lambda place: -left[place])[:missing]:
                found[place] += 1
        return [-part for part in found] if units < 0 else found


def split(total: Decimal, shares: Mapping[str, Fraction], scale: int = SCALE) -> dict[str, Decimal]:
    """Cuts `total` into one part for each share; the parts add up to `total` exactly.

    Shares are fractions of the whole and must add up to 1. Raises ValueError otherwise.
    """
    parts = Cut(shares).of(to_units(total, scale))
    return {key: from_units(part, scale) for key, part in zip(shares, parts, strict=True)}


def minor_digits(currency: str) -> int:
    """Decimals of the currency's minor unit by ISO 4217: JPY 0, EUR 2, KWD 3."""
    exponent = Currency(currency).exponent
    return 2 if exponent is None else exponent


def round_together(amounts: Mapping[str, Decimal], digits: int) -> dict[str, Decimal]:
    """Rounds positive amounts to `digits` decimals so that they add up to their rounded sum (half to even).

    The one rounding of a statement run: each amount is cut, and the units that the sum still lacks go to the largest remainders.
    """
    if not amounts:
        return {}
    with localcontext(_WIDE):
        total = sum(amounts.values(), ZERO).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
        step = 10 ** (SCALE - digits)
        floors = {key: divmod(to_units(amount), step) for key, amount in amounts.items()}
        missing = to_units(total, digits) - sum(quotient for quotient, _ in floors.values())
        gets_one = set(sorted(floors, key=lambda key: (-floors[key][1], key))[:missing])
        return {key: from_units(floors[key][0] + (key in gets_one), digits) for key in amounts}


def parse_rate(value: Any) -> Fraction:
    """A rate as people write it: ``15%``, ``3.5%``, ``1/3`` or ``0.15``. Raises ValueError for anything else."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError(f"{value!r} is not a rate: write 15%, 1/3 or '0.15'")
    text = str(value).strip()
    percent = text.endswith("%")
    try:
        rate = Fraction(text.removesuffix("%").strip()) / (100 if percent else 1)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{value!r} is not a rate: write 15%, 1/3 or '0.15'") from None
    if not 0 <= rate <= 1:
        hint = f": write {text}%" if not percent and 1 < rate <= 100 else ""
        raise ValueError(f"{value!r} is not between 0% and 100%{hint}")
    return rate


def parse_amount(value: Any) -> Decimal:
    """An amount of money or a number of units as people write it: ``1000``, ``0.0682``. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError(f"{value!r} is not an amount: write it as 1000 or 0.0682")
    try:
        amount = Decimal(str(value).strip())
        to_units(amount)
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"{value!r} is not an amount of at most {SCALE} decimals: write it as 1000 or 0.0682") from None
    return amount


def write_rate(rate: Fraction) -> str:
    """The rate as a person would write it: a percentage where that ends, else a fraction."""
    percent = rate * 100
    denominator = percent.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator != 1:
        return f"{rate.numerator}/{rate.denominator}"
    return f"{_WIDE.divide(Decimal(percent.numerator), Decimal(percent.denominator)):f}%"


_RATE = {"type": ["string", "number"], "description": "a rate: 15%, 3.5%, 1/3 or 0.15", "examples": ["15%", "1/3"]}
_AMOUNT = {"type": ["string", "number"], "description": "an amount of at most 18 decimals", "examples": ["1000", "0.0682"]}
Rate = Annotated[Fraction, BeforeValidator(parse_rate), PlainSerializer(write_rate), WithJsonSchema(_RATE)]
Amount = Annotated[Decimal, BeforeValidator(parse_amount), PlainSerializer(lambda amount: f"{amount:f}"), WithJsonSchema(_AMOUNT)]
