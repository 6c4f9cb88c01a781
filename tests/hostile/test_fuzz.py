"""Damage done at random to every sample: each file is read with an equal total, or rows of it are quarantined, or it is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.reading import Read, read_all
from tests.support.reports import SAMPLES, dialects

pytestmark = pytest.mark.slow

KNOWN = dialects()
GIVEN = {"currency": "EUR"}
FILES = sorted(
    path
    for path in SAMPLES.glob("*/*")
    if path.suffix != ".yaml" and KNOWN.recognise(path.read_bytes(), path.name, given=GIVEN).dialect
)
TEXTS = [path for path in FILES if path.suffix not in (".xlsx", ".zip", ".gz")]
# What damages a file without spelling another number: a changed digit or sign is another figure, and no reader can know it.
MARKS = [
    b'"',
    b'""',
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b";",
    b"|",
    b"x",
    b"QQ",
    b"\x07",
    b"\x1b",
    b"\xff",
    b"\xc3",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
    b"#",
    b"=",
]
DAMAGE = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

Edit = Callable[[bytes], bytes]


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """One change at a random place: something put in, or a mark between cells or rows taken away."""
    place, kind = draw(st.floats(0, 1)), draw(st.sampled_from(["put", "take", "cut", "line twice", "line away"]))
    mark = draw(st.sampled_from(MARKS))

    def change(data: bytes) -> bytes:
        at = int(place * len(data))
        if kind == "put":
            return data[:at] + mark + data[at:]
        if kind == "take":
            at = next((n for n in range(at, len(data)) if data[n] in b'"\t;|\r\n'), len(data))
            return data[:at] + data[at + 1 :]
        if kind == "cut":
            return data[:at]
        start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) + 1
        if end == 0:
            return data
        return data[:end] + data[start:] if kind == "line twice" else data[:start] + data[end:]

    return change


@cache
def original(path: Path) -> Read:
    return read_all(KNOWN.recognise(path.read_bytes(), path.name, given=GIVEN))


def amounts(found: Read, without: int | None = None) -> Counter[tuple[Any, Any]]:
    return Counter((row["amount"], row["currency"]) for line, row in found.accepted.items() if line != without)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.name}")
@DAMAGE
@given(edit=edits())
def test_damage_never_changes_the_money_of_a_row(path: Path, edit: Edit) -> None:
    seen = KNOWN.recognise(edit(path.read_bytes()), path.name, given=GIVEN)
    if seen.dialect is None:
        assert seen.reason
        return
    if seen.dialect.dsr and seen.dialect.dsr.shared:
        # Its rows share the money of their summary: another row, other shares.
        return
    before, after = original(path), read_all(seen)
    # A figure that was cut in two at the end of the file is another figure, and no reader can know it.
    last = None if seen.payload.endswith((b"\n", b"\r", b"\n\0")) else max(after.accepted, default=None)
    # No row is worth what no row was worth: one that is gone was cut away, or is in quarantine.
    known = amounts(before) + Counter(before.refused_money)
    assert not amounts(after, last) - (known + known)


def replaced(data: bytes, at: float, mark: bytes) -> bytes:
    """The mark put in the place of nothing."""
    place = int(at * len(data))
    return data[:place] + mark + data[place:]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.name}")
@DAMAGE
@given(at=st.floats(0, 1), mark=st.sampled_from(MARKS))
def test_a_mark_put_in_leaves_the_total_or_shows_in_quarantine(path: Path, at: float, mark: bytes) -> None:
    seen = KNOWN.recognise(replaced(path.read_bytes(), at, mark), path.name, given=GIVEN)
    if seen.dialect is None:
        assert seen.reason
        return
    before, after = original(path), read_all(seen)
    equal = {k: v for k, v in after.totals.items() if v} == {k: v for k, v in before.totals.items() if v}
    assert equal or [*after.quarantined.values()] != [*before.quarantined.values()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
@DAMAGE
@given(data=st.data())
def test_any_bytes_changed_never_break_the_reader(path: Path, data: st.DataObject) -> None:
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    seen = KNOWN.recognise(bytes(content), path.name, given=GIVEN)
    if seen.dialect is None:
        assert seen.reason
    else:
        found = read_all(seen)
        assert all(isinstance(total, Decimal) and total.is_finite() for total in found.totals.values())


@given(st.binary(max_size=4000))
def test_any_bytes_at_all_are_refused_in_words(content: bytes) -> None:
    seen = KNOWN.recognise(content, "a.csv")
    assert seen.dialect is None
    assert seen.reason
