"""The distinct combinations of the values in some columns of a batch: what depends on them alone is worked out once for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np
import pyarrow as pa

from lakehouse.transforms.wide import Places

# Beyond this, codes are made dense before another column is joined to them.
_DENSE = 2**31


def codes(column: pa.Array, asked: Collection[str] | None = None) -> Places:
    """A number for each value of a column, NULL being one of them. With `asked`, all values that nobody asks for have one number."""
    encoded = column.dictionary_encode()
    many = len(encoded.dictionary)
    indices = encoded.indices.fill_null(many).to_numpy(zero_copy_only=False)
    if asked is None:
        return np.arange(1, many + 2)[indices]
    known = [place if value in asked else 0 for place, value in enumerate(encoded.dictionary.to_pylist(), 1)]
    return np.array([*known, 0], np.int64)[indices]


def distinct(columns: Iterable[Places]) -> tuple[Places, Places]:
    """For each combination of codes a row that has it; and for each row the number of its combination."""
    joined: Places | None = None
    for column in columns:
        if joined is None:
            joined = column
            continue
        if len(joined) and int(joined.max()) >= _DENSE:
            joined = np.unique(joined, return_inverse=True)[1]
        joined = joined * (int(column.max(initial=0)) + 1) + column
    assert joined is not None, "a combination is of one column at least"
    _, rows, which = np.unique(joined, return_index=True, return_inverse=True)
    return rows, which


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at least so many, but for the last: the more rows, the more of them share a combination."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= rows:
            yield _one(waiting)
            waiting = []
    if waiting:
        yield _one(waiting)


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
