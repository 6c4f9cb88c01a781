"""Links of recordings to works that come after the money (F-16): the next run pays on them, tells it beforehand, and each event is rebuilt."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import Findings, Misuse
from lakehouse.runs.adjust_hold import adjust_hold
from lakehouse.runs.admin import init_lake, load_catalog, load_contracts
from lakehouse.runs.close import close_period
from lakehouse.runs.frame import run_jobs
from lakehouse.runs.period import run_period
from lakehouse.runs.replay import replay
from lakehouse.runs.stages import STAGES
from lakehouse.views.holding import list_holds
from lakehouse.views.routing import rebuild
from tests.support.golden import rows_of
from tests.support.lakes import JUNE, MAY, bank_report, earned, environment, land

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CASE = Path(__file__).parents[1] / "golden" / "24-publishing-of-a-work"
BOATS = ("Tomas Reyes", "Paper Boats", "QZPB12600001")


def test_the_catalog_says_links_too_once_and_only_with_codes_that_can_be_right(tmp_path: Path) -> None:
    env = environment(tmp_path / "lake")
    init_lake(env)
    file = tmp_path / "catalog.csv"
    file.write_text(
        "recording_id,isrc,title,artist,iswc\nR-1,QZPB12600001,Boats,Tomas,T-034.524.680-1\nR-2,QZPB12600002,Kites,Tove,T3452468001\n"
    )
    load_catalog(env, [file])
    (link,) = rows_of(env.reader, "silver.isrc_iswc")
    assert (link["isrc"], link["iswc"], link["source"], link["confidence"]) == (
        "QZPB12600001",
        "T0345246801",
        "catalog",
        Decimal(1),
    )
    assert link["catalog_version"] == env.reader.version("silver.catalog")
    file.write_text("recording_id,isrc,title,artist,iswc\nR-1,QZPB12600001,Paper Boats,Tomas,T0345246801\n")
    load_catalog(env, [file])
    assert len(rows_of(env.reader, "silver.isrc_iswc")) == 1


def test_a_book_with_usage_pools_and_contracts_for_works_is_not_loaded(tmp_path: Path) -> None:
    env = environment(tmp_path / "lake")
    init_lake(env)
    (tmp_path / "works.yaml").write_text((CASE / "contracts" / "works.yaml").read_text())
    (tmp_path / "book.yaml").write_text("pools:\n  - {name: all, when: {}, method: pro_rata}\n")
    with pytest.raises(Findings, match="cannot pay publishing on works"):
        load_contracts(env, tmp_path)


@pytest.mark.spark
@pytest.mark.drill
def test_a_link_that_arrives_after_the_money_pays_from_holding(tmp_path: Path, spark: SparkSession) -> None:
    """May holds 50 USD of a recording that nobody knows. June's DSR file links it to a work: 12 % of them leave, 44 stay, held since May."""
    plain = environment(tmp_path / "lake")
    init_lake(plain)
    load_catalog(plain, [CASE / "catalog.csv"])
    load_contracts(plain, CASE / "contracts")
    env = plain.under_ruleset(str(CASE / "routing.yaml"))
    report = tmp_path / "bank_2026-05.tsv"
    report.write_text(bank_report(MAY, [(BOATS, "50")]), encoding="utf-8")
    land(env, report)
    run_period(env, MAY)
    assert [row["works"] for row in rows_of(env.reader, "silver.routing_audit")] == [None]
    close_period(env, MAY)
    land(env, CASE / "reports" / "dsr_2026-05.tsv")
    run_jobs(STAGES[:2], env, JUNE)
    assert replay(plain, JUNE, dry_run=True)["moved"] == []
    told = replay(env, JUNE, dry_run=True)
    assert (told["money"], told["still_held"]) == (
        [{"currency": "USD", "amount": "6.00"}],
        [{"currency": "USD", "amount": "44.00"}],
    )
    done = replay(env, JUNE)
    assert {**done, "dry_run": True} == told
    # 12 % of 50 USD, and of the 100 EUR that the DSR file brings itself: two thirds and one third.
    assert earned(tmp_path / "lake", [JUNE]) == {"P-MIRA": "12", "P-PUB": "6"}
    (rest,) = [hold for hold in list_holds(env.reader) if hold["currency"] == "USD"]
    assert (rest["amount"], rest["held_since"], rest["reason"]) == ("44.00", MAY, "UNCLAIMED")
    assert {tuple(row["works"] or ()) for row in rows_of(env.reader, "silver.routing_audit", JUNE)} == {
        ("T0345246801",), ("T0345246801", "T9109247316")
    }  # fmt: skip
    assert rebuild(env.reader)["findings"] == rebuild(env.reader, JUNE)["findings"] == []
    close_period(env, JUNE)
    with pytest.raises(Misuse, match="after its publishing was paid on a work"):
        adjust_hold(env, rest["entry_id"], Decimal(1), "interest", "Ada")
    # Another month finds nothing more to pay on the work.
    assert replay(env, "2026-07")["moved"] == []
