"""Spark divides money exactly as the reference engine does, however the groups are laid out."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.model.money import add
from lakehouse.tables import gold
from lakehouse.tables.gold import GROUP
from tests.support.books import book_of
from tests.support.frames import DIMENSIONS, dicts, digest, frame
from tests.support.groups import BOOK, by_the_reference, random_groups

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

_COLUMNS = ", ".join(f"{field.name} {field.type}" for field in gold.GROUP_FIELDS) + (
    ", usage_lines bigint, units decimal(20,6), gross decimal(38,18), amount decimal(38,18), recording_id string, catalog_artist string,"
    " catalog_label string, release string, release_type string, catalog_group string, hold_id string"
)


def _by_spark(row: dict[str, Any]) -> tuple[Any, ...]:
    trail = None if row["stages"] is None else tuple(tuple(step.values()) for step in row["stages"])
    return (
        *(row[name] for name in ("usage_key", "contract_id", "contract_version", "payee", "role", "category", "amount")),
        trail,
    )


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def _groups(spark: SparkSession, rows: list[dict[str, Any]], partitions: int = 3) -> DataFrame:
    return frame(spark, _COLUMNS, rows).repartition(partitions)


def test_spark_gives_every_group_the_parts_of_the_reference_engine(spark: SparkSession) -> None:
    from lakehouse.transforms.resolve import resolve

    groups, book = random_groups(400), book_of(BOOK)
    expected = [part for group in groups for part in by_the_reference(group, book)]
    assert {part[1] for part in expected} == {None, "C-1", "C-2"}  # every contract is met, and none
    found = dicts(resolve(_groups(spark, groups), book))
    assert _sorted([_by_spark(row) for row in found]) == _sorted(expected)


def test_royalty_lines_are_known_by_their_ids_and_add_up_to_their_groups(spark: SparkSession) -> None:
    from pyspark.sql import functions as F

    from lakehouse.transforms.resolve import resolve, royalty_lines

    groups, book = random_groups(200), book_of(BOOK)
    layouts = [
        royalty_lines(resolve(_groups(spark, groups, partitions), book), "2026-05").withColumn("layout", F.lit(partitions))
        for partitions in (1, 7)
    ]
    found = dicts(layouts[0].unionByName(layouts[1]))
    ids = {layout: sorted(row["line_id"] for row in found if row["layout"] == layout) for layout in (1, 7)}
    assert ids[1] == ids[7]
    assert len(set(ids[1])) == len(ids[1])
    given: dict[str, list[Decimal]] = defaultdict(list)
    for row in found:
        if row["layout"] == 1:
            given[row["usage_key"]].append(row["amount"])
    bases = {group["usage_key"]: group["amount"] for group in groups}
    assert {key: add(*amounts) for key, amounts in given.items()} == {key: bases[key] for key in given}


def test_a_group_that_was_held_before_gets_lines_of_its_own(spark: SparkSession) -> None:
    """The same dimensions may come fresh and from a hold: both are paid, and their lines have different ids."""
    from lakehouse.transforms.resolve import resolve, royalty_lines

    fresh = {
        **random_groups(1)[0],
        "usage_period": "2026-04",
        "catalog_artist": "Mira Okoye",
        "amount": Decimal(6),
        "hold_id": None,
    }
    found = dicts(royalty_lines(resolve(_groups(spark, [fresh, {**fresh, "hold_id": "h1"}]), book_of(BOOK)), "2026-05"))
    assert sum(row["amount"] for row in found) == 12
    assert len({row["line_id"] for row in found}) == len(found)


def test_parts_that_do_not_add_up_stop_the_run(spark: SparkSession) -> None:
    from lakehouse.checks.totals import require_parts_add_up
    from lakehouse.errors import Findings

    rows = [{**DIMENSIONS, "contract_id": "C-1", "base": "10", "amount": amount} for amount in ("5", "4.999999999999999999")]
    columns = ", ".join(f"{f.name} {f.type}" for f in gold.GROUP_FIELDS)
    resolved = frame(spark, f"{columns}, hold_id string, contract_id string, base decimal(38,18), amount decimal(38,18)", rows)
    with pytest.raises(Findings, match=r"believe 2026-03 EUR key .*: 10\.0+ in, 9\.999999999999999999 out"):
        require_parts_add_up(resolved)


def test_a_reversal_mirrors_a_published_line_and_is_booked_once(spark: SparkSession) -> None:
    from lakehouse.transforms.resolve import reversals

    step = {"stage": "master_share", "term": "C-1/1", "amount_in": Decimal("64"), "amount_out": Decimal("32")}
    line = {
        **DIMENSIONS, "period": "2026-05", "line_id": "l1", "kind": "royalty", "payee": "P-A", "category": "payable",
        "usage_lines": 2, "units": "3", "base": "64", "amount": "32", "stages": [step],
    }  # fmt: skip
    published = [
        line,
        {**line, "line_id": "l2"},
        {**line, "line_id": "x2", "kind": "reversal", "reverses": "l2", "period": "2026-06"},  # reversed before
        {**line, "line_id": "l3", "file_id": digest("ALIVE")},
    ]
    dead = frame(spark, "file_id string", [{"file_id": DIMENSIONS["file_id"]}])
    (mirror,) = dicts(reversals(frame(spark, gold.royalty_lines, published), dead, "2026-07"))
    assert (mirror["kind"], mirror["reverses"], mirror["period"], mirror["usage_lines"]) == ("reversal", "l1", "2026-07", 2)
    assert (mirror["units"], mirror["base"], mirror["amount"]) == (Decimal(-3), Decimal(-64), Decimal(-32))
    assert mirror["stages"] == [{**step, "amount_in": Decimal(-64), "amount_out": Decimal(-32)}]
    assert mirror["line_id"] not in {"l1", "x2"}
    assert all(mirror[name] == line[name] for name in GROUP)
