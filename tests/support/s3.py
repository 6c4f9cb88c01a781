"""An S3 server for tests: moto, or a real MinIO on loopback; and a bucket of a test's own in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

import pytest

from lakehouse.place import Place
from tests.support.ports import free_port

KEY_ID, SECRET = "test-key-id", "test-secret-that-is-planted"


@dataclass(frozen=True)
class Bucket:
    """A bucket, and what a process must be told to reach it."""

    name: str
    endpoint: str

    @property
    def root(self) -> str:
        return f"s3a://{self.name}/lake"

    @property
    def place(self) -> Place:
        return Place.at(self.root)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "LAKEHOUSE_S3_ENDPOINT": self.endpoint,
        }


def minio_binary() -> Path | None:
    """MINIO_BINARY, else minio on PATH or where `go install` puts it."""
    found = os.environ.get("MINIO_BINARY") or shutil.which("minio") or Path.home() / "go" / "bin" / "minio"
    return Path(found) if Path(found).is_file() else None


@contextmanager
def moto_server() -> Iterator[str]:
    """The address of a moto server in a process of its own: delta-rs keeps this one's other threads waiting while it asks."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, f"http://127.0.0.1:{port}", "/moto-api/", subprocess.DEVNULL) as endpoint:
        yield endpoint


@contextmanager
def minio_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """The address of a MinIO that keeps its data in `folder`."""
    binary = minio_binary()
    if binary is None:
        pytest.skip("there is no minio: run `make test-minio`, or set MINIO_BINARY")
    port = port or free_port()
    folder.parent.mkdir(parents=True, exist_ok=True)
    told = {"MINIO_ROOT_USER": KEY_ID, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"}
    command = [str(binary), "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder)]
    with (
        (folder.parent / f"minio-{port}.log").open("ab") as said,
        _running(command, f"http://127.0.0.1:{port}", "/minio/health/ready", said, told) as endpoint,
    ):
        yield endpoint


@contextmanager
def _running(
    command: list[str], endpoint: str, health: str, said: int | IO[bytes], told: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    server = subprocess.Popen(command, env={**os.environ, **told}, stdout=said, stderr=said)
    try:
        until = time.monotonic() + 60
        while not _answers(endpoint + health):
            assert server.poll() is None, f"{command[0]} ended"
            assert time.monotonic() < until, f"{endpoint} does not answer"
            time.sleep(0.2)
        yield endpoint
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


SERVERS = [pytest.param("moto", marks=pytest.mark.slow), pytest.param("minio", marks=pytest.mark.minio)]


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with minio_server(tmp_path_factory.mktemp("minio") / "data") as endpoint:
        yield endpoint


@pytest.fixture(params=SERVERS)
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, and this process told of it. Every test of this runs on moto, and on MinIO by `make test-minio`."""
    return new_bucket(request.getfixturevalue(request.param), monkeypatch)


def new_bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    from lakehouse.store.s3 import client

    made = Bucket(f"lake-{uuid.uuid4().hex[:12]}", endpoint)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    client.cache_clear()
    client(made.place).create_bucket(Bucket=made.name)
    return made
