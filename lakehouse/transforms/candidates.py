"""Which recordings are worth comparing with a usage key: those that share one of its rarest block keys.

Never all pairs: block keys that too many recordings share are not used, and every step is a plain equi-join
whose fan-out the rules bound. Weights are integers, so that no order of summing changes a choice.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.model.matching import Blocking

# Letters of a token, or of a whole title, that a block key looks at.
_TOKEN, _PIECE = 3, 5


def block_keys(title: Column, artist: Column) -> Column:
    """Block keys of a recording as an array of 64-bit hashes. Takes normal forms; either may be empty.

    Pairs of a title word and an artist word, by their first and by their last letters; and the beginning and the
    end of the blank-free title, alone, for keys without an artist and for scripts that write no blanks.
    """
    pairs = [_crossed(title, artist, _beginning), _crossed(title, artist, _end)]
    whole = F.replace(title, F.lit(" "), F.lit(""))
    pieces = F.array(_hash(F.lit("<"), F.substring(whole, 1, _PIECE)), _hash(F.right(whole, F.lit(_PIECE)), F.lit(">")))
    return F.when(title == "", F.array().cast("array<bigint>")).otherwise(F.array_distinct(F.concat(*pairs, pieces)))


def find_candidates(keys: DataFrame, recordings: DataFrame, rules: Blocking) -> DataFrame:
    """At most `rules.candidates` recordings for each usage key.

    `keys`: usage_key, n_title, n_artist. `recordings`: recording_id, n_title, n_artist; several rows a recording
    where it has several titles. Returns usage_key, recording_id.
    """
    postings = recordings.select(
        "recording_id", F.explode(block_keys(F.col("n_title"), F.col("n_artist"))).alias("block")
    ).distinct()
    frequent = postings.groupBy("block").agg(F.count("*").alias("df")).where(F.col("df") <= rules.document_frequency)
    asked = keys.select("usage_key", F.explode(block_keys(F.col("n_title"), F.col("n_artist"))).alias("block"))

    rarest = Window.partitionBy("usage_key").orderBy("df", "block")
    chosen = (
        asked.join(frequent, "block")
        .withColumn("nth", F.row_number().over(rarest))
        .withColumn("brought", F.sum("df").over(rarest.rowsBetween(Window.unboundedPreceding, Window.currentRow)))
        .where((F.col("nth") == 1) | ((F.col("nth") <= rules.keys) & (F.col("brought") <= rules.postings)))
        .select(
            "usage_key",
            "block",
            F.round(1000 * F.log(F.lit(rules.document_frequency + 1) / F.col("df"))).cast("bigint").alias("weight"),
        )
    )
    best = Window.partitionBy("usage_key").orderBy(F.desc("weight"), "recording_id")
    return (
        chosen.join(postings, "block")
        .groupBy("usage_key", "recording_id")
        .agg(F.sum("weight").alias("weight"))
        .withColumn("nth", F.row_number().over(best))
        .where(F.col("nth") <= rules.candidates)
        .select("usage_key", "recording_id")
    )


def _crossed(title: Column, artist: Column, cut: Callable[[Column], Column]) -> Column:
    return F.flatten(F.transform(_tokens(title, cut), lambda one: F.transform(_tokens(artist, cut), lambda two: _hash(one, two))))


def _beginning(word: Column) -> Column:
    return F.substring(word, 1, _TOKEN)


def _end(word: Column) -> Column:
    return F.right(word, F.lit(_TOKEN))


def _tokens(text: Column, cut: Callable[[Column], Column]) -> Column:
    words = F.filter(F.split(text, " "), lambda word: word != "")
    return F.array_distinct(F.transform(words, cut))


def _hash(one: Column, other: Column) -> Column:
    return F.xxhash64(one, F.lit("\u0001"), other)
