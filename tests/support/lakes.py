"""A whole label small enough to read: two contracts, four reports, and lakes that hold them at each step of the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.model.content_root import Root
from lakehouse.runs.environment import Environment
from lakehouse.settings import load_settings
from lakehouse.store import duck
from lakehouse.store.landing import Landed
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ALL, gold, ops, silver

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MAY, JUNE = "2026-05", "2026-06"
ITUNES = Path(__file__).parents[1] / "sources" / "itunes_financial" / "sample.txt"

_CATALOG = """recording_id,isrc,title,artist,label,upc,album
R-1,QZMO12600001,Night Ferry,Mara Okafor,Kitetail,196000000017,Night Ferry
R-2,QZMO12600002,Low Tide,Ibo Lark,Kitetail,196000000024,Low Tide
"""
_CONTRACT = """contract: {contract}
version: "1"
title: Recording agreement, {artist}
effective: {{from: 2026-01}}
label: P-LABEL
parties:
  P-LABEL: {{name: Kitetail Records}}
  {party}: {{name: {artist}}}
covers: {{artists: [{artist}]}}
terms:
  - {{clause: master_share, rate: {rate}, to: {party}}}
"""
BANK_COLUMNS = (
    "Reporting Date", "Sale Month", "Store", "Artist", "Title", "ISRC", "UPC", "Quantity", "Team Percentage", "Song/Album",
    "Country of Sale", "Songwriter Royalties Withheld", "Earnings (USD)",
)  # fmt: skip
MARA, IBO = ("Mara Okafor", "Night Ferry", "QZMO12600001"), ("Ibo Lark", "Low Tide", "QZMO12600002")
NOBODY = ("Nobody Known", "Zanzibar Clockwork", "QZZZZ2600099")

Sale = tuple[tuple[str, str, str], str]

# Mara earns half of 12.50; Ibo a third of an amount with 18 decimals; 1.25 has no owner; 1,50 is refused.
MAY_SALES: tuple[Sale, ...] = ((MARA, "10"), (MARA, "2.5"), (IBO, "4.000000000000000003"), (NOBODY, "1.25"), (MARA, "1,50"))
RESTATED_SALES: tuple[Sale, ...] = ((MARA, "12"), (MARA, "2.5"), (IBO, "4.000000000000000003"), (NOBODY, "1.25"))
JUNE_SALES: tuple[Sale, ...] = ((MARA, "6"), (IBO, "2"))


def bank_report(period: str, sales: Sequence[Sale]) -> str:
    """A DistroKid bank file of 13 columns."""
    rows = [
        (f"{period}-14", "2026-03", "Spotify", artist, title, isrc, "", "100", "100.0", "Song", "DE", "0", amount)
        for (artist, title, isrc), amount in sales
    ]
    return "".join("\t".join(row) + "\n" for row in (BANK_COLUMNS, *rows))


def write_label(folder: Path) -> Path:
    """catalog.csv, contracts/ and reports/: May's bank file, its second version, one whose footer is wrong, June's bank file."""
    (folder / "contracts").mkdir(parents=True)
    (folder / "reports").mkdir()
    (folder / "catalog.csv").write_text(_CATALOG, encoding="utf-8")
    for contract, artist, party, rate in (("C-1", "Mara Okafor", "A-MARA", "50%"), ("C-2", "Ibo Lark", "A-IBO", "1/3")):
        text = _CONTRACT.format(contract=contract, artist=artist, party=party, rate=rate)
        (folder / "contracts" / f"{contract}.yaml").write_text(text, encoding="utf-8")
    reports = {
        "bank_2026-05.tsv": bank_report(MAY, MAY_SALES),
        "bank_2026-05_v2.tsv": bank_report(MAY, RESTATED_SALES),
        "bank_2026-06.tsv": bank_report(JUNE, JUNE_SALES),
        "itunes_jp.txt": ITUNES.read_text(encoding="utf-8").replace("Total_Rows\t6", "Total_Rows\t9"),
    }
    for name, text in reports.items():
        (folder / "reports" / name).write_text(text, encoding="utf-8")
    return folder


def environment(root: str | Path) -> Environment:
    """The lake at `root` on this machine's two cores."""
    return Environment(load_settings(root=str(root), spark_master="local[2]"))


