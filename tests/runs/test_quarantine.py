"""The way back from quarantine: once, with a reason, in books that are open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Misuse
from lakehouse.runs.period import run_period
from lakehouse.runs.quarantine import release_records
from lakehouse.views.files import quarantine_list, quarantine_show
from tests.support.lakes import JUNE, MAY, copy_of, earned, environment, rows_written_twice

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.runs.environment import Environment

pytestmark = pytest.mark.spark
MENDED = {"Earnings (USD)": "1.50"}


def refused(env: Environment) -> str:
    """The one line that waits: its amount is 1,50."""
    (record,) = quarantine_list(env.reader, released=False)
    assert [reason["column"] for reason in record["reasons"]] == ["amount"]
    return str(record["record_id"])


def test_a_line_comes_back_once_with_what_a_person_changed_in_it(drafted_lake: Path, tmp_path: Path, spark: SparkSession) -> None:
    """Mara: 6.25 and half of 1.50."""
    lake = copy_of(drafted_lake, tmp_path)
    env = environment(lake)
    record = refused(env)
    (still,) = release_records(env, [record], "try again", {})
    assert (still["status"], [reason["column"] for reason in still["reasons"]]) == ("refused", ["amount"])
    (released,) = release_records(env, [record], "decimal comma", MENDED)
    assert released == {"record_id": record, "status": "released", "period": MAY, "reasons": []}
    for again in ([record], ["0" * 32]):
        with pytest.raises(Misuse, match="Not in quarantine, or released already"):
            release_records(env, again, "twice", MENDED)
    assert release_records(env, [], "all that wait", {}) == []
    report = run_period(env, MAY)
    assert report["changed"]
    assert (report["lines"]["accepted"], report["lines"]["quarantined"]) == (5, 0)
    assert earned(lake, [MAY])["A-MARA"] == "7"
    assert rows_written_twice(lake) == {}
    shown = quarantine_show(env.reader, record)
    assert (shown["status"], shown["release_reason"], dict(shown["changes"])) == ("released", "decimal comma", MENDED)


def test_a_line_of_a_closed_period_comes_back_in_the_open_one(closed_lake: Path, tmp_path: Path, spark: SparkSession) -> None:
    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    (released,) = release_records(env, [refused(env)], "decimal comma", MENDED)
    assert (released["status"], released["period"]) == ("released", JUNE)
    report = run_period(env, JUNE)
    # What could not be read in May was nobody's revenue; now 1.50 is.
    assert earned(lake, [JUNE]) == {"A-MARA": "0.75"}
    (dollars,) = report["money"]
    assert (dollars["revenue"], dollars["quarantined"]) == ("1.500000000000000000", "0.000000000000000000")
    assert dollars["difference"] == "0.000000000000000000"
