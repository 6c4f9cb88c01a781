"""Which recordings are worth comparing with a usage key: those that share its rarest block keys.

Never all pairs: block keys that too many recordings share are not used, and every step is a plain equi-join
whose fan-out the rules bound. Weights are integers, so that no order of summing changes a choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.model.matching import Blocking

# Letters of a word, and of a whole text, that a block key looks at; and how many words of each text.
_WORD: Final = 3
_PIECE: Final = 5
_TITLE_WORDS: Final = 10
_ARTIST_WORDS: Final = 6


def block_keys(title: Column, artist: Column) -> Column:
    """Block keys of a record as an array of 64-bit hashes. Takes normal forms; either may be empty.

    Two words, one of the title and one of the artist, each by its first or its last letters, in no order: fields come swapped. A word of the
    title also by its first and last letter, which a slip inside leaves. Beginnings, ends
    and insides of both blank-free texts together, for scripts that write no blanks. Neighbours in the title, and its beginning and end, for
    records without an artist.
    """
    words, names = _words(title, _TITLE_WORDS), _words(artist, _ARTIST_WORDS)
    crossed = _crossed(F.concat(_cuts(words), _frames(words)), _cuts(names))
    pieces = _crossed(_pieces(title), _pieces(artist))
    whole = _blank_free(title)
    ends = F.array(
        _hash(F.lit("<"), F.substring(whole, 1, _PIECE)),
        _hash(F.right(whole, F.lit(_PIECE)), F.lit(">")),
        _hash(whole, F.lit("=")),
    )
    keys = F.array_distinct(F.concat(crossed, pieces, ends, _neighbours(words)))
    return F.when(title == "", F.array().cast("array<bigint>")).otherwise(keys)


def asked_keys(title: Column, artist: Column) -> Column:
    """The block keys that a usage key asks for: those of a record, and where it names no artist each two words of its title, with the
    beginning and the end of it all, for an artist may stand in there."""
    words = _cuts(_words(title, _TITLE_WORDS))
    whole = _blank_free(title)
    ends = _pair(F.concat(F.lit("<"), F.substring(whole, 1, _PIECE)), F.concat(F.lit(">"), F.right(whole, F.lit(_PIECE))))
    both = F.concat(_crossed(words, words), F.array(ends))
    merged = F.when((artist == "") & (title != ""), both).otherwise(F.array().cast("array<bigint>"))
    return F.array_union(block_keys(title, artist), merged)


def form_id(recording: Column, title: Column, artist: Column) -> Column:
    """What the index calls a recording under one title and artist: one of another title is another entry, so that entries never change."""
    return F.xxhash64(recording, title, artist)


def build_index(recordings: DataFrame, rules: Blocking) -> DataFrame:
    """[block, part, forms]: which recordings have a block key. `recordings`: form, n_title, n_artist, part."""
    postings = recordings.select("form", "part", F.explode(block_keys(F.col("n_title"), F.col("n_artist"))).alias("block"))
    grouped = postings.groupBy("block", "part").agg(F.collect_list("form").alias("forms"))
    return grouped.where(F.size("forms") <= rules.document_frequency)


def find_candidates(keys: DataFrame, index: DataFrame, rules: Blocking) -> DataFrame:
    """[usage_key, form]: at most `rules.candidates` entries of the index for each usage key.

    `keys`: usage_key, n_title, n_artist. `index`: as build_index makes it; what changed since is another part of it.
    """
    asked = keys.select("usage_key", F.explode(asked_keys(F.col("n_title"), F.col("n_artist"))).alias("block"))
    # Two columns first, the lists only of what was chosen: they are most of the index.
    sizes = index.select("block", "part", F.size("forms").alias("df"))
    rarest = Window.partitionBy("usage_key").orderBy("df", "block", "part")
    chosen = (
        asked.join(sizes, "block")
        .withColumn("nth", F.row_number().over(rarest))
        .withColumn("brought", F.sum("df").over(rarest.rowsBetween(Window.unboundedPreceding, Window.currentRow)))
        .where((F.col("nth") == 1) | ((F.col("nth") <= rules.keys) & (F.col("brought") <= rules.postings)))
        .select(
            "usage_key",
            "block",
            "part",
            F.round(1000 * F.log(F.lit(rules.document_frequency + 1) / F.col("df"))).cast("bigint").alias("weight"),
        )
    )
    best = Window.partitionBy("usage_key").orderBy(F.desc("weight"), "form")
    return (
        chosen.join(index, ["block", "part"])
        .select("usage_key", "weight", F.explode("forms").alias("form"))
        .groupBy("usage_key", "form")
        .agg(F.sum("weight").alias("weight"))
        .withColumn("nth", F.row_number().over(best))
        .where(F.col("nth") <= rules.candidates)
        .select("usage_key", "form")
    )


def _words(text: Column, most: int) -> Column:
    return F.slice(F.filter(F.split(text, " "), lambda word: word != ""), 1, most)


def _cuts(words: Column) -> Column:
    """The beginning and the end of each word."""
    return F.array_distinct(
        F.flatten(F.transform(words, lambda word: F.array(F.substring(word, 1, _WORD), F.right(word, F.lit(_WORD)))))
    )


def _frames(words: Column) -> Column:
    return F.transform(words, lambda word: F.concat(F.left(word, F.lit(1)), F.lit("_"), F.right(word, F.lit(1))))


def _pieces(text: Column) -> Column:
    whole = _blank_free(text)
    pieces = F.array(*[F.concat(F.lit(mark), part) for mark, part in
                       (("<", F.substring(whole, 1, _PIECE)), (">", F.right(whole, F.lit(_PIECE))), ("_", F.substring(whole, 2, _PIECE)))])  # fmt: skip
    return F.when(text == "", F.array().cast("array<string>")).otherwise(pieces)


def _neighbours(words: Column) -> Column:
    """Each word of a title with the next, by their beginnings and by their ends."""

    def pairs(cut: Callable[[Column], Column]) -> Column:
        later = F.slice(words, F.lit(2), F.greatest(F.size(words) - 1, F.lit(0)))
        earlier = F.slice(words, F.lit(1), F.greatest(F.size(words) - 1, F.lit(0)))
        return F.zip_with(earlier, later, lambda one, two: _pair(cut(one), cut(two)))

    return F.concat(pairs(lambda word: F.substring(word, 1, _WORD)), pairs(lambda word: F.right(word, F.lit(_WORD))))


def _crossed(some: Column, others: Column) -> Column:
    return F.flatten(F.transform(some, lambda one: F.transform(others, lambda two: _pair(one, two))))


def _pair(one: Column, two: Column) -> Column:
    return _hash(F.least(one, two), F.greatest(one, two))


def _blank_free(text: Column) -> Column:
    return F.replace(text, F.lit(" "), F.lit(""))


def _hash(one: Column, other: Column) -> Column:
    return F.xxhash64(one, F.lit("\u0001"), other)
