"""The usage key: which recording a usage line names, as one hash that the matcher decides on.

Key version v1. Each of the seven fields is brought to its normal form and written as `octets:text`, or `N` when
it is missing or blank; the key is SHA-256, in hex, over `v1|isrc|upc|title|artist|album|label|proprietary_id`.
The lengths make the text unambiguous whatever the fields contain.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.model.normalize import COMPOSED_PATTERN, JAMO_PATTERN, WHITE_PATTERN, fold_table

KEY_VERSION: Final = "v1"
KEY_FIELDS: Final = ("isrc", "upc", "title", "artist", "album", "label", "proprietary_id")

# The few expansions that are common enough not to leave the fast path.
_FREQUENT = ("ß", "æ", "œ", "Æ", "Œ", "þ", "Þ", "ﬁ", "ﬂ")
_ENTRY, _IS = "\u0001", "\u0002"


def usage_key(
    isrc: Column, upc: Column, title: Column, artist: Column, album: Column, label: Column, proprietary_id: Column
) -> Column:
    """The key of a usage line: 64 hex digits, never NULL. Any field may be NULL; blank counts as missing."""
    texts = [_code(isrc), _code(upc), *(normalized(field) for field in (title, artist, album, label)), F.trim(proprietary_id)]
    return F.sha2(F.concat_ws("|", F.lit(KEY_VERSION), *map(_framed, texts)), 256)


def normalized(text: Column) -> Column:
    """`lakehouse.model.normalize.normalize` as a Spark expression; NULL gives "", as None does there."""
    folded = folded_text(F.coalesce(text, F.lit("")))
    spaced = F.trim(F.regexp_replace(_translated(folded, fold_table().symbols), " +", " "))
    return F.when(spaced != "", spaced).otherwise(F.regexp_replace(folded, WHITE_PATTERN, ""))


def folded_text(text: Column) -> Column:
    """`lakehouse.model.normalize.fold` as a Spark expression."""
    table = fold_table()
    folded = _translated(text, table.single)
    for char in _FREQUENT:
        folded = F.replace(folded, F.lit(char), F.lit(table.expanded[char]))
    rare = {char: expansion for char, expansion in table.expanded.items() if char not in _FREQUENT}
    # Both rewrites go character by character, so they are kept for the texts that hold such a character.
    folded = F.when(_contains(folded, rare), _rewritten(folded, "(?s).", _looked_up(rare))).otherwise(folded)
    composable = [*map(chr, range(0x1161, 0x1176)), "\u3099", "\u309a"]
    return F.when(_contains(folded, composable), _rewritten(folded, f"(?s){COMPOSED_PATTERN}|.", _composed)).otherwise(folded)


def _code(identifier: Column) -> Column:
    return F.upper(F.regexp_replace(identifier, "[^0-9A-Za-z]", ""))


def _framed(text: Column) -> Column:
    return F.when(F.coalesce(text, F.lit("")) == "", F.lit("N")).otherwise(
        F.concat(F.octet_length(text).cast("string"), F.lit(":"), text)
    )


def _translated(text: Column, table: dict[str, str]) -> Column:
    """One pass of Spark's `translate`: dropped characters come last, where the replacement has run out."""
    kept = {char: to for char, to in table.items() if to}
    dropped = [char for char, to in table.items() if not to]
    return F.translate(text, "".join([*kept, *dropped]), "".join(kept.values()))


def _contains(text: Column, characters: Iterable[str]) -> Column:
    return F.translate(text, "".join(characters), "") != text


def _rewritten(text: Column, pattern: str, rewrite: object) -> Column:
    tokens = F.regexp_extract_all(text, F.lit(pattern), F.lit(0))
    return F.array_join(F.transform(tokens, rewrite), "")  # type: ignore[arg-type]


@cache
def _entries(table: tuple[tuple[str, str], ...]) -> str:
    return _ENTRY.join(f"{char}{_IS}{to}" for char, to in table)


def _looked_up(table: dict[str, str]):  # type: ignore[no-untyped-def]
    entries = F.str_to_map(F.lit(_entries(tuple(table.items()))), F.lit(_ENTRY), F.lit(_IS))
    return lambda token: F.coalesce(F.try_element_at(entries, token), token)


def _composed(token: Column) -> Column:
    def jamo(position: int, first: int) -> Column:
        char = F.substring(token, position, 1)
        return F.when(char == "", F.lit(0)).otherwise(F.conv(F.hex(F.encode(char, "UTF-16BE")), 16, 10).cast("int") - first)

    code = (jamo(1, 0x1100) * 21 + jamo(2, 0x1161)) * 28 + jamo(3, 0x11A7) + 0xAC00
    syllable = F.decode(F.unhex(F.hex(code)), "UTF-16BE")
    return F.when(token.rlike(f"^{JAMO_PATTERN}$"), syllable).otherwise(_looked_up(fold_table().voiced)(token))
