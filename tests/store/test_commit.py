"""A commit is the very next entry of the log, or none: whoever comes too late has written nothing over anyone."""

from __future__ import annotations

from pathlib import Path

import deltalake
import pytest
from deltalake.exceptions import CommitFailedError

from lakehouse.errors import Busy
from lakehouse.place import Place
from lakehouse.store.commit import next_commit
from lakehouse.store.light import create_tables
from lakehouse.store.objects import object_store
from lakehouse.tables import ops
from lakehouse.tables.arrow import arrow_schema

SCHEMA = arrow_schema(ops.runs)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place.at(str(tmp_path / "lake"))
    create_tables(made, [ops.runs])
    return made


def opened(place: Place) -> deltalake.DeltaTable:
    return deltalake.DeltaTable(place.uri(ops.runs.path))


def entry(place: Place, version: int) -> str:
    return (object_store(place).get(f"{ops.runs.path}/_delta_log/{version:020}.json") or b"").decode()


def write(place: Place, table: deltalake.DeltaTable, who: str, once: str | None = None) -> None:
    with next_commit(place, ops.runs, table, {"job": who}, once) as properties:
        table.create_write_transaction([], "append", SCHEMA, list(ops.runs.partition_by), commit_properties=properties)


def test_of_two_that_opened_the_same_version_the_second_writes_nothing(place: Place) -> None:
    first, second = opened(place), opened(place)
    write(place, first, "first")
    with pytest.raises(Busy, match=r"Another process has changed ops\.runs"):
        write(place, second, "second")
    assert opened(place).version() == 1
    assert "first" in entry(place, 1)
    write(place, opened(place), "second, again")
    assert opened(place).version() == 2


def test_an_answer_that_was_lost_is_no_failure(place: Place) -> None:
    table = opened(place)
    with next_commit(place, ops.runs, table, {"job": "x"}, "the one") as properties:
        beside = opened(place)
        beside.create_write_transaction([], "append", SCHEMA, list(ops.runs.partition_by), commit_properties=properties)
        raise CommitFailedError("put again after a timeout: there is an entry already")
    assert table.version() == 1
    assert table.transaction_version("the one") == 1


def test_what_fails_before_the_commit_leaves_nothing(place: Place) -> None:
    def fail() -> None:
        with next_commit(place, ops.runs, opened(place), {"job": "x"}):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert opened(place).version() == 0
