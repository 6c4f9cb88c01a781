"""A month in a real Airflow, in a bucket: what senders left becomes verified statements, whoever is broken and whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pytest

from lakehouse.store.incoming import FOLDER
from lakehouse.store.lease import writer_lease
from lakehouse.store.reader import LakeReader
from lakehouse.store.s3 import S3Objects
from lakehouse.store.verify import verify
from tests.support.airflow import airflow, airflow_environment, rendered, result_of, tries_of, versions_told
from tests.support.lakes import JUNE, MAY, new_lake, published_root
from tests.support.s3 import SECRET, Bucket, moto, new_bucket  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.airflow, pytest.mark.spark, pytest.mark.timeout(3300)]


@dataclass
class Month:
    bucket: Bucket
    label: Path
    env: dict[str, str]

    @property
    def root(self) -> str:
        return self.bucket.root

    def send(self, source: str, name: str, content: bytes) -> None:
        S3Objects(self.bucket.place).put(f"{FOLDER}/{source}/{name}", content)

    def run(self, dag: str, **params: str) -> subprocess.CompletedProcess[str]:
        return airflow("dags", "test", dag, "-c", json.dumps(params), env=self.env, timeout=3000)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, label: Path, moto: str) -> Iterator[Month]:  # noqa: F811
    """May's bank file has come to the bucket, and a file of FUGA's that is none."""
    with pytest.MonkeyPatch.context() as patch:
        bucket = new_bucket(moto, patch)
        with writer_lease(bucket.place, new=True):
            new_lake(bucket.root, label)
        env = airflow_environment(tmp_path_factory.mktemp("airflow"), bucket.root) | {
            **bucket.environment,
            # Whoever is killed gives nothing back: its lease has to expire.
            "LAKEHOUSE_LEASE_SECONDS": "5", "LAKEHOUSE_LEASE_WAIT": "60",
        }  # fmt: skip
        assert airflow("db", "migrate", env=env).returncode == 0
        month = Month(bucket, label, env)
        month.send("distrokid_13", "bank_2026-05.tsv", (label / "reports" / "bank_2026-05.tsv").read_bytes())
        month.send("fuga", "broken.csv", b"this is\nno report\n")
        yield month


def drivers(root: str) -> list[int]:
    """The JVMs that spark-submit.sh has started on this lake."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            told = file.read_bytes().decode(errors="replace").split("\0")
            if "org.apache.spark.deploy.SparkSubmit" in told and root in told:
                found.append(int(file.parent.name))
    return found


@pytest.fixture(scope="module")
def killed(month: Month) -> Iterator[list[int]]:
    """Whoever draws up the statements is killed once, when one of its tables is written and others are not. The ids of the JVMs that were."""
    dead: list[int] = []
    stop, objects = Event(), S3Objects(month.bucket.place)
    entries = [
        f"draft/{table}/_delta_log/{1:020}.json" for table in ("ledger", "balances", "conservation", "partitions", "statements")
    ]

    def watch() -> None:
        while not stop.wait(0.1) and not dead:
            if any(objects.head(entry) for entry in entries):
                for pid in drivers(month.root):
                    os.kill(pid, signal.SIGKILL)
                    dead.append(pid)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    yield dead
    stop.set()
    watcher.join()


@pytest.fixture(scope="module")
def closed(month: Month, killed: list[int]) -> subprocess.CompletedProcess[str]:
    """Both sources are ingested, then May is run and published."""
    good, broken = month.run("ingest_distrokid_13"), month.run("ingest_fuga")
    assert good.returncode == 0, good.stdout[-4000:] + good.stderr[-2000:]
    assert broken.returncode != 0, "a source whose file is no report fails by itself"
    return month.run("royalty_statements", period=MAY, close="yes")


def test_a_month_comes_to_verified_statements_although_a_source_is_broken_and_a_task_was_killed(
    month: Month, closed: subprocess.CompletedProcess[str], killed: list[int]
) -> None:
    assert closed.returncode == 0, closed.stdout[-6000:]
    assert len(killed) == 1, "the run that is checked here is one in which a JVM was killed between two writes"
    tries = tries_of("royalty_statements", month.env)
    assert {task: count for task, count in tries.items() if count > 1} == {"state": 2}
    assert verify(month.root).ok
    assert result_of("verify", month.env)["ok"] is True
    exports = [file["key"] for file in result_of("export", month.env)["files"]]
    assert exports
    assert all(S3Objects(month.bucket.place).head(key) for key in exports)


def test_the_run_says_what_is_missing(month: Month, closed: subprocess.CompletedProcess[str]) -> None:
    missing = result_of("report", month.env)["missing"]
    assert [(entry["what"], entry["name"]) for entry in missing] == [("rejected", "broken.csv")]


def test_the_roots_are_those_of_a_folder_without_airflow_undisturbed(
    month: Month, closed: subprocess.CompletedProcess[str], undisturbed: str
) -> None:
    assert published_root(month.root, MAY) == undisturbed


def test_assets_carry_the_delta_versions_that_were_written(month: Month, closed: subprocess.CompletedProcess[str]) -> None:
    told, reader = versions_told(month.env), LakeReader(month.root)
    assert told["gold.statements"] == reader.version("gold.statements")
    assert told["bronze.lines"] == reader.version("bronze.lines")
    assert "landing.distrokid_13" in told


def test_no_secret_is_in_a_rendered_template_a_log_or_the_database_of_airflow(
    month: Month, closed: subprocess.CompletedProcess[str]
) -> None:
    home = Path(month.env["AIRFLOW_HOME"])
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    places = (rendered(month.env), closed.stdout, closed.stderr, b"".join(files).decode(errors="replace"))
    assert [SECRET in place for place in places] == [False] * 4
    # What surely is there is found, so that the search is one.
    known = (month.root, "spark-submit", "", "royalty_statements")
    assert [text in place for text, place in zip(known, places, strict=True)] == [True] * 4


def test_the_next_month_is_backfilled_replayed_and_kept_up(month: Month, closed: subprocess.CompletedProcess[str]) -> None:
    month.send("distrokid_13", "bank_2026-06.tsv", (month.label / "reports" / "bank_2026-06.tsv").read_bytes())
    for dag, params in (
        ("ingest_distrokid_13", {}),
        ("backfill", {"first": MAY, "last": JUNE, "close": "no"}),
        ("replay_unmatched", {"period": JUNE}),
        ("upkeep", {}),
    ):
        done = month.run(dag, **params)
        assert done.returncode == 0, done.stdout[-4000:]
    assert [each["status"] for each in result_of("backfill", month.env)["periods"]] == ["untouched", "drafted"]
    assert verify(month.root).ok
