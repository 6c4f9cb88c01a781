"""Money without an owner: held once, taken away once, its age kept."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.tables import gold
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
_GROUP = (
    ", ".join(f"{field.name} {field.type}" for field in gold.GROUP_FIELDS)
    + ", usage_lines bigint, units decimal(20,6), gross decimal(38,18)"
)


def _group(key: str, **more: Any) -> dict[str, Any]:
    return {**DIMENSIONS, "usage_key": digest(key), "usage_lines": 1, "units": "1", **more}


def test_what_is_unmatched_or_has_no_contract_is_held_once_with_its_reason(spark: SparkSession) -> None:
    from lakehouse.transforms.hold import holds

    unpaid = [
        _group("K1", reconciliation_status="AMBIGUOUS", amount="1"),
        _group("K2", reconciliation_status="UNCLAIMED", amount="2"),
        _group("K3", reconciliation_status="UNCLAIMED", amount="4", hold_id="h3"),  # held already
    ]
    resolved = [
        _group("K4", amount="8", refusal="NO_CONTRACT"),
        _group("K5", amount="16", contract_id="C-1"),  # has a contract
        _group("K6", amount="32", hold_id="h6"),  # held already
        _group("K4", amount="64", hold_id="again:1", refusal="NO_CONTRACT"),  # published once, and corrected
    ]
    found = dicts(
        holds(
            frame(spark, f"{_GROUP}, reconciliation_status string, amount decimal(38,18), hold_id string", unpaid),
            frame(spark, f"{_GROUP}, amount decimal(38,18), contract_id string, hold_id string, refusal string", resolved),
            "2026-05",
        )
    )
    assert {(row["reason"], row["amount"], row["entry"], row["held_since"], row["releases"]) for row in found} == {
        ("AMBIGUOUS", Decimal(1), "hold", "2026-05", None),
        ("UNCLAIMED", Decimal(2), "hold", "2026-05", None),
        ("NO_CONTRACT", Decimal(8), "hold", "2026-05", None),
        ("NO_CONTRACT", Decimal(64), "hold", "2026-05", None),
    }
    assert len({row["entry_id"] for row in found}) == 4


def test_what_takes_a_hold_away_is_its_mirror_and_keeps_its_age(spark: SparkSession) -> None:
    from pyspark.sql import functions as F

    from lakehouse.transforms.hold import taken_away

    hold = _group("K1", amount="30", entry="hold", entry_id="h1", period="2026-05", held_since="2026-05", reason="UNCLAIMED")
    opening = frame(spark, gold.holding, [hold])
    (release,) = dicts(taken_away(opening, F.lit("release"), "2026-07"))
    assert {name: release[name] for name in ("period", "entry", "releases", "held_since", "reason", "amount", "units")} == {
        "period": "2026-07", "entry": "release", "releases": "h1", "held_since": "2026-05", "reason": "UNCLAIMED",
        "amount": Decimal(-30), "units": Decimal(-1),
    }  # fmt: skip
    (reversal,) = dicts(taken_away(opening, F.lit("reversal"), "2026-07"))
    assert reversal["entry_id"] != release["entry_id"]
