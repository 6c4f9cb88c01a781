"""Content root v1: the reference, its test vectors, and its laws."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.model.content_root import (
    EMPTY_ROOT,
    Root,
    buckets_root,
    content_root,
    leaf,
    merkle_root,
    period_root,
    plain,
    row_text,
)
from lakehouse.model.types import parse_type
from lakehouse.store import duck
from tests.support.lake import arrow_table
from tests.support.rooted_rows import every_type, rows

SPEC = Path(__file__).parents[2] / "docs" / "reference" / "content-root.md"
LEAVES = st.lists(st.binary(min_size=32, max_size=32), max_size=40)


def rfc9162(leaves: list[bytes]) -> bytes:
    """The tree head as the RFC words it: split at the largest power of two below the number of leaves."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + rfc9162(leaves[:half]) + rfc9162(leaves[half:])).digest()


@given(LEAVES)
def test_the_tree_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == rfc9162(leaves)


@given(LEAVES, st.randoms())
def test_the_root_does_not_depend_on_the_order_of_rows(leaves: list[bytes], random: Any) -> None:
    shuffled = leaves.copy()
    random.shuffle(shuffled)
    assert content_root(shuffled) == content_root(leaves)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_leaving_out_or_repeating_one_row_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    one = data.draw(st.integers(0, len(leaves) - 1))
    assert content_root(leaves[:one] + leaves[one + 1 :]) != content_root(leaves)
    assert content_root([*leaves, leaves[one]]) != content_root(leaves)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(rows, rows)
def test_rows_that_differ_have_texts_that_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (row_text(every_type, one) == row_text(every_type, other)) == (one == other)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=5))
def test_duckdb_gives_the_texts_and_roots_of_the_reference(given_rows: list[dict[str, Any]]) -> None:
    with duckdb.connect() as connection:
        connection.register("given", arrow_table(every_type, given_rows))
        texts = connection.execute(duck.row_texts("given", every_type)).fetchall()
        root = duck.table_root(connection, "given", every_type)
    assert [text for (text,) in texts] == [row_text(every_type, row) for row in given_rows]
    assert root == Root(
        every_type.schema_id, len(given_rows), content_root([leaf(every_type, r) for r in given_rows]), totals(given_rows)
    )


def totals(given_rows: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """The sums of the two decimal columns by currency, in integers of the last digit."""
    found: dict[str, dict[str, str]] = {}
    for column, scale in (("amount", 18), ("units", 6)):
        sums: dict[str, int] = {}
        for row in given_rows:
            if row[column] is not None:
                sign, digits, _ = row[column].as_tuple()
                value = int("".join(map(str, digits))) * (-1 if sign else 1)
                sums[row["currency"]] = sums.get(row["currency"], 0) + value
        found[column] = {currency: point(value, scale) for currency, value in sorted(sums.items())}
    return found


def point(value: int, scale: int) -> str:
    """An integer of last digits as plain notation: -5 at scale 2 is -0.05."""
    digits = f"{abs(value):0{scale + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def test_the_root_of_no_rows_is_the_hash_of_nothing() -> None:
    assert content_root([]) == EMPTY_ROOT == hashlib.sha256(b"").hexdigest() == buckets_root({})


@pytest.mark.parametrize(
    ("value", "scale", "written"),
    [
        ("0E-18", 2, "0.00"),
        ("-0", 2, "0.00"),
        ("1E+3", 2, "1000.00"),
        ("-0.05", 2, "-0.05"),
        ("7", 0, "7"),
        ("0.5", 18, "0.500000000000000000"),
    ],
)
def test_decimals_are_written_plainly(value: str, scale: int, written: str) -> None:
    assert plain(Decimal(value), scale) == written


def test_a_decimal_that_does_not_fit_its_scale_is_refused_not_rounded() -> None:
    with pytest.raises(ValueError, match="more than 2 decimals"):
        plain(Decimal("0.005"), 2)


def test_a_type_is_read_as_a_tree_and_nonsense_is_refused() -> None:
    stages = parse_type("array<struct<stage:string,amount_in:decimal(38,18)>>")
    assert [(name, part.kind, part.scale) for name, part in stages.element.parts] == [
        ("stage", "string", 0),
        ("amount_in", "decimal", 18),
    ]
    with pytest.raises(ValueError, match="not one a table may have"):
        parse_type("set<string>")


def test_the_order_of_tables_does_not_change_the_root_of_a_period() -> None:
    roots = {name: Root("s" * 64, n, "r" * 64) for n, name in enumerate(["gold.b", "gold.a"])}
    assert period_root(roots) == period_root(dict(reversed(roots.items())))


def test_the_vectors_in_the_specification_hold() -> None:
    """The page a stranger implements from is itself run."""
    vectors = json.loads(re.search(r"```json vectors\n(.*?)```", SPEC.read_text(encoding="utf-8"), re.S).group(1))  # type: ignore[union-attr]
    assert len(vectors["texts"]) >= 3
    leaves = [hashlib.sha256(b"\x00" + text.encode()).digest() for text in vectors["texts"]]
    assert [found.hex() for found in leaves] == vectors["leaves"]
    assert content_root(leaves) == vectors["root"]
    assert [content_root(leaves[:n]) for n in range(len(leaves))] == vectors["roots_of_the_first_n"]
    lines = [hashlib.sha256(b"\x00" + line.encode()).digest() for line in vectors["period_lines"]]
    assert merkle_root(lines).hex() == vectors["period_root"]
