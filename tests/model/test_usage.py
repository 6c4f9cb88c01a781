"""The contract of a usage line: Pydantic and Spark accept the same rows and give the same values; grammars agree likewise."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from lakehouse.model.identifiers import gtin_check_digit_holds
from lakehouse.model.usage import FIELDS, UsageLine, reasons_against
from lakehouse.model.vocabulary import NOT_INCOME

GOOD = {
    "usage_period": "2026-05",
    "sale_date": "2026-05-31",
    "meaning": "generation",
    "channel": "Spotify",
    "configuration": "stream",
    "territory": "DE",
    "price_category": "premium",
    "isrc": "QZMO12600001",
    "upc": "00196000000017",
    "title": "Night Ferry",
    "artist": "Mara Okafor",
    "album": None,
    "label": None,
    "proprietary_id": None,
    "subscriber": None,
    "units": "12",
    "amount": "0.000000000000000001",
    "currency": "EUR",
    "gross": None,
    "ppd": None,
    "retail": "9.99",
}

# Texts at and beyond the edges of every rule; each is tried in every field.
EDGES = [
    None,
    "",
    " ",
    "0",
    "-0",
    "-0.0",
    "1",
    "-1.5",
    "1.",
    ".5",
    "1,5",
    "1e3",
    "NaN",
    "Infinity",
    "9" * 20,
    "9" * 21,
    "9" * 14,
    "9" * 15,
    "0." + "1" * 18,
    "0." + "1" * 19,
    "0.123456",
    "0.1234567",
    "1\n",
    "１",
    "٣",
    "2026-05",
    "2026-5",
    "2026-13",
    "1899-12",
    "2199-12",
    "2026-02-29",
    "2024-02-29",
    "2026-04-31",
    "2026-05-01\n",
    "20260501",
    "0000-00-00",
    "generation",
    "transfer",
    "Generation",
    "stream",
    "ugc",
    "",
    "DE",
    "de",
    "ZZ",
    "XK",
    "UK",
    "DE,AT",
    ",",
    "EUR",
    "eur",
    "EURO",
    "USD,EUR",
    "QZMO12600001",
    "QZMO1260000",
    "qzmo12600001",
    "QZMO12600001\n",
    "00196000000017",
    "00196000000018",
    "1" * 13,
    "1" * 14,
    "1" * 15,
    "a" * 2000,
    "a" * 2001,
    "𝄞" * 2000,
    "𝄞" * 2001,
    "Ünïcødé",
    "null",
    "None",
    "'1.000'",
]


def lines() -> list[dict[str, str | None]]:
    single = [{**GOOD, name: text} for name in FIELDS for text in EDGES]
    chance = random.Random(20260601)
    mixed = [{name: chance.choice([GOOD[name], chance.choice(EDGES)]) for name in FIELDS} for _ in range(500)]
    return [GOOD, *single, *mixed]


@pytest.mark.spark
def test_spark_accepts_a_row_exactly_when_pydantic_does_and_types_it_alike(spark: Any) -> None:
    from lakehouse.checks.rows import CARRIED, REASONS_TYPE, judge, split

    rows = lines()
    carried = {name: "x" for name in (*CARRIED, "report_period", "usage_key") if name not in ("cells", "line_no")}
    schema = ", ".join(["number int", *(f"{name} string" for name in (*FIELDS, *carried))])
    data = [(number, *row.values(), *carried.values()) for number, row in enumerate(rows)]
    canonical = spark.createDataFrame(data, schema).selectExpr(
        "*", "cast(number as bigint) AS line_no", "array('x') AS cells", f"cast(array() AS {REASONS_TYPE}) AS faults",
        "cast(NULL AS map<string,string>) AS amounts", "cast(NULL AS array<string>) AS oddities",
    )  # fmt: skip
    good, ignored, rejected = split(judge(canonical))
    accepted = {row.line_no: row.asDict() for row in good.collect()}
    refused = {row.line_no: [tuple(reason) for reason in row.reasons] for row in rejected.collect()}
    set_aside = {row.line_no for row in ignored.collect()}
    assert sorted([*accepted, *refused, *set_aside]) == list(range(len(rows)))
    assert set_aside == {number for number, row in enumerate(rows) if row["meaning"] in NOT_INCOME}
    for number, row in enumerate(rows):
        if number in set_aside:
            continue
        reasons = reasons_against(row)
        assert (number in accepted) == (not reasons), (row, reasons)
        if reasons:
            assert refused[number] == [tuple(reason) for reason in reasons]
        else:
            line = UsageLine.model_validate(row)
            assert {name: accepted[number][name] for name in FIELDS} == dict(line)
            assert tuple(accepted[number]["warnings"] or ()) == line.warnings
    assert len(accepted) > 100
    assert len(refused) > 100


def test_every_reason_is_told_at_once_with_the_value_found() -> None:
    reasons = reasons_against({**GOOD, "isrc": "short", "amount": "1,50", "usage_period": None})
    assert [(reason.column, reason.rule, reason.value) for reason in reasons] == [
        ("usage_period", "required", None),
        ("isrc", "pattern", "short"),
        ("amount", "decimal", "1,50"),
    ]


def test_a_line_has_its_types() -> None:
    line = UsageLine.model_validate(GOOD)
    assert line.amount == Decimal("0.000000000000000001")
    assert line.sale_date is not None
    assert line.sale_date.isoformat() == "2026-05-31"


@pytest.mark.parametrize(("upc", "holds"), [("05060000000016", True), ("00196000000017", True), ("00196000000018", False)])
def test_the_check_digit_of_a_upc(upc: str, holds: bool) -> None:
    # Weights 3 and 1 in turn: 5 + 6 + 3 + 6 = 20, 3 + 9 + 18 + 3 + 7 = 40, and one more is 41.
    assert gtin_check_digit_holds(upc) is holds
