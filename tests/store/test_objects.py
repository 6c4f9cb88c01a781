"""Objects: whole or not at all, and never over another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from lakehouse.errors import Misuse
from lakehouse.store.objects import LocalObjects, object_store


def test_an_object_is_put_once_and_read_back(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    assert objects.get("a/b") is None
    assert objects.put_new("a/b", b"first")
    assert not objects.put_new("a/b", b"second")
    assert objects.get("a/b") == b"first"
    objects.put("a/b", b"third")
    assert objects.get("a/b") == b"third"


def test_of_many_threads_that_put_the_same_key_exactly_one_does_and_no_reader_sees_a_part(tmp_path: Path) -> None:
    objects, threads = LocalObjects(tmp_path), 16
    start = Barrier(threads)

    def race(number: int) -> tuple[bool, bytes | None]:
        start.wait()
        return objects.put_new("race", bytes([number]) * 100_000), objects.get("race")

    with ThreadPoolExecutor(threads) as pool:
        outcome = list(pool.map(race, range(threads)))
    (winner,) = [number for number, (won, _) in enumerate(outcome) if won]
    assert {seen for _, seen in outcome} == {bytes([winner]) * 100_000}
    assert list(objects.keys("")) == ["race"]
    assert [path.name for path in tmp_path.iterdir()] == ["race"]


def test_keys_are_listed_in_order_without_what_is_still_being_written(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    for key in ("x/b/1", "x/a", "y/c"):
        objects.put_new(key, b"")
    (tmp_path / "x" / ".a.part").write_bytes(b"half")
    assert list(objects.keys("x")) == ["x/a", "x/b/1"]
    assert list(objects.keys("nothing")) == []


def test_a_put_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("lakehouse.store.objects.os.link", full)
    with pytest.raises(OSError, match="No space left"):
        LocalObjects(tmp_path).put_new("a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_not_supported_yet_says_so() -> None:
    assert isinstance(object_store("file:///lake"), LocalObjects)
    with pytest.raises(Misuse, match="gs://bucket/lake is not supported"):
        object_store("gs://bucket/lake")
