"""Whole numbers of 128 bits, a column at a time: the units of `decimal(38,18)` amounts, cut as `lakehouse.model.money.Cut` cuts them.

NumPy has no integer that wide, so a column is two of 64 bits, and a factor or divisor must be below 2**31: then every step of long
multiplication and division fits into 64 bits, and the result is exact for any amount that a decimal of 38 digits can hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# What a denominator of shares must be below, so that a column of amounts can be cut by it here.
LIMIT = 2**31
_HALF = np.uint64(32)
_MASK = np.uint64(2**32 - 1)

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


class Wide(NamedTuple):
    """A column of whole numbers from 0 to 2**127, in two columns of words."""

    high: Words
    low: Words

    def take(self, rows: Places) -> Wide:
        return Wide(self.high[rows], self.low[rows])

    def is_zero(self) -> npt.NDArray[np.bool_]:
        return (self.high | self.low) == 0


def read(amounts: pa.Array) -> tuple[Wide, npt.NDArray[np.bool_]]:
    """The sizes of a column of decimals without NULL, in their last digits, and which are negative."""
    words = np.frombuffer(amounts.buffers()[1], np.uint64).reshape(-1, 2)[amounts.offset : amounts.offset + len(amounts)]
    low, high = words[:, 0], words[:, 1]
    negative = high >> np.uint64(63) == 1
    return Wide(*_mirrored(high, low, negative)), negative


def write(sizes: Wide, negative: npt.NDArray[np.bool_], type_: pa.DataType) -> pa.Array:
    """The column of decimals with these sizes in their last digits, and these signs."""
    high, low = _mirrored(sizes.high, sizes.low, negative)
    return pa.Array.from_buffers(type_, len(low), [None, pa.py_buffer(np.stack([low, high], axis=1))])


def _mirrored(high: Words, low: Words, negative: npt.NDArray[np.bool_]) -> tuple[Words, Words]:
    """Two's complement, where negative."""
    if not negative.any():
        return high, low
    other = ~low + np.uint64(1)
    return np.where(negative, ~high + (other == 0), high), np.where(negative, other, low)


def divide(sizes: Wide, factor: Words, whole: Words) -> tuple[Wide, Words]:
    """The quotient and the remainder of `sizes` times `factor` by `whole`, where the factor is no more than the whole."""
    low, high = sizes.low, sizes.high
    carry = (low & _MASK) * factor
    limbs = [carry & _MASK]
    rest = [low >> _HALF, *((high & _MASK, high >> _HALF) if high.any() else ())]
    for limb in rest:
        carry = limb * factor + (carry >> _HALF)
        limbs.append(carry & _MASK)
    limbs.append(carry >> _HALF)
    left = np.zeros_like(low)
    quotients = []
    for limb in reversed(limbs):
        current = left << _HALF | limb
        quotient = current // whole
        left = current - quotient * whole
        quotients.append(quotient)
    quotients.reverse()
    zero = np.zeros_like(low)
    q = [*quotients[:-1], zero, zero][:4]
    return Wide(q[3] << _HALF | q[2], q[1] << _HALF | q[0]), left


def cut(sizes: Wide, parts: Sequence[Words], whole: Words, order: Sequence[int]) -> list[Wide]:
    """`sizes` in parts by largest remainder; of equal remainders the part that comes first in `order` gets the last unit."""
    found, left = zip(*(divide(sizes, part, whole) for part in parts), strict=True)
    missing = sizes.low - sum((part.low for part in found), np.zeros_like(sizes.low))
    if missing.any():
        remainders = np.stack([left[place] for place in order]).astype(np.int64)
        rank = np.argsort(np.argsort(-remainders, axis=0, kind="stable"), axis=0, kind="stable")
        extra = {place: (rank[row] < missing).astype(np.uint64) for row, place in enumerate(order)}
        return [_plus(part, extra[place]) for place, part in enumerate(found)]
    return list(found)


def _plus(sizes: Wide, one: Words) -> Wide:
    low = sizes.low + one
    return Wide(sizes.high + ((low == 0) & (one == 1)), low)
