"""Every golden case, played in a lake of its own and held against what its documents say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.runs.environment import Environment
from lakehouse.settings import load_settings
from lakehouse.store.reader import LakeReader
from lakehouse.views.report import layer_of
from tests.support.golden import Case, all_cases, expected_of, found_in, rows_of, royalty_lines, says

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CASES = all_cases()


# Cases of one clause alone are worked through without a lake as well (tests/contracts), and releases, duplicates, refunds, adjusted holds and
# subscribers in tests/runs, tests/transforms and tests/model: here they are drills, as is the second case of works.
_LONG = ("02-", "03-", "04-", "05-", "06-", "07-", "09-", "10-", "13-", "14-", "15-", "18-", "19-", "23-", "25-", "26-")
_MARKED = [pytest.param(case, id=case.name, marks=[pytest.mark.drill] if case.name.startswith(_LONG) else []) for case in CASES]


@pytest.mark.spark
@pytest.mark.parametrize("case", _MARKED)
def test_a_case_comes_out_as_its_documents_say(case: Case, spark: SparkSession, tmp_path: Path) -> None:
    from lakehouse.runs.admin import init_lake

    (scratch := tmp_path / "sent").mkdir()
    says_of_lake = case.document("case.yaml")
    own = {"sources": case.folder / says_of_lake["sources"]} if "sources" in says_of_lake else {}
    env = Environment(load_settings(root=str(tmp_path / "lake"), spark_master="local[2]", **own))
    if routing := says_of_lake.get("routing"):
        env = env.under_ruleset(str(case.folder / routing))
    assert init_lake(env)
    case.play(env, scratch)
    reader = env.reader
    for period, expected in case.document("expected.yaml").items():
        assert found_in(reader, period) == expected_of(expected), period
        _expect_royalty_lines(reader, period, expected.get("royalty_lines", []))
        _expect_the_laws(reader, period)
    _expect_mirrors(reader, list(case.document("expected.yaml")))
    _expect_verified(env)
    _expect_the_book_to_give_the_same(env, reader)


def _expect_royalty_lines(reader: LakeReader, period: str, wanted: list[dict[str, str]]) -> None:
    lines = royalty_lines(reader, period)
    for one in wanted:
        fitting = [line for line in lines if says(line, one)]
        assert len(fitting) == 1, f"{period}: {len(fitting)} royalty lines are {one}"


def _expect_the_laws(reader: LakeReader, period: str) -> None:
    """Nothing is lost in any file; the ledger balances; line ids are unique."""
    layer = layer_of(reader, period)
    for row in rows_of(reader, f"{layer}.conservation", period):
        places = sum(row[place] for place in ("payable", "retained", "fees", "tax", "held", "quarantined"))
        assert row["difference"] == 0 == row["revenue"] + row["adjusted"] - places, row
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for posting in rows_of(reader, f"{layer}.ledger", period):
        sums[posting["transaction_id"], posting["currency"]] += posting["amount"]
    assert not [key for key, total in sums.items() if total]
    ids = [line["line_id"] for line in rows_of(reader, f"{layer}.royalty_lines", period)]
    assert len(ids) == len(set(ids))


def _expect_mirrors(reader: LakeReader, periods: list[str]) -> None:
    """Every reversal names a line of an earlier period and is its exact mirror; no line is reversed twice."""
    lines = [line for period in periods for line in rows_of(reader, f"{layer_of(reader, period)}.royalty_lines", period)]
    by_id = {line["line_id"]: line for line in lines}
    reversals = [line for line in lines if line["kind"] == "reversal"]
    assert len({line["reverses"] for line in reversals}) == len(reversals)
    for line in reversals:
        original = by_id[line["reverses"]]
        assert original["kind"] == "royalty"
        assert original["period"] < line["period"]
        assert all(line[name] == -original[name] for name in ("units", "base", "amount"))
        assert all(line[name] == original[name] for name in ("file_id", "payee", "role", "category", "currency", "usage_period"))


def _expect_the_book_to_give_the_same(env: Environment, reader: LakeReader) -> None:
    """The reference engine, given what the newest period is made of and the book of the lake, draws up the same statements."""
    from lakehouse.model.compare import changes
    from lakehouse.runs.what_if import read_month, try_month
    from lakehouse.views.common import write_money

    period = max(row["period"] for row in reader.sql(f"SELECT period FROM {reader.relation('draft.statements')}"))
    if not rows_of(reader, f"{layer_of(reader, period)}.royalty_lines", period):
        return
    tried = [asdict(statement) for statement in try_month(env.book(), read_month(env, period)).statements]
    assert changes(rows_of(reader, f"{layer_of(reader, period)}.statements", period), tried, write_money) == []


def _expect_verified(env: Environment) -> None:
    """Closed periods are verified without Spark, from the files alone."""
    from lakehouse.store.verify import verify

    closed = env.closed_periods()
    report = verify(env.root).as_json()
    assert report["ok"], report["findings"]
    assert [period["period"] for period in report["periods"]] == closed
