"""Contracts at size: usage lines to royalty lines and statements, beside the same split without state in DuckDB, in one run.

    make bench-contracts    (LINES=200000 CONTRACTS=100 make bench-contracts)

Both read the same Parquet file of usage lines, group them by the dimensions of a royalty line, divide every group by the contract in force and
write the parts. The lakehouse besides keeps the way of each part stage by stage, settles every account and draws up the statements; DuckDB adds
the parts up by payee. The parts must be equal to the last digit but where the lakehouse's largest remainders and DuckDB's rounding differ.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import yaml
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.model.book import ContractBook
from lakehouse.model.lint import read_book
from lakehouse.session import start_session
from lakehouse.settings import load_settings
from lakehouse.tables import gold, silver
from lakehouse.transforms.groups import group_usage, join_recordings
from lakehouse.transforms.resolve import resolve, royalty_lines
from lakehouse.transforms.statements import settle_accounts

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
BEGIN, END = "<!-- figures: make bench-contracts -->", "<!-- end of figures -->"
PERIOD = "2026-05"
RECORDINGS = 10  # of each contract
TERRITORIES = (
    "DE",
    "US",
    "FR",
    "JP",
    "GB",
    "BR",
    "IN",
    "MX",
    "ES",
    "IT",
    "SE",
    "NL",
    "AT",
    "CH",
    "PL",
    "CA",
    "AU",
    "KR",
    "TR",
    "AR",
)
CHANNELS = ("Spotify", "Apple Music", "YouTube", "Amazon Music", "Deezer")
CORES = os.cpu_count() or 1
_GERMAN = ("DE", "AT", "CH")


def main() -> None:
    lines, contracts = int(os.environ.get("LINES", "5000000")), int(os.environ.get("CONTRACTS", "1000"))
    sizes = [(lines // 5, contracts), (lines // 2, contracts), (lines, contracts), (lines, max(1, contracts // 10))]
    # The JVM of a month of this size compiles for long runs; that of `dev` is quick to start for a laptop's small lake (conf/dev.yaml).
    os.environ.setdefault("LAKEHOUSE_ENVIRONMENT", "prod")
    spark = start_session(load_settings(spark_master=f"local[{CORES}]"))
    measure(spark, 20_000, 10)  # the first pass warms both up
    rows = ["| lines | contracts | groups | lakehouse | lines/s | DuckDB, no state | ratio |", "|---|---|---|---|---|---|---|"]
    print(rows[0], flush=True)
    seconds = []
    for size, book_size in sizes:
        groups, ours, theirs = measure(spark, size, book_size)
        seconds.append(ours / groups)
        rows.append(
            f"| {size:,} | {book_size:,} | {groups:,} | {ours:.1f} s | {size / ours:,.0f} | {theirs:.2f} s | {ours / theirs:.1f} |"
        )
        print(rows[-1], flush=True)
    told = (
        f"Seconds for each group: {seconds[2] / seconds[0]:.2f} times as many at the largest size as at a fifth of it (1 is linear);"
        f" {seconds[2] / seconds[3]:.2f} times as many with {contracts:,} contracts as with {sizes[3][1]:,} (1 is flat)."
    )
    print(told, flush=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    where = f"{CORES} cores, load {os.getloadavg()[0]:.0f}, {time.strftime('%Y-%m-%d')}"
    figures = "\n".join(rows)
    PAGE.write_text(f"{before}{BEGIN}\n\n{where}\n\n{figures}\n\n{told}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def measure(spark: SparkSession, lines: int, contracts: int) -> tuple[int, float, float]:
    """Groups, seconds of the lakehouse, seconds of DuckDB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        connection = duckdb.connect(config={"threads": CORES})
        write_usage(connection, folder, lines, contracts)
        book = make_book(contracts)
        ours = timed(lambda: by_lakehouse(spark, folder, book))
        theirs = timed(lambda: by_duckdb(connection, folder))
        groups = compare(connection, folder)
        spark.catalog.clearCache()
        return groups, ours, theirs


