"""What nobody knows goes to the fallback pool of its territory, where the routing document says so, and comes back once it is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.runs.admin import load_contracts
from lakehouse.runs.close import close_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.period import run_period
from lakehouse.runs.replay import replay
from lakehouse.runs.review import Verdict, review
from lakehouse.settings import conf_dir
from lakehouse.views.holding import holding
from lakehouse.views.routing import rebuild
from tests.support.golden import rows_of
from tests.support.lakes import JUNE, MAY, copy_of, earned, environment, published_root, write_label

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

POOL = """contract: POOL-DE
version: "1"
title: What nobody claims in Europe
effective: {from: 2026-01}
label: P-LABEL
parties:
  P-LABEL: {name: Kitetail Records}
  P-ONE: {name: First Publishing}
  P-TWO: {name: Second Publishing}
covers: {unmatched: [EU], after_months: 1}
terms:
  - {clause: split, to: {P-ONE: 2/3, P-TWO: 1/3}}
"""
_RULE = "  - {id: pooled, tier: 3, when: {status: [UNCLAIMED], gap: [DELAYED]}, state: ROUTED, to: gold.royalty_lines}\n"


def ruleset_with_pools() -> str:
    """The shipped routing document, a version later, with a rule that sends what the catalog does not know to pools."""
    text = (conf_dir() / "routing.yaml").read_text(encoding="utf-8")
    rules = text.index("rules:\n") + len("rules:\n")
    version = next(line for line in text.splitlines() if line.startswith("version:"))
    return (text[:rules] + _RULE + text[rules:]).replace(version, "version: 900")


@pytest.mark.spark
@pytest.mark.drill
def test_a_hold_goes_to_the_pool_of_its_territory_and_back_to_its_owner(
    closed_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """F-11. 1.25 USD of a song that nobody has known for a month, used in Germany: two thirds and one third in June; in July a person says that it is Mara's."""
    lake = copy_of(closed_lake, tmp_path)
    book = write_label(tmp_path / "label") / "contracts"
    (book / "pool.yaml").write_text(POOL, encoding="utf-8")
    document = tmp_path / "routing.yaml"
    document.write_text(ruleset_with_pools(), encoding="utf-8")
    plain = environment(lake)
    load_contracts(plain, book)
    assert replay(plain, JUNE, dry_run=True)["moved"] == []
    env: Environment = plain.under_ruleset(str(document))
    told = replay(env, JUNE, dry_run=True)
    assert (told["ruleset"], told["money"], told["still_held"]) == (900, [{"currency": "USD", "amount": "1.25"}], [])
    done = replay(env, JUNE)
    assert {**done, "dry_run": True} == told
    assert earned(lake, [JUNE]) == {"P-ONE": "0.833333333333333333", "P-TWO": "0.416666666666666667"}
    (taken,) = rows_of(env.reader, "draft.holding", JUNE)
    assert (taken["entry"], taken["held_since"], taken["reason"]) == ("escheat", MAY, "UNCLAIMED")
    (event,) = [row for row in rows_of(env.reader, "silver.routing_audit") if row["rule_id"] == "pooled"]
    assert (list(event["path"]), event["gap"]) == (["RECEIVED", "TIER1", "TIER2", "TIER3", "ROUTED"], "DELAYED")
    assert rebuild(env.reader)["ok"]
    run_period(env, JUNE)
    close_period(env, JUNE)
    roots = [published_root(lake, period) for period in (MAY, JUNE)]
    review(env, [Verdict(event["usage_key"], "R-1", "a retitled release")], "Ada")
    replay(env, "2026-07")
    assert earned(lake, ["2026-07"]) == {
        "A-MARA": "0.625",
        "P-ONE": "-0.833333333333333333",
        "P-TWO": "-0.416666666666666667",
    }
    assert holding(env.reader)["balances"] == []
    assert [published_root(lake, period) for period in (MAY, JUNE)] == roots
