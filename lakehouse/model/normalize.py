"""One normal form of titles and names, the same in Python and in Spark, today and in ten years.

The form is a table from one character to its folded text, built from Unicode 3.2, which every Python carries
unchanged as `unicodedata.ucd_3_2_0`: neither a new Python nor a new JVM moves a key. Characters that Unicode
gained later are letters that stand for themselves, or symbols where their block is one of symbols (emoji).

Folding is NFKC with case folded, and without the marks that spelling varies in: accents of Latin, Greek and
Cyrillic, Arabic vowels, Hebrew points. Marks that make another letter (kana voicing, Indic and Thai vowels)
stay. Then apostrophes go, other symbols become spaces, and spaces are single. A name made of symbols alone
("!!!", "÷") keeps them, so that two such names never share a key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

NORMALIZER_VERSION: Final = "v1"

_UNICODE = unicodedata.ucd_3_2_0

# Where a character can have a folding, be a mark or be a symbol. Ideographs and Hangul syllables stand for themselves.
_SCANNED = (
    range(0x0000, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0x10500), range(0x1D000, 0x1D800),
    range(0x1F000, 0x1FC00), range(0x2F800, 0x2FA20), range(0xE0000, 0xE0200),
)  # fmt: skip
_MARKS = (
    (0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F),  # Latin, Greek, Cyrillic
    (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5), (0x05C7, 0x05C7),  # Hebrew points
    (0x0610, 0x061A), (0x0640, 0x0640), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06DC), (0x06DF, 0x06E4),
    (0x06E7, 0x06E8), (0x06EA, 0x06ED),  # Arabic vowels and lengthening
    (0x00AD, 0x00AD), (0x061C, 0x061C), (0x180B, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE01FF),  # invisible: joiners, directions, variants
)  # fmt: skip
# Blocks whose later additions are symbols.
_SYMBOL_BLOCKS = ((0x2000, 0x2BFF), (0x3000, 0x303F), (0xFE10, 0xFE6F), (0x1F000, 0x1FBFF))
# Letters with no decomposition that are commonly typed without their stroke or ligature.
_PLAIN = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
_APOSTROPHES = "'`´‘’‛ʹʻʼʽˈ′＇"
_KEPT = "™℠" + _APOSTROPHES  # symbols although Unicode decomposes them to letters or spaces

# Voiced kana and Hangul syllables are put together again after decomposition.
_VOICED = {
    f"{base}{mark}": whole
    for base in map(chr, range(0x3041, 0x3100))
    for mark in "\u3099\u309a"
    if len(whole := _UNICODE.normalize("NFC", f"{base}{mark}")) == 1
}
_VOICED_PATTERN = "|".join(
    "[" + "".join(pair[0] for pair in _VOICED if pair[1] == mark) + "]" + mark for mark in "\u3099\u309a"
)  # fmt: skip
JAMO_PATTERN: Final = "[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
COMPOSED_PATTERN: Final = f"{JAMO_PATTERN}|{_VOICED_PATTERN}"
_COMPOSED = re.compile(COMPOSED_PATTERN)


@dataclass(frozen=True)
class FoldTable:
    """The normal form as data. Spark and Python apply exactly these maps, in this order.

    `single`: character to one character, or to "" where it is dropped. `expanded`: character to several.
    `voiced`: kana and voicing mark to one kana. `symbols`: symbol to a space, or to "" for apostrophes.
    """

    single: dict[str, str]
    expanded: dict[str, str]
    voiced: dict[str, str]
    symbols: dict[str, str]


@cache
def fold_table() -> FoldTable:
    """The table of the current NORMALIZER_VERSION, built once a process (some milliseconds)."""
    single: dict[str, str] = {}
    expanded: dict[str, str] = {}
    symbols: dict[str, str] = {}
    for char in _scanned():
        folded = _fold_char(char)
        if folded != char:
            (single if len(folded) < 2 else expanded)[char] = folded
        if char in _APOSTROPHES:
            symbols[char] = ""
        elif _is_symbol(char):
            symbols[char] = " "
    return FoldTable(single, expanded, dict(_VOICED), symbols)


def normalize(text: str | None) -> str:
    """The normal form of a title or name; "" for None and for what has no visible character. Idempotent."""
    text = text or ""
    # Most texts are plain words: for them the tables say no more than this.
    if text.isascii() and text.replace(" ", "").isalnum():
        return " ".join(text.lower().split())
    folded = fold(text)
    spaced = " ".join(folded.translate(_symbol_map()).split(" ")).strip(" ")
    plain = re.sub(" +", " ", spaced)
    return plain or _WHITE.sub("", folded)


def fold(text: str) -> str:
    """Case, marks and compatibility forms folded; symbols and spaces as they are."""
    return _COMPOSED.sub(_compose, text.translate(_fold_map()))


# What counts as blank when only symbols are left: written out, because engines differ in what \s means.
WHITE_PATTERN: Final = "[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_WHITE = re.compile(WHITE_PATTERN)


@cache
def _fold_map() -> dict[int, str]:
    table = fold_table()
    return {ord(char): folded for char, folded in [*table.single.items(), *table.expanded.items()]}


@cache
def _symbol_map() -> dict[int, str]:
    return {ord(char): blank for char, blank in fold_table().symbols.items()}


def _scanned() -> Iterator[str]:
    for block in _SCANNED:
        yield from (chr(code) for code in block if not 0xD800 <= code <= 0xDFFF)


def _fold_char(char: str) -> str:
    if _within(char, _MARKS):
        return ""
    if char in _KEPT or _UNICODE.category(char) == "Cn":
        return char
    # Case is folded twice around the marks: some capitals decompose only when folded, some marks fold to letters.
    letters = _without_marks(_UNICODE.normalize("NFKD", char)).casefold()
    letters = _without_marks(_UNICODE.normalize("NFKD", letters))
    folded = _COMPOSED.sub(_compose, "".join(_PLAIN.get(letter, letter) for letter in letters))
    # A symbol that unfolds to symbols only ("…" to "...") is a space all the same: leave it whole.
    return char if _is_symbol(char) and all(map(_is_symbol, folded)) and len(folded) != 1 else folded


def _without_marks(text: str) -> str:
    return "".join(char for char in text if not _within(char, _MARKS))


def _is_symbol(char: str) -> bool:
    category = _UNICODE.category(char)
    if category == "Cn":
        return _within(char, _SYMBOL_BLOCKS)
    return char in _KEPT or category[0] in "PSZ" or category == "Cc"


def _within(char: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)


def _compose(match: re.Match[str]) -> str:
    found = match.group()
    if found in _VOICED:
        return _VOICED[found]
    # Unicode, section 3.12: a syllable's code from its lead, vowel and optional tail.
    lead, vowel, tail = (*map(ord, found), 0x11A7)[:3]
    return chr(0xAC00 + ((lead - 0x1100) * 21 + vowel - 0x1161) * 28 + tail - 0x11A7)
