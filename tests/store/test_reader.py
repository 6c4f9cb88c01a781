"""Reading without a JVM: the right version, the right files, exact money, quick imports."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from lakehouse.errors import Findings, Misuse
from lakehouse.store.light import create_tables
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold
from tests.support.lake import append
from tests.support.published import may, statement


def count(reader: LakeReader, relation: str) -> int:
    return int(reader.sql(f"SELECT count(*) AS n FROM {relation}")[0]["n"])


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Under a name with the characters that paths, addresses and SQL quote differently."""
    root = tmp_path / "l'été 100% a+b"
    append(root, gold.statements, [statement("2026-05", "A", "0.000000000000000001", "0"), statement("2026-06", "A", "1", "1")])
    append(root, gold.statements, [statement("2026-06", "B", "2", "2")])
    return root


def test_an_older_version_is_read_as_it_was(lake: Path) -> None:
    reader = LakeReader(str(lake))
    assert reader.version("gold.statements") == 1
    assert count(reader, reader.relation("gold.statements", version=0)) == 2
    assert count(reader, reader.relation("gold.statements")) == 3


def test_a_filter_gives_exactly_its_rows_and_opens_no_other_partition(lake: Path) -> None:
    """The other period's file is gone: reading it would fail."""
    next((lake / "gold" / "statements" / "period=2026-05").rglob("*.parquet")).unlink()
    reader = LakeReader(str(lake))
    assert count(reader, reader.relation("gold.statements", where={"period": "2026-06"})) == 2
    assert count(reader, reader.relation("gold.statements", where={"period": "2026-06", "payee": "B"})) == 1
    assert count(reader, reader.relation("gold.statements", where={"period": "2026-07"})) == 0


def test_money_is_exact_to_the_last_digit(lake: Path) -> None:
    reader = LakeReader(str(lake))
    rows = reader.sql(f"SELECT earned FROM {reader.relation('gold.statements', where={'period': '2026-05'})}")
    assert rows == [{"earned": Decimal("0.000000000000000001")}]


def test_a_table_without_rows_has_its_declared_columns(tmp_path: Path) -> None:
    append(tmp_path, gold.royalty_lines, [])
    reader = LakeReader(str(tmp_path))
    described = reader.sql(f"DESCRIBE {reader.relation('gold.royalty_lines')}")
    assert [row["column_name"] for row in described] == list(gold.royalty_lines.columns)


def test_nested_columns_come_as_lists_of_mappings(tmp_path: Path) -> None:
    append(tmp_path, gold.royalty_lines, may()["gold.royalty_lines"][:1])
    reader = LakeReader(str(tmp_path))
    stages = reader.sql(f"SELECT stages FROM {reader.relation('gold.royalty_lines')}")[0]["stages"]
    assert [(stage["stage"], stage["amount_out"]) for stage in stages] == [("fee", Decimal(10)), ("share", Decimal(6))]


def test_an_object_store_is_read_through_arrow_with_the_same_rows(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = LakeReader(str(lake))
    monkeypatch.setattr(type(reader.place), "is_local", property(lambda place: False))
    monkeypatch.setattr(type(reader.place), "storage_options", None)
    rows = reader.sql(f"SELECT payee, earned FROM {reader.relation('gold.statements', where={'period': '2026-06'})} ORDER BY 1")
    assert rows == [{"payee": "A", "earned": Decimal(1)}, {"payee": "B", "earned": Decimal(2)}]


def test_what_cannot_be_read_says_what_to_do(lake: Path) -> None:
    reader = LakeReader(str(lake))
    assert not reader.exists("gold.ledger")
    with pytest.raises(Misuse, match="lakehouse init"):
        reader.relation("gold.ledger")
    with pytest.raises(Misuse, match=r"no table named 'gold\.nonsense'"):
        reader.version("gold.nonsense")
    (lake / "gold" / "statements" / "_delta_log" / f"{0:020}.json").write_text("{not json")
    with pytest.raises(Findings, match=r"log of gold\.statements .* is damaged.*lakehouse verify"):
        LakeReader(str(lake)).version("gold.statements")


def test_the_views_load_no_heavy_library(lake: Path) -> None:
    """pyarrow.dataset and pandas alone cost more than a second, half of what a look may take."""
    rooms = ("views.files", "views.statements", "views.states", "export", "store.verify")
    code = f"import sys, {', '.join(f'lakehouse.{room}' for room in rooms)}\n"
    code += "print(sorted({'pyspark', 'pandas', 'pyarrow', 'openpyxl'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert said.stdout.strip() == "[]"


def test_a_lake_from_before_a_column_was_declared_is_refused_with_what_to_do(tmp_path: Path) -> None:
    older = replace(gold.statements, fields=gold.statements.fields[:-2], version=0)
    create_tables(str(tmp_path), [older])
    lacking = ", ".join(field.name for field in gold.statements.fields[-2:])
    with pytest.raises(
        Misuse, match=rf"gold\.statements of .* has no column {lacking}: .*older version.*schema 0.*here it is 1.*lakehouse init"
    ):
        LakeReader(str(tmp_path)).relation("gold.statements")
