"""A store that goes away for a while only delays; one that stays away ends in exit code 3, and the next run completes what was begun."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from lakehouse.store.lease import require_lake, writer_lease
from lakehouse.store.light import create_tables
from lakehouse.store.objects import object_store
from lakehouse.store.s3 import S3Objects
from lakehouse.tables import gold
from tests.support.lakes import MAY, land, new_lake, roots, rows_written_twice
from tests.support.processes import CHECKOUT, clean_environment, command, lakehouse
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


class Store:
    """A MinIO that a test takes away and brings back, under the same address and with the same data."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self._up = ExitStack()
        self.come_back()

    def come_back(self) -> None:
        self.endpoint = self._up.enter_context(minio_server(self.data, self.port))

    def go_away(self) -> None:
        self._up.close()


def run_until(
    store: Store, made: Bucket, entry: str, attempts: int, back_after: float | None
) -> subprocess.CompletedProcess[str]:
    """`lakehouse run` while the store is taken away, as soon as an entry of some log is there; for good, or for some seconds."""
    told = {"LAKEHOUSE_S3_ATTEMPTS": str(attempts), "LAKEHOUSE_LEASE_SECONDS": "5", "LAKEHOUSE_LEASE_WAIT": "60"}
    env = clean_environment(**made.environment, **told, LAKEHOUSE_ENVIRONMENT="test", SPARK_MASTER="local[2]")
    process = subprocess.Popen(
        command("run", "--period", MAY, "--root", made.root),
        env=env,
        cwd=CHECKOUT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    objects, taken_away = S3Objects(made.place), None
    while process.poll() is None:
        if taken_away is None and objects.head(entry):
            store.go_away()
            taken_away = time.monotonic()
        elif taken_away and back_after and time.monotonic() - taken_away > back_after:
            store.come_back()
            back_after = None
        time.sleep(0.2)
    out, err = process.communicate()
    assert taken_away is not None, f"the store was there all the time: {err[-3000:]}"
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.minio
@pytest.mark.drill
@pytest.mark.spark
@pytest.mark.timeout(1500)
def test_a_run_whose_store_goes_away_ends_with_3_and_the_next_completes_it_over_another_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: Path, drafted_lake: Path
) -> None:
    store = Store(tmp_path / "data")
    made = new_bucket(store.endpoint, monkeypatch)
    with writer_lease(made.place, new=True):
        env = new_lake(made.root, label)
    land(env, label / "reports" / "bank_2026-05.tsv", label / "reports" / "itunes_jp.txt")
    try:
        gone = run_until(store, made, f"silver/usage/_delta_log/{1:020}.json", attempts=2, back_after=None)
        assert gone.returncode == 3, gone.stderr[-3000:]
        assert "reached" in gone.stderr
        assert "Traceback" not in gone.stderr
        store.come_back()
        delayed = run_until(store, made, f"silver/matches/_delta_log/{1:020}.json", attempts=12, back_after=60)
        assert delayed.returncode in (0, 1), delayed.stderr[-3000:]
        assert roots(made.root, MAY) == roots(drafted_lake, MAY)
        assert rows_written_twice(made.root) == {}
    finally:
        store.go_away()
