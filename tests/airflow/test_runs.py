"""A month in a real Airflow: what senders left becomes verified statements, whoever is broken and whatever is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pytest

from lakehouse.store.reader import LakeReader
from lakehouse.store.verify import verify
from tests.support.airflow import airflow, airflow_environment, needs_airflow, result_of, versions_told
from tests.support.lakes import JUNE, MAY, new_lake, published_root
from tests.support.processes import lakehouse

pytestmark = [pytest.mark.airflow, pytest.mark.spark, needs_airflow, pytest.mark.timeout(3300)]


@dataclass
class Month:
    lake: Path
    untouched: Path
    label: Path
    env: dict[str, str]

    def run(self, dag: str, **params: str) -> subprocess.CompletedProcess[str]:
        return airflow("dags", "test", dag, "-c", json.dumps(params), env=self.env, timeout=3000)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, label: Path) -> Month:
    """May's bank file has come, and a file of FUGA's that is none. `untouched` is the same lake, for the command line."""
    folder = tmp_path_factory.mktemp("month")
    lake = folder / "lake"
    new_lake(lake, label)
    incoming = lake / "landing" / "incoming"
    for source in ("distrokid_13", "fuga"):
        (incoming / source).mkdir(parents=True)
    shutil.copy(label / "reports" / "bank_2026-05.tsv", incoming / "distrokid_13")
    (incoming / "fuga" / "broken.csv").write_text("this is\nno report\n", encoding="utf-8")
    untouched = Path(shutil.copytree(lake, folder / "untouched"))
    (home := folder / "airflow").mkdir()
    env = airflow_environment(home, lake)
    assert airflow("db", "migrate", env=env).returncode == 0
    return Month(lake, untouched, label, env)


@pytest.fixture(scope="module")
def killed(month: Month) -> Iterator[list[int]]:
    """Whoever draws up the statements is killed once, when its first table is written and others are not. The ids of the JVMs that were."""
    dead: list[int] = []
    stop, first_write = Event(), month.lake / "draft" / "ledger" / "_delta_log" / f"{1:020}.json"

    def watch() -> None:
        while not stop.wait(0.05) and not dead:
            if first_write.exists():
                listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True).stdout.splitlines()
                ours = [line for line in listed if "org.apache.spark.deploy.SparkSubmit" in line and str(month.lake) in line]
                for line in ours:
                    os.kill(int(line.split()[0]), signal.SIGKILL)
                    dead.append(int(line.split()[0]))

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
    assert closed.returncode == 0, closed.stdout[-4000:]
    assert len(killed) == 1, "the run that is checked here is one in which a JVM was killed between two writes"
    assert verify(str(month.lake)).ok
    assert result_of("verify", month.env)["ok"] is True
    exports = {file["key"] for file in result_of("export", month.env)["files"]}
    assert exports
    assert all((month.lake / key).is_file() for key in exports)


def test_the_run_says_what_is_missing(month: Month, closed: subprocess.CompletedProcess[str]) -> None:
    missing = result_of("report", month.env)["missing"]
    assert [(entry["what"], entry["name"]) for entry in missing] == [("rejected", "broken.csv")]


def test_the_roots_are_those_of_the_command_line_undisturbed(month: Month, closed: subprocess.CompletedProcess[str]) -> None:
    for verb in (("land", month.label / "reports" / "bank_2026-05.tsv"), ("run", "--period", MAY), ("close", "--period", MAY)):
        done = lakehouse(*verb, "--root", month.untouched)
        assert done.returncode == 0, done.stderr
    assert published_root(month.lake, MAY) == published_root(month.untouched, MAY)


def test_assets_carry_the_delta_versions_that_were_written(month: Month, closed: subprocess.CompletedProcess[str]) -> None:
    told, reader = versions_told(month.env), LakeReader(str(month.lake))
    assert told["gold.statements"] == reader.version("gold.statements")
    assert told["bronze.lines"] == reader.version("bronze.lines")
    assert "landing.distrokid_13" in told


def test_the_next_month_is_backfilled_replayed_and_kept_up(month: Month, closed: subprocess.CompletedProcess[str]) -> None:
    shutil.copy(month.label / "reports" / "bank_2026-06.tsv", month.lake / "landing" / "incoming" / "distrokid_13")
    for dag, params in (
        ("ingest_distrokid_13", {}),
        ("backfill", {"first": MAY, "last": JUNE, "close": "no"}),
        ("replay_unmatched", {"period": JUNE}),
        ("upkeep", {}),
    ):
        done = month.run(dag, **params)
        assert done.returncode == 0, done.stdout[-4000:]
    assert [each["status"] for each in result_of("backfill", month.env)["periods"]] == ["untouched", "drafted"]
    assert verify(str(month.lake)).ok
