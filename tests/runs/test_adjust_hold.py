"""Adjustments of what is held (F-33): kept with who and why, booked once, paid with the hold, undone with its report."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.errors import Findings, Misuse
from lakehouse.runs.adjust_hold import adjust_hold
from lakehouse.runs.environment import Environment
from lakehouse.store.verify import verify
from lakehouse.tables import gold
from lakehouse.views.holding import holding, list_holds
from tests.support.doubt import JUNE, MAY, hold, lake_in_doubt, release
from tests.support.golden import rows_of
from tests.support.lake import append

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JULY = "2026-07"
ZANZIBAR = hold("Zanzibar", "1.25")["entry_id"]


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return lake_in_doubt(tmp_path / "lake")


def adjust(env: Environment, amount: str, entry: str = ZANZIBAR, reason: str = "interest for May", **more: Any) -> dict[str, Any]:
    return adjust_hold(env, entry, Decimal(amount), reason, "Ada", **more)


def test_a_decision_is_kept_with_who_and_why_for_the_open_period_and_said_twice_is_kept_once(env: Environment) -> None:
    done = adjust(env, "0.050", ZANZIBAR[:8])
    assert done | {"adjustment_id": ""} == {
        "adjustment_id": "", "entry_id": ZANZIBAR, "period": JUNE, "amount": "0.05", "currency": "EUR", "reason": "interest for May",
        "held": "1.30", "by": "Ada", "changed": True,
    }  # fmt: skip
    again = adjust_hold(env, ZANZIBAR, Decimal("0.05"), " interest for May ", "Bo")
    assert again == {**done, "changed": False}
    assert adjust(env, "-0.30", reason="the sender says so")["held"] == "1.00"
    told = [(row["amount"], row["by"], row["booked"]) for row in holding(env.reader)["adjustments"]]
    assert told == [("0.05", "Ada", False), ("-0.30", "Ada", False)]


@pytest.mark.parametrize(
    ("amount", "more", "why"),
    [
        ("1", {"entry": "0" * 32}, "No open hold of closed books"),
        ("1", {"entry": "Zanzibar"}, "is no open hold of closed books, nor its first 8 digits"),
        ("-1.26", {}, "would come to -0.01"),
        ("0", {}, "changes nothing"),
        ("1", {"reason": " "}, "needs a --reason"),
    ],
)
def test_what_makes_no_sense_is_refused(env: Environment, amount: str, more: dict[str, str], why: str) -> None:
    with pytest.raises(Misuse, match=why):
        adjust(env, amount, **more)
    assert rows_of(env.reader, "ops.holding_adjustments") == []


def test_a_closed_period_and_a_hold_that_is_gone_are_refused(env: Environment) -> None:
    with pytest.raises(Findings, match="closed"):
        adjust(env, "1", period=MAY)
    append(Path(env.root), gold.holding, [release(hold("Zanzibar", "1.25"), MAY)])
    with pytest.raises(Misuse, match="No open hold"):
        adjust(env, "1")


def test_the_balance_and_each_hold_are_told_as_adjusted_and_the_age_stays(env: Environment) -> None:
    entry = hold("Zanzibar", "0.05") | {"entry": "adjust", "entry_id": "a" * 32, "releases": ZANZIBAR, "period": JUNE}
    append(Path(env.root), gold.holding.draft(), [entry])
    adjust(env, "0.05")
    found = holding(env.reader, JUNE)
    assert found["balances"][0] == {"currency": "EUR", "amount": "16.80"}  # 16.75 + 0.05
    assert found["adjustments"][0]["booked"] is True
    assert holding(env.reader, MAY)["balances"][0]["amount"] == "16.75"
    (row,) = [row for row in list_holds(env.reader) if row["entry_id"] == ZANZIBAR]
    assert (row["amount"], row["held_since"], row["title"], row["status"]) == ("1.30", MAY, "Zanzibar", "closed")


@pytest.mark.spark
@pytest.mark.drill
@pytest.mark.parametrize("released", [False, True], ids=["while it is held", "after it was paid"])
def test_a_report_that_is_replaced_takes_its_adjustments_with_it(
    released: bool, closed_lake: Path, label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """May holds 1.25 of Nobody's; June adds 0.25. July's restatement takes all of it back: the 1.25, the 0.25, and what was paid of both."""
    from lakehouse.runs.admin import load_catalog
    from lakehouse.runs.close import close_period
    from lakehouse.runs.period import run_period
    from tests.support.lakes import copy_of, earned, environment, land

    lake = copy_of(closed_lake, tmp_path)
    env = environment(lake)
    (held,) = list_holds(env.reader)
    adjust_hold(env, held["entry_id"], Decimal("0.25"), "interest", "Ada")
    if released:
        file = tmp_path / "more.csv"
        file.write_text("recording_id,isrc,title,artist,label\nR-9,QZZZZ2600099,Zanzibar Clockwork,Mara Okafor,Kitetail\n")
        load_catalog(env, [file])
    run_period(env, JUNE)
    close_period(env, JUNE)
    # Half of 1.50 is Mara's.
    assert earned(lake, [JUNE]).get("A-MARA") == ("0.75" if released else None)
    land(env, label / "reports" / "bank_2026-05_v2.tsv")
    report = run_period(env, JULY)
    (dollars,) = report["money"]
    assert (Decimal(dollars["adjusted"]), Decimal(dollars["difference"])) == (Decimal("-0.25"), 0)
    # 12 and 2.5 instead of 10 and 2.5; what she had of Zanzibar is half of 1.25 instead of 1.50.
    assert earned(lake, [JULY])["A-MARA"] == ("0.875" if released else "1")
    close_period(env, JULY)
    assert [hold["amount"] for hold in list_holds(env.reader)] == ([] if released else ["1.25"])
    entries = rows_of(env.reader, "gold.ledger")
    booked = sum(row["amount"] for row in entries if row["account"] == "expenses:holding_adjustment")
    assert booked == 0
    found = verify(env.root)
    assert found.ok, found.findings