def write_usage(connection: duckdb.DuckDBPyConnection, folder: Path, lines: int, contracts: int) -> None:
    """Usage lines, decisions, catalog and, for DuckDB, the rates of every contract, territory and channel, as Parquet."""
    constants = {
        "file_id": "repeat('f', 64)", "source": "'believe'", "report_period": f"'{PERIOD}'", "usage_period": "'2026-04'", "meaning": "'generation'",
        "configuration": "'stream'", "price_category": "NULL::VARCHAR", "currency": "'EUR'", "upc": "NULL::VARCHAR", "sale_date": "NULL::DATE",
        "ppd": "NULL::DECIMAL(38,18)", "retail": "NULL::DECIMAL(38,18)", "gross": "NULL::DECIMAL(38,18)",
    }  # fmt: skip
    connection.execute(f"""
        CREATE TABLE territories AS SELECT * FROM (SELECT unnest({list(TERRITORIES)}) AS territory, unnest(range({len(TERRITORIES)})) AS place);
        CREATE TABLE channels AS SELECT * FROM (SELECT unnest({list(CHANNELS)}) AS channel, unnest(range({len(CHANNELS)})) AS place);
        CREATE TABLE recordings AS SELECT i AS n, i // {RECORDINGS} AS contract, format('R-{{}}', i) AS recording_id,
            sha256(i::VARCHAR) AS usage_key, format('Artist {{}}', i // {RECORDINGS}) AS artist FROM range({contracts * RECORDINGS}) r(i);
        -- few recordings and places have most of the lines, as everywhere in music
        COPY (SELECT {", ".join(f"{value} AS {name}" for name, value in constants.items())}, r.usage_key, t.territory, c.channel,
                (1 + h % 40)::DECIMAL(20,6) AS units, CAST('0.' || lpad(((h // 64) % 100000000000)::VARCHAR, 12, '0') AS DECIMAL(38,18)) AS amount
            FROM (SELECT i, hash(i) AS h, power((hash(i + 1000000007) % 1000000) / 1e6, 3) AS u, power((hash(i + 77) % 1000000) / 1e6, 2) AS v FROM range({lines}) s(i))
            JOIN recordings r ON r.n = floor(u * {contracts * RECORDINGS}) JOIN territories t ON t.place = floor(v * {len(TERRITORIES)})
            JOIN channels c ON c.place = (h // 7) % {len(CHANNELS)}) TO '{folder}/usage.parquet';
        COPY (SELECT usage_key, 'MATCHED' AS reconciliation_status, recording_id FROM recordings) TO '{folder}/decisions.parquet';
        COPY (SELECT recording_id, '' AS upc, artist, NULL::VARCHAR AS label, NULL::VARCHAR AS release_type, NULL::VARCHAR AS catalog_group FROM recordings)
            TO '{folder}/catalog.parquet';
        CREATE TABLE terms AS SELECT n AS contract, territory, channel, CASE WHEN territory IN {_GERMAN} THEN 0.12 ELSE 0.15 END::DECIMAL(9,8) AS fee,
            CASE WHEN territory IN {_GERMAN} THEN 0.18 WHEN channel = 'Spotify' THEN 0.25 ELSE 0.22 END::DECIMAL(9,8) AS rate
            FROM range({contracts}) c(n), territories, channels;
    """)


def make_book(contracts: int) -> ContractBook:
    """One contract for each artist: fees and rates by territory and channel, points for a producer, a band of two, an advance."""
    documents = {
        "parties.yaml": yaml.safe_dump(
            {p: {"name": p} for p in ("P-LABEL", "P-DIST", *(f"P-{n}-{k}" for n in range(contracts) for k in "ABC"))}
        )
    }
    for n in range(contracts):
        terms = [
            {"clause": "distribution_fee", "rate": "15%", "to": "P-DIST"},
            {"clause": "distribution_fee", "rate": "12%", "to": "P-DIST", "when": {"territory": list(_GERMAN)}},
            {"clause": "master_share", "rate": "22%", "to": f"P-{n}-A"},
            {"clause": "master_share", "rate": "18%", "to": f"P-{n}-A", "when": {"territory": list(_GERMAN)}},
            {"clause": "master_share", "rate": "25%", "to": f"P-{n}-A", "when": {"channel": "Spotify"}},
            {"clause": "producer_points", "points": "3%", "to": f"P-{n}-B"},
            {"clause": "advance", "to": f"P-{n}-A", "amount": "1000", "currency": "EUR", "period": PERIOD},
        ]
        documents[f"c{n}.yaml"] = yaml.safe_dump({
            "contract": f"C-{n}", "version": "1", "effective": {"from": "2020-01"}, "label": "P-LABEL", "currency": "EUR",
            "covers": {"artists": [f"Artist {n}"]}, "terms": terms, "tree": {f"P-{n}-A": {f"P-{n}-C": "25%"}},
        })  # fmt: skip
    book, findings = read_book(documents)
    assert not findings, findings[:3]
    return book


