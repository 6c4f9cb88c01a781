"""One writer at a time, over processes; the lease of a dead one is free."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakehouse.errors import Busy, Misuse
from lakehouse.store.lease import writer_lease
from tests.support.processes import CHECKOUT, holder


def test_another_process_waits_outside_until_the_lease_is_given_back(tmp_path: Path) -> None:
    with holder(tmp_path):
        with pytest.raises(Busy, match=f"Another process is writing to {tmp_path}"), writer_lease(str(tmp_path), new=True):
            pytest.fail("two writers at once")
        began = time.monotonic()
        with pytest.raises(Busy), writer_lease(str(tmp_path), wait_seconds=0.3, new=True):
            pytest.fail("two writers at once")
        assert time.monotonic() - began >= 0.3
    with writer_lease(str(tmp_path), new=True):
        pass


def test_the_lease_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with writer_lease(str(tmp_path), new=True):
            pass


def test_a_lease_is_of_one_lake_alone(tmp_path: Path) -> None:
    with holder(tmp_path / "one"), writer_lease(str(tmp_path / "other"), new=True):
        pass


def test_a_lake_in_a_store_that_is_not_supported_leaves_no_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misuse, match="gs://bucket/lake is not supported"), writer_lease("gs://bucket/lake"):
        pytest.fail("a lease of nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_root_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="is not a lake"), writer_lease(str(tmp_path / "laek")):
        pytest.fail("a lease of nothing")
    assert list(tmp_path.iterdir()) == []


def test_the_lease_is_given_back_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writer_lease(str(tmp_path), new=True):
        raise ZeroDivisionError
    with writer_lease(str(tmp_path), new=True):
        pass


@pytest.mark.slow
def test_of_many_processes_that_count_up_a_file_under_the_lease_none_is_lost(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lakehouse.store.lease import writer_lease\n"
        "for _ in range(20):\n"
        "    with writer_lease(sys.argv[1], wait_seconds=60, new=True):\n"
        "        file = Path(sys.argv[1], 'count'); file.write_text(str(int(file.read_text()) + 1))\n"
    )
    (tmp_path / "count").write_text("0")
    counters = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=CHECKOUT) for _ in range(4)]
    assert [counter.wait(timeout=120) for counter in counters] == [0, 0, 0, 0]
    assert (tmp_path / "count").read_text() == "80"
