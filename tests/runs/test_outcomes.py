"""gold.fallback_outcomes (F-27): what became of a closed period's usage, tied to its decisions and to its books, written once."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.lake import Lake
from lakehouse.model.vocabulary import PAID
from lakehouse.runs.close import close_period
from lakehouse.runs.period import run_period
from lakehouse.store.delta import DeltaStore
from lakehouse.store.reader import LakeReader
from lakehouse.store.verify import verify
from lakehouse.tables import gold
from lakehouse.views.outcomes import fallback_outcomes, matching
from tests.support.golden import rows_of
from tests.support.lakes import JUNE, MAY, commits, copy_of, environment, land, published_root, rows_written_twice

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = gold.fallback_outcomes.name


def outcomes(lake: Path, period: str | None = None) -> list[dict[str, Any]]:
    rows = rows_of(LakeReader(str(lake)), NAME, period)
    return sorted(rows, key=lambda row: (row["period"], row["tier"], row["status"]))


def told(lake: Path, period: str) -> list[tuple[Any, ...]]:
    names = ("tier", "status", "gap", "keys", "lines", "amount", "line_share", "money_share", "line_trend", "money_trend")
    return [tuple(f"{row[n]:f}" if isinstance(row[n], Decimal) else row[n] for n in names) for row in outcomes(lake, period)]


MAY_OUTCOMES = [
    ("isrc", "MATCHED", None, 2, 3, "16.500000000000000003", "0.7500", "0.9296", None, None),
    ("none", "UNCLAIMED", "DELAYED", 1, 1, "1.250000000000000000", "0.2500", "0.0704", None, None),
]


@pytest.mark.spark
def test_outcomes_of_a_closed_period_tie_to_its_decisions_and_to_its_books(closed_lake: Path, spark: SparkSession) -> None:
    """F-27. Of May 16.50 USD and a bit are matched by ISRC, 1.25 USD is nobody's; a line that was refused is in no outcome."""
    assert told(closed_lake, MAY) == MAY_OUTCOMES
    reader = LakeReader(str(closed_lake))
    rows = outcomes(closed_lake)
    paid, waits = (sum(row["amount"] for row in rows if (row["status"] in PAID) is is_paid) for is_paid in (True, False))
    # To the decisions: each key in the outcome that the matcher says, with its lines.
    usage = rows_of(reader, "silver.usage", MAY)
    says = {row["usage_key"]: (row["tier"], row["reconciliation_status"]) for row in rows_of(reader, "silver.matches", MAY)}
    for row in rows:
        own = [line for line in usage if says[line["usage_key"]] == (row["tier"], row["status"])]
        assert (len({line["usage_key"] for line in own}), len(own)) == (row["keys"], row["lines"])
        assert sum(line["amount"] for line in own) == row["amount"]
    # To the books: all of it was received, what waits is owed to nobody yet, and the holding ledger holds it.
    conserved = rows_of(reader, "gold.conservation", MAY)
    assert paid + waits == sum(row["revenue"] - row["quarantined"] for row in conserved)
    booked = {"assets:receivable:distrokid_13": Decimal(0), "liabilities:holding": Decimal(0)}
    for posting in rows_of(reader, "gold.ledger", MAY):
        if posting["kind"] == "report" and posting["account"] in booked:
            booked[posting["account"]] += posting["amount"]
    assert booked == {"assets:receivable:distrokid_13": paid + waits, "liabilities:holding": -waits}
    assert waits == sum(row["amount"] for row in rows_of(reader, "gold.holding", MAY))
    # And to what `lakehouse matching` tells of the same usage today.
    live = fallback_outcomes(reader, environment(closed_lake).rules.ruleset, MAY)
    assert [{name: row[name] for name in live[0]} for row in rows] == live
    assert Lake(closed_lake).sql(f"SELECT sum(lines) FROM {NAME}").fetchall() == [(len(usage),)]


@pytest.mark.spark
def test_the_next_period_has_trends_and_leaves_the_closed_one_as_it_is(
    closed_lake: Path, label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """F-27: in June all is matched. A close that is repeated changes nothing."""
    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    may = sorted((lake / gold.fallback_outcomes.path / f"period={MAY}").iterdir())
    land(env, label / "reports" / "bank_2026-06.tsv")
    run_period(env, JUNE)
    assert outcomes(lake, JUNE) == []
    closed = close_period(env, JUNE)
    assert told(lake, JUNE) == [
        ("isrc", "MATCHED", None, 2, 2, "8.000000000000000000", "1.0000", "1.0000", "0.2500", "0.0704"),
        ("none", "UNCLAIMED", "DELAYED", 0, 0, "0.000000000000000000", "0.0000", "0.0000", "-0.2500", "-0.0704"),
    ]
    assert {row["compared_with"] for row in outcomes(lake, JUNE)} == {MAY}
    assert sorted((lake / gold.fallback_outcomes.path / f"period={MAY}").iterdir()) == may
    assert told(lake, MAY) == MAY_OUTCOMES
    log = commits(lake)
    assert close_period(env, JUNE) == closed
    assert commits(lake) == log
    assert verify(str(lake)).as_json()["findings"] == []
    rates = matching(env.reader, env.rules.ruleset, JUNE)["rates"]
    assert [(row["source"], row["line_rate"], row["compared_with"], row["line_trend"], row["money_trend"]) for row in rates] == [
        (None, "1", MAY, "0.25", "0.0704"),
        ("distrokid_13", "1", MAY, "0.25", "0.0704"),
    ]


@pytest.mark.spark
@pytest.mark.drill
def test_a_close_that_dies_after_its_outcomes_writes_them_once_also_in_a_lake_of_an_earlier_version(
    drafted_lake: Path, closed_lake: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = copy_of(drafted_lake, tmp_path)
    shutil.rmtree(lake / gold.fallback_outcomes.path)
    with monkeypatch.context() as patch:
        patch.setattr(DeltaStore, "append", _append_but_to(gold.periods.name))
        with pytest.raises(InterruptedError):
            close_period(environment(lake), MAY)
    assert environment(lake).closed_periods() == []
    assert told(lake, MAY) == MAY_OUTCOMES
    close_period(environment(lake), MAY)
    assert rows_written_twice(lake) == {}
    assert told(lake, MAY) == MAY_OUTCOMES
    assert published_root(lake, MAY) == published_root(closed_lake, MAY)


def _append_but_to(name: str) -> Any:
    append = DeltaStore.append

    def dying(self: DeltaStore, table: Any, *given: Any, **more: Any) -> int:
        if table.name == name:
            raise InterruptedError
        return append(self, table, *given, **more)

    return dying
