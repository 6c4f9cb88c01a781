"""Content root v1: what a table's rows come to, in any order and in any engine. content-root.md says it in words, with test vectors."""

from __future__ import annotations

import decimal
import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any


def text_of(declared: str) -> Callable[[Any], str]:
    """What writes a value of a declared type as its text."""
    kind, _, inside = declared.removesuffix(">").partition("<")
    if found := re.fullmatch(r"decimal\(\d+,(\d+)\)", declared):
        scale = int(found.group(1))
        return lambda value: f"{value or decimal.Decimal(0):.{scale}f}"
    if kind == "array":
        element = item_of(inside)
        return lambda values: "".join(map(element, values))
    if kind == "struct":
        members = [(name, item_of(of)) for name, _, of in (part.partition(":") for part in split(inside))]
        return lambda value: "".join(write(value[name]) for name, write in members)
    if kind == "map":
        key, held = map(item_of, split(inside))
        return lambda value: "".join(key(k) + held(value[k]) for k in sorted(value, key=lambda k: str(k).encode()))
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    return str


def item_of(declared: str) -> Callable[[Any], str]:
    """What writes a value of a declared type as an item: N, or the length of its text in octets and the text."""
    write = text_of(declared)

    def item(value: Any) -> str:
        if value is None:
            return "N"
        text = write(value)
        return f"{len(text.encode())}:{text}"

    return item


def split(text: str) -> list[str]:
    """`text` at its commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def head(level: list[bytes]) -> bytes:
    """The head of the Merkle tree of RFC 9162 over leaf hashes."""
    if not level:
        return sha256(b"")
    while len(level) > 1:
        joined = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = joined + level[len(joined) * 2 :]
    return level[0]


def root_of(leaves: Iterable[bytes]) -> str:
    """The content root of a set of leaves, in any order."""
    buckets: dict[int, list[bytes]] = {}
    for leaf in leaves:
        buckets.setdefault(leaf[0], []).append(leaf)
    return head([sha256(b"\x00" + bytes([b]) + head(sorted(buckets[b]))) for b in sorted(buckets)]).hex()
