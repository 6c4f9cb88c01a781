"""A table with a column of every type a content root can hold, and random rows of it."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from lakehouse.tables.declare import MONEY, Field, Table

STAGES = "array<struct<stage:string,term:string,amount_in:decimal(38,18),amount_out:decimal(38,18)>>"

every_type = Table(
    name="test.every_type",
    doc="One column of each type.",
    grain=("id",),
    fields=(
        Field("id", "string", "Id"),
        Field("currency", "string", "Currency", required=True),
        Field("flag", "boolean", "Boolean"),
        Field("small", "int", "32 bits"),
        Field("large", "bigint", "64 bits"),
        Field("day", "date", "Date"),
        Field("at", "timestamp", "Microseconds, UTC"),
        Field("amount", MONEY, "Money"),
        Field("units", "decimal(20,6)", "Units"),
        Field("words", "array<string>", "Strings"),
        Field("stages", STAGES, "Structs with money"),
        Field("pins", "map<string,string>", "Map"),
        Field("score", "double", "Not part of the root", rooted=False),
    ),
)

# Separators and digits that could be mistaken for the format's own, letters of two to four octets, and controls.
text = st.text(st.sampled_from("a1:N/\n,\x00é漢🎵;\"'\\= "), max_size=6) | st.text(st.characters(codec="utf-8"), max_size=4)
maybe_text = st.none() | text


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    """Any value of the type, with the edges: zero, minus the last digit, the largest."""
    largest = 10**precision - 1
    digits = st.sampled_from([0, -1, 1, largest, -largest]) | st.integers(-largest, largest) | st.integers(-(10**9), 10**9)
    return digits.map(lambda unscaled: _scaled(unscaled, scale))


def _scaled(unscaled: int, scale: int) -> Decimal:
    """Built from its digits: arithmetic would round to the context's 28."""
    return Decimal((int(unscaled < 0), tuple(int(digit) for digit in str(abs(unscaled))), -scale))


money = decimals(34, 18)  # the sums of a few of them still fit into 38 digits
stage = st.none() | st.fixed_dictionaries(
    {
        "stage": maybe_text,
        "term": maybe_text,
        "amount_in": st.none() | decimals(38, 18),
        "amount_out": st.none() | decimals(38, 18),
    }
)
rows: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "id": maybe_text,
        "currency": st.sampled_from(["EUR", "JPY"]),
        "flag": st.none() | st.booleans(),
        "small": st.none() | st.integers(-(2**31), 2**31 - 1),
        "large": st.none() | st.integers(-(2**63), 2**63 - 1),
        "day": st.none() | st.dates(date(1600, 1, 1), date(9999, 12, 31)),
        "at": st.none() | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(timezone.utc)),  # noqa: DTZ001
        "amount": st.none() | money,
        "units": st.none() | decimals(18, 6),
        "words": st.none() | st.lists(maybe_text, max_size=3),
        "stages": st.none() | st.lists(stage, max_size=3),
        "pins": st.none() | st.dictionaries(text, maybe_text, max_size=3),
        "score": st.none(),
    }
)
