"""Sixteen processes ingest, run and close the same month in one bucket, while they are paused and killed: as one alone, and once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lakehouse.store.incoming import FOLDER
from lakehouse.store.reader import LakeReader
from lakehouse.store.s3 import S3Objects
from lakehouse.store.verify import verify
from lakehouse.tables import ALL
from tests.support.lakes import MAY, new_lake, rows_written_twice
from tests.support.processes import CHECKOUT, clean_environment
from tests.support.s3 import Bucket, minio, new_bucket  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.minio, pytest.mark.drill, pytest.mark.timeout(3500)]

PROCESSES = int(os.environ.get("DRILL_PROCESSES", "16"))
KILLS, PAUSES, LEASE_SECONDS = 4, 3, 5
REPORTS = {"distrokid_13": "bank_2026-05.tsv", "itunes_financial": "itunes_jp.txt"}
# One JVM at a time does the work; when its holder is paused, two.
SMALL = '{"spark.driver.memory": "1g", "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}'


@dataclass
class Race:
    """The processes of the drill, each restarted until it has seen the period published."""

    root: str
    env: dict[str, str]
    logs: Path
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    done: dict[int, str] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)

    def start(self, number: int) -> None:
        with (self.logs / f"{number}.out").open("ab") as out, (self.logs / f"{number}.err").open("ab") as err:
            self.running[number] = subprocess.Popen(
                [sys.executable, "-m", "tests.support.racer", self.root, MAY],
                stdout=out, stderr=err, cwd=CHECKOUT, env=self.env, start_new_session=True,
            )  # fmt: skip

    def holder(self) -> int | None:
        """Which process has the lease."""
        objects = S3Objects(LakeReader(self.root).place)
        newest = max(objects.keys("_leases/writer"), default=None)
        told = json.loads((objects.get(newest) if newest else None) or b'{"released": true}')
        if told["released"]:
            return None
        pid = int(told["owner"].split(":")[1])
        return next((number for number, process in self.running.items() if process.pid == pid and process.poll() is None), None)

    def signal(self, number: int, which: signal.Signals) -> None:
        os.killpg(self.running[number].pid, which)

    def collect(self) -> None:
        """Takes in who has ended, and starts again who has not seen the period published."""
        for number, process in list(self.running.items()):
            if process.poll() is None:
                continue
            del self.running[number]
            self.codes.append(process.returncode)
            if process.returncode == 0:
                self.done[number] = json.loads((self.logs / f"{number}.out").read_text().splitlines()[-1])["root"]
            else:
                assert process.returncode in (3, -signal.SIGKILL), (self.logs / f"{number}.err").read_text()[-3000:]
                self.start(number)

    def stop(self) -> None:
        for number, process in self.running.items():
            if process.poll() is None:
                self.signal(number, signal.SIGKILL)
                process.wait()


def test_sixteen_writers_paused_and_killed_publish_once_and_the_same_as_one_alone(
    minio: str,  # noqa: F811
    label: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F-25."""
    alone = _root_alone(tmp_path / "alone", label)
    made = new_bucket(minio, monkeypatch)
    monkeypatch.setenv("LAKEHOUSE_LEASE_SECONDS", str(LEASE_SECONDS))
    _send_reports(made, label)
    dice = random.Random(int(os.environ.get("DRILL_SEED", "7")))
    settings = {
        "LAKEHOUSE_ENVIRONMENT": "test",
        "LAKEHOUSE_SPARK_CONF": SMALL,
        "LAKEHOUSE_LEASE_SECONDS": str(LEASE_SECONDS),
        "LAKEHOUSE_LEASE_WAIT": "120",
    }
    race = Race(made.root, clean_environment(**made.environment, **settings), tmp_path)
    try:
        for number in range(PROCESSES):
            race.start(number)
        kills, pauses = KILLS, PAUSES
        while len(race.done) < PROCESSES:
            time.sleep(dice.uniform(0.5, 6) if kills or pauses else 1)
            race.collect()
            holder = race.holder()
            if holder is None:
                continue
            if pauses and (not kills or dice.random() < 0.5):
                pauses -= 1
                race.signal(holder, signal.SIGSTOP)
                time.sleep(LEASE_SECONDS + dice.uniform(3, 12))
                race.signal(holder, signal.SIGCONT)
            elif kills:
                kills -= 1
                race.signal(holder, signal.SIGKILL)
    finally:
        race.stop()
    print(f"exit codes {sorted(race.codes)}, kills {KILLS - kills}, pauses {PAUSES - pauses}")
    assert set(race.done.values()) == {alone}
    assert verify(made.root).ok
    assert rows_written_twice(made.root) == {}
    _fences_only_grow(made.root)


def _root_alone(lake: Path, label: Path) -> str:
    """The root of the month in a folder, by one process that nothing disturbs."""
    env = clean_environment(LAKEHOUSE_ENVIRONMENT="test", LAKEHOUSE_SPARK_CONF=SMALL)
    month = [sys.executable, "-m", "tests.support.month", str(lake), str(label), MAY, *REPORTS.values()]
    done = subprocess.run(month, capture_output=True, text=True, cwd=CHECKOUT, env=env, check=True)
    return str(json.loads(done.stdout)["closed"]["root"])


def _send_reports(made: Bucket, label: Path) -> None:
    from lakehouse.store.lease import writer_lease

    with writer_lease(made.place, new=True):
        new_lake(made.root, label)
    objects = S3Objects(made.place)
    for source, name in REPORTS.items():
        objects.put(f"{FOLDER}/{source}/{name}", (label / "reports" / name).read_bytes())


def _fences_only_grow(root: str) -> None:
    """No commit was made under an older lease than the commit before it."""
    reader = LakeReader(root)
    for table in ALL:
        history = reader.delta(table.name).history()
        notes = [json.loads(entry.get("userMetadata") or "{}") for entry in reversed(history)]
        fences = [note["fence"] for note in notes if "fence" in note]
        assert fences == sorted(fences), table.name
