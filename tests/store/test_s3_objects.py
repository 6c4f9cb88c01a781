"""Objects in a bucket keep the promises of objects in a folder."""

from __future__ import annotations

import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from lakehouse.errors import Busy, Misuse
from lakehouse.place import Place
from lakehouse.store.objects import Objects, object_store
from lakehouse.store.s3 import S3Objects, client
from tests.support.s3 import Bucket, bucket, free_port, minio, moto  # noqa: F401  (fixtures)


@pytest.fixture
def objects(bucket: Bucket) -> Objects:  # noqa: F811
    return object_store(bucket.root)


def test_an_object_is_put_once_and_read_back(objects: Objects) -> None:
    assert objects.get("a/b") is None
    assert objects.put_new("a/b", b"first")
    assert not objects.put_new("a/b", b"second")
    assert objects.get("a/b") == b"first"
    objects.put("a/b", b"third")
    assert objects.get("a/b") == b"third"
    objects.remove("a/b")
    objects.remove("a/b")
    assert objects.get("a/b") is None


def test_of_many_threads_that_put_the_same_key_exactly_one_does(objects: Objects) -> None:
    threads = 8
    start = Barrier(threads)

    def race(number: int) -> bool:
        start.wait()
        return objects.put_new("race", bytes([number]) * 10_000)

    with ThreadPoolExecutor(threads) as pool:
        outcome = list(pool.map(race, range(threads)))
    (winner,) = [number for number, won in enumerate(outcome) if won]
    assert objects.get("race") == bytes([winner]) * 10_000


def test_a_file_larger_than_one_upload_is_stored_in_parts_and_once(objects: Objects, tmp_path: Path) -> None:
    content = b"".join(number.to_bytes(4, "big") for number in range(5 << 20))
    (tmp_path / "large").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    assert objects.put_file("large", tmp_path / "large", digest)
    assert not objects.put_file("large", tmp_path / "large", digest)
    with objects.open("large") as stream:
        assert stream.read() == content
        stream.seek(9 << 20)
        assert stream.read(4) == content[9 << 20 : (9 << 20) + 4]
        assert stream.seek(-2, 2) == len(content) - 2
        assert stream.read() == content[-2:]


def test_an_object_that_was_replaced_while_it_is_read_is_not_read_as_one(objects: Objects) -> None:
    objects.put("changing", b"a" * (20 << 20))
    with objects.open("changing") as stream:
        assert stream.read(10) == b"a" * 10
        objects.put("changing", b"b" * (20 << 20))
        with pytest.raises(Exception, match=r"PreconditionFailed|412"):
            stream.read()


def test_an_empty_object_is_one(objects: Objects) -> None:
    objects.put_new("empty", b"")
    assert objects.get("empty") == b""
    with objects.open("empty") as stream:
        assert stream.read() == b""
    with pytest.raises(FileNotFoundError):
        objects.open("none")


def test_keys_are_listed_in_order_and_below_the_folder_alone(objects: Objects) -> None:
    for key in ("x/b/1", "x/a", "xy/c", "x/.hidden"):
        objects.put_new(key, b"1")
    assert list(objects.keys("x")) == ["x/a", "x/b/1"]
    assert list(objects.keys("nothing")) == []
    assert list(objects.keys("")) == ["x/a", "x/b/1", "xy/c"]


def test_a_listing_goes_over_many_pages_and_on_from_a_key(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    objects = S3Objects(bucket.place)
    names = [f"in/{number:03}" for number in range(25)]
    for name in names:
        objects.put_new(name, b"1")
    paginate = client(bucket.place).get_paginator("list_objects_v2").paginate
    asked: list[str | None] = []

    class SmallPages:
        def paginate(self, **given: str) -> object:
            asked.append(given.get("StartAfter"))
            return paginate(**given, PaginationConfig={"PageSize": 4})

    monkeypatch.setattr(client(bucket.place), "get_paginator", lambda name: SmallPages())
    assert [listed.key for listed in objects.listing("in")] == names
    assert [listed.key for listed in objects.listing("in", after="in/020")] == names[21:]
    assert asked == [None, "lake/in/020"]


def test_objects_go_to_other_processes_without_their_connection(objects: Objects) -> None:
    objects.put_new("a", b"1")
    assert pickle.loads(pickle.dumps(objects)).get("a") == b"1"


def test_what_is_wrong_is_told_to_the_person_who_can_act(bucket: Bucket) -> None:  # noqa: F811
    with pytest.raises(Misuse, match="there is no bucket no-such-bucket-here"):
        object_store("s3a://no-such-bucket-here/lake").get("a")
    away = Place("s3a://bucket/lake", f"http://127.0.0.1:{free_port()}", "us-east-1", True, attempts=2)
    with pytest.raises(Busy, match="cannot be reached at GET a"):
        object_store(away).get("a")
