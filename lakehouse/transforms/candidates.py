"""Which recordings are worth comparing with a usage key: those that share its rarest block keys, and most of its letters.

Never all pairs: block keys that too many recordings share are not used, and every step is a plain equi-join whose fan-out the rules
bound. The index has one row for each recording under one title and artist; it is read as a stream, and only what is asked is sent to it. How many
recordings share a block key is counted when it is asked for: so the answer depends on the entries and not on when each was added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Final

from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from lakehouse.model.blocks import block_keys, sketches
from lakehouse.model.matching import Blocking

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SKETCH: Final = ("low", "high")

# How a join reaches a frame, or how often it is computed.
Hint = Callable[["DataFrame"], "DataFrame"]


def as_it_is(rows: DataFrame) -> DataFrame:
    return rows


def named(title: Column, artist: Column) -> Column:
    """What records of the same title and artist share; NULL where either is empty."""
    return F.when((title != "") & (artist != ""), F.xxhash64(title, artist))


def form_id(recording: Column, title: Column, artist: Column) -> Column:
    """What the index calls a recording under one title and artist: one of another title is another entry, so that entries never change."""
    return F.xxhash64(recording, title, artist)


def index_entries(recordings: DataFrame) -> DataFrame:
    """[form, named, blocks, low, high], a row for each row of `recordings`: form, n_title, n_artist."""
    texts = F.col("n_title"), F.col("n_artist")
    taken = recordings.select("form", named(*texts).alias("named"), _taken_apart(*texts).alias("taken"))
    return taken.select("form", "named", "taken.*")


def find_candidates(
    keys: DataFrame, index: DataFrame, rules: Blocking, few: Hint = F.broadcast, keep: Hint = as_it_is
) -> DataFrame:
    """[key, form]: at most `rules.candidates` entries of the index for each key.

    `keys`: key (a number), n_title, n_artist. `index`: as `index_entries` makes it. `few` says how to bring what is asked to the index.
    """
    asked = keep(keys.select("key", _taken_apart(F.col("n_title"), F.col("n_artist"), asked=True).alias("taken")))
    sketch = [F.col("taken")[name].alias(f"asked_{name}") for name in _SKETCH]
    wanted = asked.select("key", *sketch, F.explode("taken.blocks").alias("block"))
    postings = index.select("form", *_SKETCH, F.explode("blocks").alias("block"))
    chosen = _rarest(wanted, _counted(wanted, postings, few), rules)
    alike = (
        postings.join(few(chosen), "block").select("key", "form", _alike().alias("alike")).where(F.col("alike") >= rules.alike)
    )
    best = Window.partitionBy("key").orderBy(F.desc("alike"), "form")
    ranked = alike.distinct().withColumns({"nth": F.row_number().over(best), "most": F.first("alike").over(best)})
    near = F.col("alike") >= F.col("most") - rules.behind
    return ranked.where((F.col("nth") <= rules.candidates) & near).select("key", "form")


def _counted(wanted: DataFrame, postings: DataFrame, few: Hint) -> DataFrame:
    """[block, df]: how many recordings share each block key that is asked for, where they are not too many."""
    asked = few(wanted.select("block").distinct())
    return postings.select("block").join(asked, "block", "left_semi").groupBy("block").agg(F.count(F.lit(1)).alias("df"))


def _rarest(wanted: DataFrame, counted: DataFrame, rules: Blocking) -> DataFrame:
    """Of what each key asks for its rarest block keys, as far as the rules let them bring recordings."""
    rarest = Window.partitionBy("key").orderBy("df", "block")
    return (
        wanted.join(counted.where(F.col("df") <= rules.document_frequency), "block")
        .withColumn("nth", F.row_number().over(rarest))
        .withColumn("brought", F.sum("df").over(rarest.rowsBetween(Window.unboundedPreceding, Window.currentRow)))
        .where((F.col("nth") == 1) | ((F.col("nth") <= rules.keys) & (F.col("brought") <= rules.postings)))
        .drop("df", "nth", "brought")
    )


def _alike() -> Column:
    """How much of either sketch is in the other, in thousandths of each: 2000 for the same letters."""

    def bits(prefix: str) -> Column:
        return reduce(add, [F.bit_count(prefix + name) for name in _SKETCH])

    common = reduce(add, [F.bit_count(F.col(f"asked_{name}").bitwiseAND(F.col(name))) for name in _SKETCH]) * 1000
    return (common / bits("asked_")).cast("int") + (common / bits("")).cast("int")


def _taken_apart(title: Column, artist: Column, asked: bool = False) -> Column:
    """Block keys and sketch of normal forms, as a struct: {blocks, low, high}."""
    import pyarrow as pa

    def take_apart(batches: Iterator[tuple[pa.Array, pa.Array]]) -> Iterator[pa.Array]:
        for texts in batches:
            titles, artists = (column.to_pylist() for column in texts)
            ends, keys = block_keys(titles, artists, asked)
            blocks = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(keys))
            yield pa.StructArray.from_arrays([blocks, *map(pa.array, sketches(titles, artists))], ["blocks", *_SKETCH])

    # Spark reads the shape of the function from its annotations, which must be types and not their text.
    take_apart.__annotations__ = {"batches": Iterator[tuple[pa.Array, pa.Array]], "return": Iterator[pa.Array]}
    return F.arrow_udf(take_apart, "struct<blocks:array<bigint>,low:bigint,high:bigint>")(title, artist)  # type: ignore[call-overload]