def by_lakehouse(spark: SparkSession, folder: Path, book: ContractBook) -> None:
    def keep(rows: DataFrame) -> DataFrame:
        return rows.persist()

    def read(name: str) -> DataFrame:
        return spark.read.parquet(f"{folder}/{name}.parquet")

    nothing = spark.createDataFrame([], "file_id string")
    groups = join_recordings(group_usage(read("usage"), nothing), read("decisions"), read("catalog"))
    resolved = resolve(groups.withColumn("hold_id", F.lit(None).cast("string")), book, {}, keep)
    royalty_lines(resolved, PERIOD).write.parquet(f"{folder}/lines")
    lines = spark.read.parquet(f"{folder}/lines")
    opening, events = (spark.createDataFrame([], table.ddl) for table in (gold.balances, silver.account_events))
    settled = settle_accounts(lines, opening, events, book, PERIOD, keep)
    settled.statements.write.parquet(f"{folder}/statements")
    settled.balances.write.parquet(f"{folder}/balances")


def by_duckdb(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    connection.execute(f"""
        COPY (WITH g AS (
                SELECT {", ".join(gold.GROUP)}, sum(units) AS units, sum(amount)::DECIMAL(28,18) AS base FROM '{folder}/usage.parquet' GROUP BY ALL),
            p AS (SELECT g.*, r.recording_id, r.contract, t.fee, t.rate, (base * t.fee)::DECIMAL(28,18) AS paid FROM g
                JOIN (SELECT d.usage_key, d.recording_id, x.contract FROM '{folder}/decisions.parquet' d JOIN recordings x USING (recording_id)) r USING (usage_key)
                JOIN terms t USING (contract, territory, channel)),
            q AS (SELECT *, base - paid AS net, ((base - paid) * (rate - 0.03::DECIMAL(9,8)))::DECIMAL(28,18) AS artist,
                ((base - paid) * 0.03::DECIMAL(9,8))::DECIMAL(28,18) AS producer FROM p),
            s AS (SELECT *, (artist * 0.25::DECIMAL(9,8))::DECIMAL(28,18) AS second FROM q)
            SELECT *, 'P-DIST' AS payee, paid AS amount FROM s UNION ALL SELECT *, format('P-{{}}-A', contract), artist - second FROM s
            UNION ALL SELECT *, format('P-{{}}-B', contract), producer FROM s UNION ALL SELECT *, format('P-{{}}-C', contract), second FROM s
            UNION ALL SELECT *, 'P-LABEL', net - artist - producer FROM s) TO '{folder}/parts.parquet';
        COPY (SELECT payee, currency, sum(amount) AS amount FROM '{folder}/parts.parquet' GROUP BY ALL) TO '{folder}/sums.parquet';
    """)


def compare(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """The number of groups. Raises where a payee's sum differs by more than one unit of the last digit for each group."""
    (groups,) = connection.execute(f"SELECT count(*) FROM '{folder}/parts.parquet' WHERE payee = 'P-LABEL'").fetchall()[0]
    ((apart, payees),) = connection.execute(f"""
        SELECT max(abs(coalesce(a.amount, 0) - coalesce(b.amount, 0))), count(*) FROM '{folder}/sums.parquet' a
        FULL JOIN (SELECT payee, sum(amount) AS amount FROM '{folder}/lines/*.parquet' GROUP BY 1) b USING (payee)""").fetchall()
    assert payees > 3
    assert apart <= Decimal(2 * groups).scaleb(-18), f"a payee's sums are {apart} apart"
    return int(groups)


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
