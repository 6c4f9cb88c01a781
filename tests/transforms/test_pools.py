"""A pool is divided as the reference divides it, to the last digit, whatever its signs and however its lines are laid out."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.errors import Findings
from lakehouse.model.clauses import Condition, Usage
from lakehouse.model.money import add, from_units
from lakehouse.model.pools import pooled
from lakehouse.model.rules import Pool
from lakehouse.model.trial_rows import UsageRow
from lakehouse.tables import gold
from lakehouse.tables.gold import line_key
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

_COLUMNS = ", ".join(f"{field.name} {field.type}" for field in gold.GROUP_FIELDS) + (
    ", usage_lines bigint, units decimal(20,6), gross decimal(38,18), amount decimal(38,18)"
)
POOLS = (
    Pool(name="us", method="pro_rata", dsp_cut="1/3", minimum="9000", when=Condition(territory="US", from_period="2026-02")),  # type: ignore[arg-type]
    Pool(name="rest", method="pro_rata", dsp_cut="30%", when=Condition(channel=("Spotify", "Deezer"), to_period="2026-03")),  # type: ignore[arg-type]
)
# Whether the money and the units of a currency's pool are mostly more than nothing.
SIGNS = {"EUR": (1, 1), "USD": (-1, 1), "JPY": (1, -1), "GBP": (-1, -1)}


def _group(number: int, random: Random) -> dict[str, Any]:
    currency = random.choice(list(SIGNS))
    money, units = SIGNS[currency]
    return {
        **DIMENSIONS, "usage_key": digest(f"K{number}"), "currency": currency, "territory": random.choice(["US", "DE"]),
        "channel": random.choice(["Spotify", "Deezer", "Qobuz"]), "usage_period": random.choice(["2026-01", "2026-03", "2026-04"]),
        "report_period": "2026-05", "source": random.choice(["believe", "adjustment"]), "usage_lines": 1,
        "units": units * from_units(random.randrange(-(10**7), 10**8) * 10**12), "gross": None,
        "amount": money * from_units(random.randrange(-(10**20), 10**22)),
    }  # fmt: skip


def _by_the_reference(groups: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    told = ("territory", "channel", "configuration", "price_category", "source", "usage_period", "currency", "units")
    rows = [
        UsageRow(line_key({**g, "hold_id": None}), "2026-05", g["amount"], g["currency"], "", None, "", Usage("", **{n: g[n] for n in told}))
        for g in groups
    ]  # fmt: skip
    # An adjustment is in no pool of a lake.
    bases = pooled(POOLS, [row for row in rows if row.usage.source != "adjustment"])
    return {
        row.line_id: (add(amount), [(s.stage, s.term, add(s.amount_in), add(s.amount_out)) for s in steps] or None)
        for row in rows
        for amount, steps in [bases.get(row.line_id, (row.amount, ()))]
    }


def test_every_pool_is_divided_as_by_the_reference(spark: SparkSession) -> None:
    from lakehouse.transforms.pools import divide_pools, pool_parts

    random = Random(20260601)
    groups = [_group(number, random) for number in range(300)]
    expected = _by_the_reference(groups)
    assert {stage for _, steps in expected.values() for stage, *_ in steps or ()} == {"pro_rata", "breakage"}
    for partitions in (1, 5):
        divided = divide_pools(frame(spark, _COLUMNS, groups).repartition(partitions), POOLS, by_day=False).cache()
        found = dicts(divided)
        assert {
            line_key({**row, "hold_id": None}): (row["amount"], row["pooled"] and [tuple(s.values()) for s in row["pooled"]])
            for row in found
        } == expected
    # What usage gives to its pool, and what it keeps, is what the reports say.
    given = {row["usage_key"]: row["amount"] for row in dicts(pool_parts(divided, "1"))}
    assert all(add(row["amount"], given.get(row["usage_key"], Decimal(0))) == row["base"] for row in found)


def test_a_pool_without_units_stops_the_run_and_is_named(spark: SparkSession) -> None:
    from lakehouse.transforms.pools import divide_pools

    group = {**_group(1, Random(1)), "territory": "US", "usage_period": "2026-03", "source": "believe", "units": Decimal(0)}
    with pytest.raises(Findings, match=r"The pool us of 2026-05 in [A-Z]{3} has no units to divide"):
        divide_pools(frame(spark, _COLUMNS, [group]), POOLS, by_day=False)
