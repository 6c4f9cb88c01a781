"""`from lakehouse import Lake`: a lake in a few words, exact, at any version, without a JVM."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse import Lake
from lakehouse.errors import Misuse
from tests.support.lake import append
from tests.support.lakes import MAY, copy_of
from tests.support.processes import CHECKOUT, clean_environment
from tests.support.published import may, published_lake, statement
from tests.support.reported import lake_with_reports
from tests.support.s3 import Bucket, bucket, minio, moto  # noqa: F401  (fixtures)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakehouse.tables import Table

LUNA = "2026-05-EUR-A-LUNA"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake_with_reports(tmp_path_factory.mktemp("lake"))


@pytest.fixture
def lake(root: Path) -> Lake:
    return Lake(root)


def statements_table() -> Table:
    from lakehouse.tables import gold

    return gold.statements


def test_every_way_out_of_a_table_has_the_same_rows_with_exact_money(lake: Lake) -> None:
    table = lake.table("gold.royalty_lines").where(period=MAY)
    stated = {(row["payee"], Decimal(row["amount"])) for row in may()["gold.royalty_lines"]}
    assert {(row["payee"], row["amount"]) for row in table.arrow().to_pylist()} == stated
    assert set(table.duckdb().select("payee, amount").fetchall()) == stated
    frame = table.pandas()
    assert set(zip(frame["payee"], frame["amount"], strict=True)) == stated
    assert frame["amount"].sum() == sum((amount for _, amount in stated), Decimal(0))


def test_sql_names_the_tables_as_they_are(lake: Lake) -> None:
    query = """
        SELECT s.payee, s.earned, sum(l.amount) FROM gold.statements s JOIN gold.royalty_lines l USING (period, currency, payee)
        WHERE s.period = '2026-05' AND l.category = 'payable' GROUP BY ALL"""
    assert lake.sql(query).fetchall() == [("A-LUNA", Decimal(6), Decimal(6))]
    assert lake.sql(query).fetchall() == [("A-LUNA", Decimal(6), Decimal(6))]  # the names are known already


def test_an_older_version_stands_beside_todays(root: Path, tmp_path: Path) -> None:
    before = Lake(mine := copy_of(root, tmp_path)).table("gold.statements")
    count = len(before.arrow())
    append(mine, statements_table(), [statement("2026-07", "A-LUNA", "1", "1")], "run-9")
    today = Lake(mine).table("gold.statements")
    assert len(today.arrow()) == count + 1
    assert len(today.at(today.version - 1).arrow()) == count
    assert [entry["version"] for entry in today.history()][:2] == [today.version, today.version - 1]
    assert today.history()[0]["run_id"] == "run-9"
    assert len(before.arrow()) == count, "a Lake is one view: what came later is not in it"


def test_what_a_period_was_published_with_can_be_read(tmp_path: Path) -> None:
    lake = Lake(published_lake(tmp_path / "lake"))
    statements = lake.table("gold.statements")
    assert statements.as_published(MAY).version < statements.version
    assert set(statements.as_published(MAY).pandas()["period"]) == {MAY}
    assert lake.table("silver.catalog").as_published(MAY)._version == 0
    with pytest.raises(Misuse, match=r"names no version of ops\.runs"):
        lake.table("ops.runs").as_published(MAY)
    with pytest.raises(Misuse, match=r"2027-01 is not published"):
        statements.as_published("2027-01")


def test_a_statement_leads_to_its_lines_and_each_line_to_the_report(lake: Lake) -> None:
    assert [row["statement_id"] for row in lake.statements(MAY)] == [LUNA]
    (line,) = lake.statement(LUNA)["lines"]
    explained = lake.why(line["line_id"])
    assert explained["amount"] == "6.00"
    assert [stage["stage"] for stage in explained["stages"]] == ["fee", "share"]
    assert {file["period"] for file in lake.files(MAY)} == {MAY}
    assert lake.matching(MAY).keys() == {"period", "outcomes", "rates", "held"}
    assert ("closed", MAY) in {(row["state"], row["period"]) for row in lake.status()}


def test_verification_names_what_was_touched(root: Path, tmp_path: Path) -> None:
    assert Lake(root).verify(MAY).ok
    mine = copy_of(root, tmp_path)
    touched = next((mine / "gold" / "ledger" / f"period={MAY}").rglob("*.parquet"))
    touched.write_bytes(touched.read_bytes() + b" ")
    report = Lake(mine).verify()
    assert not report.ok
    assert touched.relative_to(mine).as_posix() in {finding.object for finding in report.findings}


def test_what_is_not_there_is_said(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="is not a lake"):
        Lake(tmp_path / "nowhere")
    with pytest.raises(Misuse, match=r"no table named 'gold\.nothing'"):
        lake.table("gold.nothing")
    with pytest.raises(Misuse, match=r"gold\.statements has no column colour"):
        lake.table("gold.statements").where(colour="red")


@pytest.mark.slow
def test_a_lake_is_opened_and_read_without_spark(root: Path) -> None:
    """In a process in which pyspark cannot be imported."""
    code = (
        "import sys; sys.modules['pyspark'] = sys.modules['py4j'] = None\n"
        "from lakehouse import Lake\n"
        "lake = Lake(sys.argv[1]); print(len(lake.table('gold.statements').pandas()), lake.verify().ok, lake)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, cwd=CHECKOUT, env=clean_environment()
    )
    assert done.stdout.split()[1] == "True", done.stderr


def test_a_lake_in_a_bucket_answers_like_one_in_a_folder_and_gives_the_same_pack(
    root: Path,
    bucket: Bucket,  # noqa: F811
    tmp_path: Path,
) -> None:
    from lakehouse.runs.audit import audit_pack
    from lakehouse.store.s3 import client

    for file in (path for path in root.rglob("*") if path.is_file()):
        client(bucket.place).upload_file(str(file), bucket.name, f"lake/{file.relative_to(root).as_posix()}")
    here, there = Lake(root), Lake(bucket.root)
    assert there.statements() == here.statements()
    assert (
        there.table("gold.royalty_lines").where(period=MAY).arrow() == here.table("gold.royalty_lines").where(period=MAY).arrow()
    )
    assert there.verify(MAY) == here.verify(MAY)
    packs = {name: tmp_path / name for name in ("folder", "bucket")}
    for lake, folder in zip((here, there), packs.values(), strict=True):
        audit_pack(lake._env, MAY, folder, reports=False)
    assert content(packs["bucket"]) == content(packs["folder"])


def content(pack: Path) -> dict[str, object]:
    """What is in each file of a pack: the rows of a Parquet file, whose bytes differ from run to run, and the bytes of any other."""
    import pyarrow.parquet as pq

    files = {path.relative_to(pack).as_posix(): path for path in pack.rglob("*") if path.is_file() and path.name != "SHA256SUMS"}
    return {
        name: pq.read_table(path).to_pylist() if name.endswith(".parquet") else path.read_bytes() for name, path in files.items()
    }


@pytest.mark.spark
def test_spark_reads_the_same_rows_at_the_same_version(root: Path, spark: SparkSession) -> None:
    table = Lake(root).table("gold.statements").where(period=MAY)
    rows = [row.asDict() for row in table.spark().select("statement_id", "payable").collect()]
    assert rows == table.arrow().select(["statement_id", "payable"]).to_pylist()
    first = table.at(0)
    assert first.spark().count() == len(first.arrow())
