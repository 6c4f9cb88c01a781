"""What a person names by the first digits of its id."""

from __future__ import annotations

from typing import Any

from lakehouse.errors import Misuse
from lakehouse.store.reader import LakeReader

# Fewer digits could be anything.
_SHORTEST = 8


def the_one(reader: LakeReader, query: str, given: str, what: tuple[str, str], hint: str) -> dict[str, Any]:
    """The one row that `query` finds for an id, or for its first 8 digits or more, which are its one parameter.

    `what` is what the id is of, as one and as several; `hint` says where they are listed. Raises Misuse where there is none, or more than one.
    """
    one, several = what
    if len(given) < _SHORTEST or not set(given) <= set("0123456789abcdef"):
        raise Misuse(f"{given!r} is no {one}, nor its first {_SHORTEST} digits or more. {hint}")
    found = reader.sql(query, [given])
    if len(found) != 1:
        raise Misuse(f"{f'No {one} begins' if not found else f'{len(found)} {several} begin'} with {given}. {hint}")
    return dict(found[0])
