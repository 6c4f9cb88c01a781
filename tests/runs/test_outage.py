"""A store that goes away for a while only delays; one that stays away ends in exit code 3."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from lakehouse.store.lease import require_lake, writer_lease
from lakehouse.store.light import create_tables
from lakehouse.store.objects import object_store
from lakehouse.tables import gold
from tests.support.processes import clean_environment, lakehouse
from tests.support.s3 import SECRET, Bucket, free_port, minio_binary, minio_server, moto, new_bucket  # noqa: F401  (fixtures)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("status",), ("verify",), ("init",), ("ingest",), ("run", "--period", "2026-05")])
def test_a_store_that_stays_away_ends_every_command_with_3_and_a_sentence(arguments: tuple[str, ...]) -> None:
    away = Bucket("bucket", f"http://127.0.0.1:{free_port()}")
    env = clean_environment(**away.environment, LAKEHOUSE_S3_ATTEMPTS="2")
    done = lakehouse(*arguments, "--root", away.root, env=env)
    assert done.returncode == 3, done.stderr
    assert "reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.slow
def test_credentials_that_are_refused_end_with_2(moto: str) -> None:  # noqa: F811
    done = lakehouse("init", "--root", "s3a://no-such-bucket-at-all/lake", env=clean_environment(**Bucket("b", moto).environment))
    assert done.returncode == 2, done.stderr
    assert "there is no bucket no-such-bucket-at-all" in done.stderr


@pytest.mark.minio
def test_a_store_that_comes_back_after_a_while_has_only_delayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 and delta-rs ask again until the store is there; the lease of a holder that waited with them is still its own."""
    assert minio_binary()
    port, away = free_port(), 15
    with minio_server(tmp_path / "data", port) as endpoint:
        made = new_bucket(endpoint, monkeypatch)
    monkeypatch.setenv("LAKEHOUSE_LEASE_SECONDS", "5")
    place = made.place
    back = threading.Event()

    def come_back() -> None:
        time.sleep(away)
        with minio_server(tmp_path / "data", port):
            back.wait(120)

    server = threading.Thread(target=come_back)
    server.start()
    began = time.monotonic()
    try:
        with writer_lease(place, new=True):
            create_tables(place, [gold.periods])
            assert object_store(place).put_new("a", b"1")
        require_lake(place)
    finally:
        back.set()
        server.join()
    assert time.monotonic() - began > away
