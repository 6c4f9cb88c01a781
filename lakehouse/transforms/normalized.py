"""`lakehouse.model.normalize` as native Spark expressions: the same normal form for a million catalog rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.model.normalize import COMPOSED_PATTERN, JAMO_PATTERN, WHITE_PATTERN, fold_table

# The few expansions that are common enough not to leave the fast path.
_FREQUENT = ("ß", "æ", "œ", "Æ", "Œ", "þ", "Þ", "ﬁ", "ﬂ")
# Vowels of Hangul and voicing marks: what only occurs in a text that can be composed.
_PARTS = (*map(chr, range(0x1161, 0x1176)), "\u3099", "\u309a")
_ENTRY, _IS = "\u0001", "\u0002"


def normalized(text: Column) -> Column:
    """`lakehouse.model.normalize.normalize` as a Spark expression; NULL gives "", as None does there."""
    return _normalized_all(F.array(text))[0]


def _normalized_all(texts: Column) -> Column:
    """The normal form of each text in an array.

    Each step reads its input more than once. A lambda names that input, where nested expressions would repeat it
    and its table: an expression of some hundred nodes instead of some ten thousand, planned in milliseconds.
    """
    table = fold_table()
    rare = {char: expansion for char, expansion in table.expanded.items() if char not in _FREQUENT}
    folded = F.transform(texts, lambda text: _folded(F.coalesce(text, F.lit(""))))
    # Both rewrites go character by character, so they are kept for the texts that hold such a character.
    expanded = F.transform(folded, lambda text: _where_any(text, rare, _rewritten(text, "(?s).", _looked_up(rare))))
    composed = F.transform(
        expanded, lambda text: _where_any(text, _PARTS, _rewritten(text, f"(?s){COMPOSED_PATTERN}|.", _composed))
    )
    return F.transform(composed, _spaced)


def _folded(text: Column) -> Column:
    table = fold_table()
    folded = _translated(text, table.single)
    for char in _FREQUENT:
        folded = F.replace(folded, F.lit(char), F.lit(table.expanded[char]))
    return F.when(_is_ascii(text), F.lower(text)).otherwise(folded)


def _spaced(folded: Column) -> Column:
    plain = F.trim(F.regexp_replace(_translated(folded, fold_table().symbols), " +", " "))
    return F.coalesce(F.nullif(plain, F.lit("")), F.regexp_replace(folded, WHITE_PATTERN, ""))


def _where_any(text: Column, characters: Iterable[str], rewritten: Column) -> Column:
    """`rewritten` for a text that has one of the characters, none of which is ASCII; else the text."""
    has_any = F.translate(text, "".join(characters), "") != text
    return F.when(_is_ascii(text), text).when(has_any, rewritten).otherwise(text)


def _is_ascii(text: Column) -> Column:
    return F.octet_length(text) == F.char_length(text)


def _translated(text: Column, table: dict[str, str]) -> Column:
    """One pass of Spark's `translate`: dropped characters come last, where the replacement has run out."""
    kept = {char: to for char, to in table.items() if to}
    dropped = [char for char, to in table.items() if not to]
    return F.translate(text, "".join([*kept, *dropped]), "".join(kept.values()))


def _rewritten(text: Column, pattern: str, rewrite: Callable[[Column], Column]) -> Column:
    tokens = F.regexp_extract_all(text, F.lit(pattern), F.lit(0))
    return F.array_join(F.transform(tokens, rewrite), "")


def _looked_up(table: dict[str, str]) -> Callable[[Column], Column]:
    entries = F.str_to_map(F.lit(_ENTRY.join(f"{char}{_IS}{to}" for char, to in table.items())), F.lit(_ENTRY), F.lit(_IS))
    return lambda token: F.coalesce(F.try_element_at(entries, token), token)


def _composed(token: Column) -> Column:
    def jamo(position: int, first: int) -> Column:
        char = F.substring(token, position, 1)
        return F.when(char == "", F.lit(0)).otherwise(F.conv(F.hex(F.encode(char, "UTF-16BE")), 16, 10).cast("int") - first)

    code = (jamo(1, 0x1100) * 21 + jamo(2, 0x1161)) * 28 + jamo(3, 0x11A7) + 0xAC00
    syllable = F.decode(F.unhex(F.hex(code)), "UTF-16BE")
    return F.when(token.rlike(f"^{JAMO_PATTERN}$"), syllable).otherwise(_looked_up(fold_table().voiced)(token))