def new_lake(root: str | Path, label: Path) -> Environment:
    """A lake with the label's catalog and book, and no report."""
    from lakehouse.runs.admin import init_lake, load_catalog, load_contracts

    env = environment(root)
    init_lake(env)
    load_catalog(env, [label / "catalog.csv"])
    load_contracts(env, label / "contracts")
    return env


def land(env: Environment, *reports: Path) -> list[Landed]:
    return [env.landing.put(report, env.dialects) for report in reports]


def copy_of(lake: Path, to: Path) -> Path:
    """A lake of its own: nothing in a lake says where it stands."""
    return Path(shutil.copytree(lake, to / "lake"))


def commits(root: Path) -> list[str]:
    """Every entry of every Delta log."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("_delta_log/*.json"))


def roots(root: str | Path, period: str, layer: str = "draft") -> dict[str, Root]:
    """The content root of each statement table of a period, by DuckDB: drafts, or gold."""
    reader = LakeReader(str(root))
    wanted = gold.DRAFTS if layer == "draft" else gold.PUBLISHED
    return {
        table.name.split(".")[1]: duck.table_root(
            reader.connection, reader.relation(table.name, where={"period": period}), published
        )
        for table, published in zip(wanted, gold.PUBLISHED, strict=True)
    }


def published_root(root: str | Path, period: str) -> str:
    reader = LakeReader(str(root))
    return str(reader.sql(f"SELECT root FROM {reader.relation('gold.periods')} WHERE period = ?", [period])[0]["root"])


def earned(root: Path, periods: Iterable[str]) -> Mapping[str, str]:
    """Payee: what they earned over these periods, closed or draft, as text."""
    from decimal import Decimal

    from lakehouse.views.statements import list_statements

    sums: dict[str, Decimal] = {}
    for row in list_statements(LakeReader(str(root))):
        if row["period"] in periods:
            sums[row["payee"]] = sums.get(row["payee"], Decimal(0)) + Decimal(row["earned"])
    return {payee: f"{total.normalize():f}" for payee, total in sorted(sums.items())}


def rows_written_twice(root: str | Path) -> dict[str, int]:
    """Table: how many rows share their grain with another row. Empty is right."""
    reader = LakeReader(str(root))
    found = {}
    for table in ALL:
        grain = ", ".join(f'"{column}"' for column in table.grain)
        query = f"SELECT count(*) - count(DISTINCT ({grain})) AS n FROM {reader.relation(table.name)}"
        found[table.name] = int(reader.sql(query)[0]["n"])
    return {name: count for name, count in found.items() if count}


def state_of_inputs(root: Path) -> dict[str, str]:
    """The content roots of what lies between landing and drafts, whole."""
    from lakehouse.tables import bronze

    reader = LakeReader(str(root))
    tables = (bronze.files, bronze.lines, silver.usage, silver.matches, ops.quarantine, ops.ignored)
    return {table.name: duck.table_root(reader.connection, reader.relation(table.name), table).root for table in tables}


@pytest.fixture(scope="session")
def label(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_label(tmp_path_factory.mktemp("label"))


@pytest.fixture(scope="session")
def landed_lake(tmp_path_factory: pytest.TempPathFactory, label: Path) -> Path:
    """May's bank file and the report whose footer is wrong have landed. Copy it; do not change it."""
    root = tmp_path_factory.mktemp("landed") / "lake"
    land(new_lake(root, label), label / "reports" / "bank_2026-05.tsv", label / "reports" / "itunes_jp.txt")
    return root


@pytest.fixture(scope="session")
def drafted_lake(tmp_path_factory: pytest.TempPathFactory, landed_lake: Path, spark: SparkSession) -> Path:
    """May has been run. Copy it; do not change it."""
    from lakehouse.runs.period import run_period

    root = copy_of(landed_lake, tmp_path_factory.mktemp("drafted"))
    run_period(environment(root), MAY)
    return root


@pytest.fixture(scope="session")
def closed_lake(tmp_path_factory: pytest.TempPathFactory, drafted_lake: Path, spark: SparkSession) -> Path:
    """May is closed. Copy it; do not change it."""
    from lakehouse.runs.close import close_period

    root = copy_of(drafted_lake, tmp_path_factory.mktemp("closed"))
    close_period(environment(root), MAY)
    return root
