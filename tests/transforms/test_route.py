"""What routing leaves of the matcher's decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakehouse.tables import silver
from tests.support.frames import dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_a_match_that_waits_offers_its_recording_and_says_what_its_message_gets_wrong(spark: SparkSession) -> None:
    """F-08, R-14: the reviewer sees both; what is routed to its owner stays as the matcher proposed it."""
    from lakehouse.transforms.route import as_routed

    isrc = {"field": "isrc", "level": "exact", "usage": "QZ1", "catalog": "QZ1"}
    proposed = [
        {"usage_key": digest(key), "reconciliation_status": "MATCHED", "match_confidence": 1.0, "recording_id": "R-1", "evidence": [tuple(isrc.values())]}
        for key in ("paid", "large", "deficient")
    ]  # fmt: skip
    told = {"paid": ("ROUTED", "{}"), "large": ("REVIEW", "{}"), "deficient": ("REVIEW", '{"deficiencies":["role","share_sum"]}')}
    events = [{"usage_key": digest(key), "path": ["RECEIVED", end], "payload": payload} for key, (end, payload) in told.items()]
    found = as_routed(frame(spark, silver.matches, proposed), frame(spark, silver.routing_audit, events, "payload string"))
    by_key = {row["usage_key"]: row for row in dicts(found)}
    wrong = {"field": "message", "usage": None, "catalog": None}
    for key, more in (("large", []), ("deficient", [{**wrong, "level": "role"}, {**wrong, "level": "share_sum"}])):
        row = by_key[digest(key)]
        assert (row["reconciliation_status"], row["recording_id"]) == ("AMBIGUOUS", None)
        assert [one["recording_id"] for one in row["offered"]] == ["R-1"]
        assert row["offered_evidence"] == [{"recording_id": "R-1", **item} for item in (isrc, *more)]
    paid = by_key[digest("paid")]
    assert (paid["reconciliation_status"], paid["recording_id"], paid["offered"]) == ("MATCHED", "R-1", None)
