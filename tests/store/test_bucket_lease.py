"""The lease of a lake on S3: one holder, numbers that only grow, broken only after its time; a holder that lost it writes no more."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import deltalake
import pytest
from deltalake import CommitProperties

from lakehouse.errors import Busy, Misuse
from lakehouse.store import bucket_lease, fence, lease
from lakehouse.store.bucket_lease import take
from lakehouse.store.commit import commit
from lakehouse.store.lease import lease_of, writer_lease
from lakehouse.store.light import append_rows, create_tables, replace_rows
from lakehouse.store.probe import require_conditional_writes
from lakehouse.store.reader import LakeReader
from lakehouse.store.s3 import S3Objects
from lakehouse.tables import bronze, ops, silver
from lakehouse.tables.arrow import arrow_schema
from tests.support.s3 import Bucket, bucket, minio, moto  # noqa: F401  (fixtures)

REVIEW_NOTE = {"job": "review"}


@pytest.fixture
def objects(bucket: Bucket) -> S3Objects:  # noqa: F811
    return S3Objects(bucket.place)


def test_one_of_many_takes_it_and_the_next_one_has_a_higher_number(objects: S3Objects) -> None:
    start = Barrier(8)

    def race(_: int) -> bucket_lease.BucketLease | None:
        start.wait()
        return take(objects, 60)

    with ThreadPoolExecutor(8) as pool:
        (winner,) = [taken for taken in pool.map(race, range(8)) if taken]
    assert (winner.fence, winner.broken) == (1, False)
    assert take(objects, 60) is None
    winner.release()
    second = take(objects, 60)
    assert second is not None
    assert (second.fence, second.broken) == (2, False)
    assert len(list(objects.keys("_leases/writer"))) == 1


def test_it_is_broken_after_its_time_and_not_before_and_the_holder_that_sleeps_finds_out(objects: S3Objects) -> None:
    sleeper = take(objects, 2)
    assert sleeper is not None
    assert take(objects, 2) is None
    time.sleep(5.5)
    taker = take(objects, 60)
    assert taker is not None
    assert (taker.fence, taker.broken) == (2, True)
    with pytest.raises(Busy, match="held up for longer than its lease of 2 seconds"):
        sleeper.check()
    sleeper.release()
    taker.check()


def test_a_holder_that_was_away_too_long_goes_on_where_no_one_took_its_place(objects: S3Objects) -> None:
    sleeper = take(objects, 2)
    assert sleeper is not None
    time.sleep(2.5)
    sleeper.check()
    assert take(objects, 2) is None


def test_the_lease_is_renewed_while_it_is_held_and_free_after(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("LAKEHOUSE_LEASE_SECONDS", "5")
    place = bucket.place
    with writer_lease(place, new=True):
        time.sleep(8)
        held = lease_of(place)
        with pytest.raises(Busy, match=r"Process \d+ on .* is writing to s3a://"), writer_lease(place, new=True):
            pass
    with writer_lease(place, wait_seconds=1, new=True):
        after = lease_of(place)
    assert held is not None
    assert after is not None
    assert (held.fence, after.fence, after.broken) == (1, 2, False)


def test_a_write_without_the_lease_is_a_mistake_of_the_program(bucket: Bucket) -> None:  # noqa: F811
    with writer_lease(bucket.place, new=True):
        create_tables(bucket.place, [ops.reviews])
    with pytest.raises(AssertionError, match="outside `writer_lease`"):
        append_rows(bucket.place, ops.reviews, [], REVIEW_NOTE)


def test_a_commit_says_under_which_lease_it_was_made(bucket: Bucket) -> None:  # noqa: F811
    place = bucket.place
    for _ in range(2):
        with writer_lease(place, new=True):
            create_tables(place, [silver.contracts])
            replace_rows(place, silver.contracts, [], {"job": "x"}, LakeReader(place).version(silver.contracts.name))
    history = LakeReader(place).delta(silver.contracts.name).history()
    assert ['"fence": 2' in entry.get("userMetadata", "") for entry in history] == [True, False, False]


def test_a_table_that_changed_since_it_was_read_is_not_replaced(bucket: Bucket) -> None:  # noqa: F811
    place = bucket.place
    with writer_lease(place, new=True):
        create_tables(place, [silver.contracts])
        replace_rows(place, silver.contracts, [], {"job": "x"}, 0)
        with pytest.raises(Busy, match=r"changed silver\.contracts"):
            replace_rows(place, silver.contracts, [], {"job": "x"}, 0)
    assert LakeReader(place).version(silver.contracts.name) == 1


def test_a_writer_that_sleeps_between_opening_and_committing_finds_its_entry_taken(bucket: Bucket) -> None:  # noqa: F811
    """It had the lease when it looked. Whoever breaks it fences every table that jobs append to, and none that is pinned."""
    place = bucket.place
    with writer_lease(place, new=True):
        create_tables(place, [bronze.lines, silver.catalog])
        opened = deltalake.DeltaTable(place.uri(bronze.lines.path), storage_options=place.storage_options)

        def sleep_and_commit(properties: CommitProperties) -> None:
            broken = lease_of(place)
            assert broken is not None
            broken.seconds = -10
            broken._write()
            taker = take(S3Objects(place), 60)
            assert taker is not None
            fence.fence_off(place, taker)
            opened.create_write_transaction([], "append", arrow_schema(bronze.lines), ["period"], commit_properties=properties)

        with pytest.raises(Busy, match=r"changed bronze\.lines"):
            commit(place, bronze.lines, opened, {"job": "sleeper"}, sleep_and_commit)
        with pytest.raises(Busy):
            lease_of(place)
    reader = LakeReader(place)
    assert (reader.version(bronze.lines.name), reader.version(silver.catalog.name)) == (1, 0)
    assert reader.delta(bronze.lines.name).metadata().configuration[fence.PROPERTY] == "2"


def test_a_store_that_does_not_refuse_a_second_put_is_not_written_to(
    bucket: Bucket,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def put_over(objects: S3Objects, key: str, content: bytes) -> bool:
        objects.put(key, content)
        return True

    monkeypatch.setattr(S3Objects, "put_new", put_over)
    with (
        pytest.raises(Misuse, match=r"does not honour If-None-Match.*LAKEHOUSE_SINGLE_WRITER"),
        writer_lease(bucket.place, new=True),
    ):
        pass
    monkeypatch.setenv("LAKEHOUSE_SINGLE_WRITER", "true")
    require_conditional_writes(S3Objects(bucket.place))
    assert not lease._held


def test_two_that_break_leases_at_once_fence_in_turn_and_the_older_one_gives_up(bucket: Bucket) -> None:  # noqa: F811
    """Found by the drill: the taker of a broken lease was itself held up for longer than its lease, in the midst of fencing."""
    place = bucket.place
    with writer_lease(place, new=True):
        create_tables(place, [bronze.lines])
    older = take(S3Objects(place), -10)
    assert older is not None
    properties = deltalake.table.TableAlterer.set_table_properties

    patch = pytest.MonkeyPatch()

    def beaten(self: deltalake.table.TableAlterer, *told: object, **how: object) -> None:
        patch.undo()
        newer = take(S3Objects(place), 60)
        assert newer is not None
        fence.fence_off(place, newer)
        properties(self, *told, **how)

    patch.setattr(deltalake.table.TableAlterer, "set_table_properties", beaten)
    with pytest.raises(Busy, match="another one writes now"):
        fence.fence_off(place, older)
    assert LakeReader(place).version(bronze.lines.name) == 1


def test_an_error_under_a_lease_that_was_lost_is_told_as_that(bucket: Bucket) -> None:  # noqa: F811
    def fail(fence: int) -> None:
        S3Objects(bucket.place).put_new(f"_leases/writer/{fence:012}.json", b"{}")
        raise RuntimeError("a commit that was fenced off")

    with pytest.raises(RuntimeError), writer_lease(bucket.place, new=True):
        fail(1)
    with pytest.raises(Busy, match="another one writes now"), writer_lease(bucket.place, new=True):
        fail(3)
