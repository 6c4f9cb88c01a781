"""A real `lakehouse run` or `close`, killed with its JVM at a random moment and run again, ends where an undisturbed one does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from lakehouse.runs.close import close_period
from lakehouse.runs.period import publication_has_begun, run_period
from lakehouse.store.lease import writer_lease
from lakehouse.store.verify import verify
from tests.support.lakes import MAY, copy_of, environment, published_root, roots, rows_written_twice, state_of_inputs
from tests.support.processes import CHECKOUT, clean_environment, command

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
# So near its last object a process may end before it is killed.
MARGIN = 6


def objects_in(root: Path) -> int:
    """How many files the lake has: the clock of the work, which no load of the machine makes faster or slower."""
    return sum(len(files) for _, _, files in os.walk(root))


def killed(lake: Path, verb: str, after_objects: int, delay: float) -> bool:
    """Starts `lakehouse VERB` and kills all its processes `delay` seconds after it has written so many objects.

    False where it ended before that.
    """
    before = objects_in(lake)
    process = subprocess.Popen(
        command(verb, "--period", MAY, "--root", lake), cwd=CHECKOUT, env=clean_environment(SPARK_MASTER="local[2]"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while process.poll() is None and objects_in(lake) - before < after_objects:
            time.sleep(0.01)
        time.sleep(delay)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait(timeout=30) == -signal.SIGKILL


def finish(lake: Path) -> None:
    """What the next user does: run, close. A period whose publication has begun is closed only."""
    env = environment(lake)
    with writer_lease(str(lake)):
        if not publication_has_begun(env, MAY):
            run_period(env, MAY)
        close_period(env, MAY)


def disturb_and_compare(seed: int, landed: Path, drafted: Path, closed: Path, tmp_path: Path) -> None:
    chance = Random(seed)
    verb, start, end = ("close", drafted, closed) if seed % 3 == 0 else ("run", landed, drafted)
    written = objects_in(end) - objects_in(start)
    lake = copy_of(start, tmp_path)
    assert killed(lake, verb, chance.randint(1, written - MARGIN), chance.uniform(0, 0.25))
    if seed % 4 == 0:
        # Less is left to do than the first time, so the second may come to its end.
        killed(lake, verb, chance.randint(1, written // 4), chance.uniform(0, 0.25))
    finish(lake)
    assert rows_written_twice(lake) == {}
    assert state_of_inputs(lake) == state_of_inputs(closed)
    assert roots(lake, MAY, "gold") == roots(closed, MAY, "gold")
    assert published_root(lake, MAY) == published_root(closed, MAY)
    assert verify(str(lake)).as_json()["findings"] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_run_or_close_run_again_ends_in_the_roots_of_an_undisturbed_one(
    seed: int, landed_lake: Path, drafted_lake: Path, closed_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    disturb_and_compare(seed, landed_lake, drafted_lake, closed_lake, tmp_path)


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(4, 28))
def test_drill_of_kills(
    seed: int, landed_lake: Path, drafted_lake: Path, closed_lake: Path, tmp_path: Path, spark: SparkSession
) -> None:
    disturb_and_compare(seed, landed_lake, drafted_lake, closed_lake, tmp_path)
