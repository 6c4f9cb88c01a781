"""Which recordings are worth comparing with a usage key: those that share its rarest block keys, and most of its letters.

Never all pairs: block keys that too many recordings share are not used, and what a key may look up is bounded by the rules. The index has one row for
each recording under one title and artist; it is read as a stream, never shuffled, and only what is asked is sent to it, so many keys at a time. How many
recordings share a block key is counted when it is asked for: so the answer depends on the entries and not on when each was added. Keys without a good
candidate are searched for once more, with a larger budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.model.blocks import Places, block_keys, sketches
from lakehouse.model.matching import Blocking
from lakehouse.model.search import Asked, Blocks, Chosen, Marks, Numbers, Records, Search

if TYPE_CHECKING:
    from pyspark import Broadcast

# Which letters all the text of a record has, and its title alone, each in two sets of marks.
_SKETCH: Final = ("low", "high")
_TITLE: Final = ("title_low", "title_high")
_FOUND: Final = pa.schema([(name, pa.int64()) for name in ("key", "form", "alike", "room", "turn")])
_FOUND_DDL: Final = ", ".join(f"{name} bigint" for name in _FOUND.names)
# Rows that go back to Spark at a time.
_ROWS: Final = 10_000

# How a join reaches a frame, or how often it is computed.
Hint = Callable[["DataFrame"], "DataFrame"]
Batches = Iterator[pa.RecordBatch]


def as_it_is(rows: DataFrame) -> DataFrame:
    return rows


def named(title: Column, artist: Column) -> Column:
    """What records of the same title and artist share; NULL where either is empty."""
    return F.when((title != "") & (artist != ""), F.xxhash64(title, artist))


def form_id(recording: Column, title: Column, artist: Column) -> Column:
    """What the index calls a recording under one title and artist: one of another title is another entry, so that entries never change."""
    return F.xxhash64(recording, title, artist)


def index_entries(recordings: DataFrame) -> DataFrame:
    """[form, named, blocks, low, high, title_low, title_high], a row for each row of `recordings`: form, n_title, n_artist."""
    texts = F.col("n_title"), F.col("n_artist")
    taken = recordings.select("form", named(*texts).alias("named"), _taken_apart(*texts).alias("taken"))
    return taken.select("form", "named", "taken.*")


def find_candidates(keys: DataFrame, index: DataFrame, rules: Blocking, keep: Hint = as_it_is, parts: int = 1) -> DataFrame:
    """[key, form]: at most `rules.candidates` entries of the index for each key, or `rules.alone` for one without an artist.

    `keys`: key (a number), n_title, n_artist. `index`: as `index_entries` makes it. In each of `parts` the driver holds what some of the keys ask.
    """
    of_part = [keys.where(F.pmod("key", F.lit(parts)) == part) for part in range(parts)] if parts > 1 else [keys]
    return reduce(DataFrame.unionByName, [_search(some, index, rules, keep) for some in of_part]).select("key", "form")


def _search(keys: DataFrame, index: DataFrame, rules: Blocking, keep: Hint) -> DataFrame:
    asked = _asked(keys)
    counts = _counts(index, asked.blocks)
    found = keep(_near(index, asked.rarest(counts, rules.first, rules.document_frequency), rules, 1))
    good = found.where(F.col("alike") >= rules.good).select("key").distinct().toArrow()["key"].to_numpy()
    again = ~np.isin(asked.keys, good)
    if again.any():
        # What a key looks up the second time holds all of the first: there is nothing to add to.
        second = asked.rarest(counts, rules.again, rules.document_frequency, again)
        found = found.unionByName(_near(index, second, rules, 2))
    best = Window.partitionBy("key").orderBy(F.desc("turn"), F.desc("alike"), "form")
    ranked = found.withColumns({"nth": F.row_number().over(best), "best": F.first(F.struct("turn", "alike")).over(best)})
    near = (F.col("turn") == F.col("best.turn")) & (F.col("alike") >= F.col("best.alike") - rules.behind)
    return ranked.where(near & (F.col("nth") <= F.col("room")))


def _asked(keys: DataFrame) -> Asked:
    texts = F.col("n_title"), F.col("n_artist")
    told = keys.select("key", (texts[1] == "").alias("lonely"), _taken_apart(*texts, asked=True).alias("taken")).select(
        "key", "lonely", "taken.*"
    )
    table = told.toArrow().combine_chunks()
    numbers = table["key"].to_numpy()
    sketch = [_marks(table[name]) for name in _SKETCH]
    blocks = table["blocks"].combine_chunks()
    return Asked.of_records(numbers, *_ragged(blocks), sketch, table["lonely"].to_numpy(zero_copy_only=False))


def _counts(index: DataFrame, asked: Numbers) -> Numbers:
    """How many recordings share each of these block keys."""
    shared = _sent(index, asked)

    def count(batches: Batches) -> Batches:
        known = Blocks(shared.value)
        counts = np.zeros(len(known.keys), np.int64)
        for batch in batches:
            counts += known.count(_ragged(batch.column("blocks"))[1])
        yield pa.RecordBatch.from_pydict({"counts": pa.array([counts.tobytes()], pa.binary())})

    parts = _streamed(index.select("blocks")).mapInArrow(count, "counts binary").rdd
    # Added up where they are, a few at a time: the driver sees only the last sums.
    return parts.map(lambda row: np.frombuffer(row.counts, np.int64)).treeAggregate(
        np.zeros(len(asked), np.int64), np.add, np.add
    )


def _near(index: DataFrame, chosen: Chosen, rules: Blocking, turn: int) -> DataFrame:
    """What each part of the index has that is near to a key: key, form, how alike they are, and how many the key has room for."""
    shared = _sent(index, chosen)

    def look(batches: Batches) -> Batches:
        search = Search(shared.value, rules)
        for batch in batches:
            form = batch.column("form").to_numpy()
            sketch, title = ([_marks(batch.column(name)) for name in names] for names in (_SKETCH, _TITLE))
            search.look_at(Records(form, *_ragged(batch.column("blocks")), sketch, title))
        who, form, alike = search.found()
        columns = [shared.value.keys[who], form, alike, search.room(who), np.full(len(who), turn)]
        yield from pa.Table.from_arrays([pa.array(column) for column in columns], schema=_FOUND).to_batches(max_chunksize=_ROWS)

    return _streamed(index.select("form", "blocks", *_SKETCH, *_TITLE)).mapInArrow(look, _FOUND_DDL)


def _streamed(index: DataFrame) -> DataFrame:
    """In one part for each core: the fewer they are, the more of what is far behind is let go in each."""
    return index.coalesce(max(1, index.sparkSession.sparkContext.defaultParallelism))


def _sent(index: DataFrame, what: Any) -> Broadcast[Any]:
    return index.sparkSession.sparkContext.broadcast(what)


def _ragged(lists: pa.ListArray) -> tuple[Places, Numbers]:
    """Where the values of each list end, the first of them where they begin; and all values."""
    offsets = lists.offsets.to_numpy()
    return offsets - offsets[0], lists.flatten().to_numpy()


def _marks(column: pa.Array | pa.ChunkedArray) -> Marks:
    return column.to_numpy().view(np.uint64)


def _taken_apart(title: Column, artist: Column, asked: bool = False) -> Column:
    """Block keys and sketches of normal forms, as a struct: {blocks, low, high, title_low, title_high}."""

    def take_apart(batches: Iterator[tuple[pa.Array, pa.Array]]) -> Iterator[pa.Array]:
        for texts in batches:
            titles, artists = (column.to_pylist() for column in texts)
            ends, keys = block_keys(titles, artists, asked)
            blocks = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(keys))
            marks = [*sketches(titles, artists), *sketches(titles, [""] * len(titles))]
            yield pa.StructArray.from_arrays([blocks, *map(pa.array, marks)], ["blocks", *_SKETCH, *_TITLE])

    # Spark reads the shape of the function from its annotations, which must be types and not their text.
    take_apart.__annotations__ = {"batches": Iterator[tuple[pa.Array, pa.Array]], "return": Iterator[pa.Array]}
    shape = ",".join(["blocks:array<bigint>", *(f"{name}:bigint" for name in (*_SKETCH, *_TITLE))])
    return F.arrow_udf(take_apart, f"struct<{shape}>")(title, artist)  # type: ignore[call-overload]
