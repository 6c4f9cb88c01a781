"""What others send is landed when it is complete, once, and stays where it is: in a folder and in a bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.settings import conf_dir
from lakehouse.sources.recognise import Dialects, load_dialects
from lakehouse.store import incoming
from lakehouse.store.incoming import FOLDER, ingest, sources_of
from lakehouse.store.landing import Landed, Landing
from lakehouse.store.objects import Listed, LocalObjects, Objects, object_store
from tests.support.lakes import JUNE_SALES, MAY_SALES, bank_report
from tests.support.s3 import SERVERS, minio, moto, new_bucket  # noqa: F401  (fixtures)

MAY_FILE, JUNE_FILE = bank_report("2026-05", MAY_SALES).encode(), bank_report("2026-06", JUNE_SALES).encode()
BANK = f"{FOLDER}/distrokid_13"
Take = Callable[..., list[tuple[str, str]]]


@pytest.fixture(scope="module")
def dialects() -> Dialects:
    return load_dialects([conf_dir() / "sources"])


@pytest.fixture(params=["folder", *SERVERS])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return str(tmp_path / "lake")
    return new_bucket(request.getfixturevalue(request.param), monkeypatch).root


@pytest.fixture
def objects(root: str) -> Objects:
    return object_store(root)


@pytest.fixture
def take(root: str, dialects: Dialects) -> Take:
    """Ingests, with files complete at once unless told otherwise: [(name, status)]."""

    def look(settled: float = -10, **how: bool) -> list[tuple[str, str]]:
        landed = ingest(object_store(root), Landing(root), dialects, settled=settled, **how)
        return [(each.path.removeprefix(f"{FOLDER}/"), each.status) for each in landed]

    return look


def test_each_file_lands_once_under_its_source_and_stays(objects: Objects, take: Take) -> None:
    objects.put(f"{BANK}/2026/may.tsv", MAY_FILE)
    objects.put(f"{BANK}/june.tsv", JUNE_FILE)
    objects.put(f"{FOLDER}/believe_tsv/may.tsv", MAY_FILE.replace(b"Spotify", b"Deezer"))
    assert sources_of(objects) == ["believe_tsv", "distrokid_13"]
    refused = ("believe_tsv/may.tsv", "rejected")
    assert take() == [refused, ("distrokid_13/2026/may.tsv", "landed"), ("distrokid_13/june.tsv", "landed")]
    assert take() == take(whole=True) == [refused]
    assert objects.get(f"{BANK}/june.tsv") == JUNE_FILE


def test_a_file_is_complete_by_its_age_by_success_beside_it_or_by_its_digest(objects: Objects, take: Take) -> None:
    import hashlib

    objects.put(f"{BANK}/may.tsv", MAY_FILE)
    assert take(settled=3600) == [("distrokid_13/may.tsv", "waiting")]
    objects.put(f"{BANK}/_SUCCESS", b"")
    assert take(settled=3600) == [("distrokid_13/may.tsv", "landed")]
    objects.put(f"{BANK}/later/june.tsv", JUNE_FILE[:-20])
    objects.put(f"{BANK}/later/june.tsv.sha256", f"{hashlib.sha256(JUNE_FILE).hexdigest()}  june.tsv\n".encode())
    assert take() == [("distrokid_13/later/june.tsv", "waiting")]
    objects.put(f"{BANK}/later/june.tsv", JUNE_FILE)
    assert take(settled=3600) == [("distrokid_13/later/june.tsv", "landed")]


def test_what_is_not_complete_by_its_name_or_no_report_is_passed_over(objects: Objects, take: Take) -> None:
    for name in ("may.tsv.part", "may.tsv.tmp", "_SUCCESS", "may.tsv.filepart"):
        objects.put(f"{BANK}/{name}", MAY_FILE[:50])
    assert take() == []


def test_a_file_that_is_replaced_under_its_name_lands_again(objects: Objects, take: Take) -> None:
    objects.put(f"{BANK}/report.tsv", MAY_FILE)
    assert take() == [("distrokid_13/report.tsv", "landed")]
    objects.put(f"{BANK}/report.tsv", JUNE_FILE)
    assert take() == [("distrokid_13/report.tsv", "landed")]
    objects.put(f"{BANK}/again.tsv", JUNE_FILE)
    assert take() == [("distrokid_13/again.tsv", "duplicate")]


def test_a_file_that_changes_or_goes_while_it_is_read_waits_and_the_others_go_on(
    objects: Objects, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.tsv", "b.tsv", "c.tsv"):
        objects.put(f"{BANK}/{name}", MAY_FILE if name == "c.tsv" else JUNE_FILE[:-1])
    fetch = type(objects).fetch

    def meddled(store: Objects, listed: Listed, to: Path) -> bool:
        if listed.key.endswith("a.tsv"):
            store.put(listed.key, JUNE_FILE)
        if listed.key.endswith("b.tsv"):
            store.remove(listed.key)
        return fetch(store, listed, to)

    monkeypatch.setattr(type(objects), "fetch", meddled)
    found = take()
    assert found == [("distrokid_13/a.tsv", "waiting"), ("distrokid_13/b.tsv", "waiting"), ("distrokid_13/c.tsv", "landed")]
    monkeypatch.undo()


def test_a_process_that_dies_before_its_mark_leaves_a_duplicate_and_nothing_twice(
    objects: Objects, root: str, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects.put(f"{BANK}/may.tsv", MAY_FILE)
    put_new = type(objects).put_new

    def dies(store: Objects, key: str, content: bytes) -> bool:
        if key.startswith("landing/seen/"):
            raise KeyboardInterrupt
        return put_new(store, key, content)

    monkeypatch.setattr(type(objects), "put_new", dies)
    with pytest.raises(KeyboardInterrupt):
        take()
    monkeypatch.setattr(type(objects), "put_new", put_new)
    assert take() == [("distrokid_13/may.tsv", "duplicate")]
    assert take() == []
    assert [receipt.name for receipt in Landing(root).receipts("2026-05")] == ["may.tsv"]


def test_very_many_files_are_looked_at_from_the_last_position_and_a_waiting_one_holds_it_back(
    objects: Objects, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "WHOLE_LOOK", 2)
    begun: list[str | None] = []
    listing = type(objects).listing

    def watched(store: Objects, prefix: str, after: str | None = None) -> object:
        if prefix == BANK:
            begun.append(after)
        return listing(store, prefix, after)

    for name in ("1.tsv", "2.tsv", "3.tsv"):
        objects.put(f"{BANK}/{name}", MAY_FILE + name.encode())
    monkeypatch.setattr(type(objects), "listing", watched)
    take()
    objects.put(f"{BANK}/4.tsv", MAY_FILE)
    objects.put(f"{BANK}/0.tsv", JUNE_FILE)
    assert take(settled=3600) == [("distrokid_13/4.tsv", "waiting")]
    assert take() == [("distrokid_13/4.tsv", "landed")]
    assert begun == [None, f"{BANK}/3.tsv", f"{BANK}/3.tsv"]
    assert take(whole=True) == [("distrokid_13/0.tsv", "landed")]


def test_a_document_beside_a_file_says_of_it_what_the_file_does_not(objects: Objects, take: Take, root: str) -> None:
    objects.put(f"{BANK}/may.tsv", MAY_FILE)
    objects.put(f"{BANK}/may.tsv.told.yaml", b"period: 2026-07\n")
    assert take() == [("distrokid_13/may.tsv", "landed")]
    assert [receipt.name for receipt in Landing(root).receipts("2026-07")] == ["may.tsv"]


def test_a_folder_lists_as_a_bucket_does(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    for key in ("x/a/b", "x/a-b", "x/a.b"):
        objects.put(key, b"1")
    assert [listed.key for listed in objects.listing("x")] == ["x/a-b", "x/a.b", "x/a/b"]
    assert isinstance(next(iter(objects.listing("x", "x/a.b"))), Listed)


def test_what_was_landed_says_where_it_came_from(tmp_path: Path, dialects: Dialects) -> None:
    objects = LocalObjects(tmp_path)
    objects.put(f"{BANK}/may.tsv", MAY_FILE)
    (landed,) = ingest(objects, Landing(str(tmp_path)), dialects, "distrokid_13", -10)
    assert landed == Landed(f"{BANK}/may.tsv", landed.file_id, "distrokid_13", "landed", None)
