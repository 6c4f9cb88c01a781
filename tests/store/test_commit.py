"""A commit is the very next entry of the log, or none: whoever comes too late has written nothing over anyone."""

from __future__ import annotations

from pathlib import Path

import deltalake
import pytest
from deltalake import CommitProperties
from deltalake.exceptions import CommitFailedError

from lakehouse.errors import Busy
from lakehouse.place import Place
from lakehouse.store.commit import commit
from lakehouse.store.light import create_tables
from lakehouse.store.objects import object_store
from lakehouse.store.reader import LakeReader
from lakehouse.tables import ops
from lakehouse.tables.arrow import arrow_schema
from lakehouse.views.states import history

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


def write(place: Place, table: deltalake.DeltaTable, who: str, once: str | None = None, *, then: Exception | None = None) -> int:
    def put(properties: CommitProperties) -> None:
        beside = deltalake.DeltaTable(place.uri(ops.runs.path), version=table.version())
        beside.create_write_transaction([], "append", SCHEMA, list(ops.runs.partition_by), commit_properties=properties)
        if then is not None:
            raise then

    return commit(place, ops.runs, table, {"job": who}, put, once=once, rows=0)


def test_of_two_that_opened_the_same_version_the_second_writes_nothing(place: Place) -> None:
    first, second = opened(place), opened(place)
    assert write(place, first, "first") == 1
    with pytest.raises(Busy, match=r"Another process has changed ops\.runs"):
        write(place, second, "second")
    assert opened(place).version() == 1
    assert "first" in entry(place, 1)
    assert write(place, opened(place), "second, again") == 2
    assert [(each["job"], each["rows"]) for each in history(LakeReader(place), "ops.runs")[:2]] == [
        ("second, again", 0),
        ("first", 0),
    ]


@pytest.mark.parametrize("error", [CommitFailedError("there is an entry already"), OSError("the connection was reset")])
def test_an_answer_that_was_lost_is_no_failure(place: Place, error: Exception) -> None:
    table = opened(place)
    assert write(place, table, "x", "the one", then=error) == 1
    assert (table.version(), table.transaction_version("the one")) == (1, 1)


def test_a_put_that_did_not_arrive_is_tried_again_and_given_up_at_last(place: Place) -> None:
    tried = 0

    def put(properties: CommitProperties) -> None:
        nonlocal tried
        tried += 1
        raise OSError("the connection was reset")

    with pytest.raises(OSError, match="was reset"):
        commit(place, ops.runs, opened(place), {"job": "x"}, put)
    assert tried == 3
    assert opened(place).version() == 0


def test_a_mistake_is_not_tried_again_and_leaves_nothing(place: Place) -> None:
    with pytest.raises(ZeroDivisionError):
        commit(place, ops.runs, opened(place), {"job": "x"}, lambda properties: divmod(1, 0) and None)
    assert opened(place).version() == 0
