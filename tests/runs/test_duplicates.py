"""A sale that a service and an aggregator both report is paid once; the other line is held, linked and listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.runs.period import run_period
from lakehouse.views.duplicates import list_duplicates
from lakehouse.views.files import list_files
from tests.support.lakes import MARA, MAY, bank_report, earned, new_lake, rows_written_twice

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
COLUMNS = (
    "Country", "Product", "URI", "UPC", "EAN", "ISRC", "Track name", "Artist name", "Composer name", "Album name", "Quantity", "Label",
    "Payable invoice", "Invoice currency", "Payable EUR", "Payable USD",
)  # fmt: skip


def service_report(*amounts: str) -> str:
    """Spotify's own report of March, for the statements of May, of Mara's sales in Germany."""
    artist, title, isrc = MARA
    rows = [
        ("DE", "premium", "", "", "", isrc, title, artist, "", "", "100", "Kitetail", amount, "USD", "0", amount)
        for amount in amounts
    ]
    table = "".join("\t".join(row) + "\n" for row in (COLUMNS, *rows))
    return f"1.2\n2026-03-01\t2026-03-31\tKitetail\n{table}"


@pytest.mark.parametrize(
    "order", [("spotify.txt", "bank.tsv"), pytest.param(("bank.tsv", "spotify.txt"), marks=pytest.mark.drill)]
)
def test_a_sale_of_two_sources_is_paid_once_whichever_comes_first(
    order: tuple[str, str], label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """F-24. 10 stands in both, 2.50 twice at the aggregator and once at the service: Mara has half of 10 + 2.50 + 2.50; 12.50 is held."""
    env = new_lake(tmp_path / "lake", label)
    (tmp_path / "spotify.txt").write_text(service_report("10", "2.5"), encoding="utf-8")
    (tmp_path / "bank.tsv").write_text(bank_report(MAY, [(MARA, "10"), (MARA, "2.5"), (MARA, "2.5")]), encoding="utf-8")
    for name in order:
        assert env.landing.put(tmp_path / name, env.dialects, period=MAY).status == "landed"
    report = run_period(env, MAY)
    assert earned(tmp_path / "lake", [MAY]) == {"A-MARA": "7.5"}
    (dollars,) = report["money"]
    assert (dollars["revenue"], dollars["held"]) == ("27.500000000000000000", "12.500000000000000000")
    assert dollars["difference"] == "0.000000000000000000"
    assert report["duplicates"] == [{"currency": "USD", "lines": 2, "amount": "12.50"}]
    pairs = [(d["name"], d["line_no"], d["of_name"], d["of_line_no"], d["amount"]) for d in list_duplicates(env.reader, MAY)]
    assert pairs == [("bank.tsv", 2, "spotify.txt", 4, "10.00"), ("bank.tsv", 3, "spotify.txt", 5, "2.50")]
    assert {file["names"][0]: file["duplicates"] for file in list_files(env.reader)} == {"bank.tsv": 2, "spotify.txt": 0}
    assert (run_period(env, MAY)["changed"], rows_written_twice(tmp_path / "lake")) == (False, {})
