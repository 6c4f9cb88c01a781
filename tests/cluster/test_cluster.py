"""A standalone cluster on loopback, a master and two workers, gives the roots of one machine; the package goes there by itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.lakes import MAY, copy_of, roots
from tests.support.ports import free_port
from tests.support.processes import CHECKOUT, clean_environment, lakehouse

pytestmark = [pytest.mark.cluster, pytest.mark.spark, pytest.mark.timeout(1800)]

WHERE = """
import json, os, sys
from lakehouse.session import start_session
from lakehouse.settings import load_settings
session = start_session(load_settings())
def look(_):
    import lakehouse, os, sys
    from lakehouse.transforms import reconcile
    return lakehouse.__file__, os.getpid()
seen = session.sparkContext.parallelize(range(8), 8).map(look).collect()
executors = session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1
session.stop()
print(json.dumps({"files": sorted({file for file, _ in seen}), "executors": executors, "driver": os.getpid() in {pid for _, pid in seen}}))
"""


def python_without_the_package(folder: Path) -> Path:
    """A Python as on a worker: every wheel that is installed here, and not the lakehouse."""
    (wheels := folder / "wheels").mkdir()
    for entry in {Path(path) for path in sys.path if path.endswith("site-packages")}:
        for part in entry.iterdir():
            if "lakehouse" not in part.name and not part.name.startswith("__editable__") and not (wheels / part.name).exists():
                (wheels / part.name).symlink_to(part)
    script = folder / "python"
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{wheels}" exec {base} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


@dataclass(frozen=True)
class Cluster:
    master: str
    env: dict[str, str]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    import pyspark

    from lakehouse.session import find_java

    folder = tmp_path_factory.mktemp("cluster")
    python, port, page = python_without_the_package(folder), free_port(), free_port()
    daemons = clean_environment(
        JAVA_HOME=str(find_java()), SPARK_HOME=str(Path(pyspark.__file__).parent), SPARK_LOCAL_IP="127.0.0.1",
        SPARK_DAEMON_MEMORY="256m", SPARK_WORKER_DIR=str(folder / "work"), PYSPARK_PYTHON=str(python),
    )  # fmt: skip
    daemons.pop("PYTHONPATH", None)
    start = [f"{daemons['SPARK_HOME']}/bin/spark-class", "org.apache.spark.deploy"]
    master = f"spark://127.0.0.1:{port}"
    commands = [[start[0], f"{start[1]}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)]]
    commands += [
        [
            start[0],
            f"{start[1]}.worker.Worker",
            "--host",
            "127.0.0.1",
            "--cores",
            "1",
            "--memory",
            "1g",
            "--webui-port",
            "0",
            master,
        ]
        for _ in range(2)
    ]
    with (folder / "daemons.log").open("w") as log:
        running = [subprocess.Popen(command, env=daemons, cwd=folder, stdout=log, stderr=log) for command in commands]
        try:
            _wait_for_workers(page, 2)
            env = clean_environment(
                SPARK_MASTER=master, PYSPARK_PYTHON=str(python), PYSPARK_DRIVER_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1",
                LAKEHOUSE_ENVIRONMENT="test", PYTHONPATH=str(CHECKOUT),
            )  # fmt: skip
            yield Cluster(master, env)
        finally:
            for process in reversed(running):
                process.terminate()
            for process in running:
                process.wait(timeout=60)


def _wait_for_workers(page: int, number: int) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{page}/json/", timeout=5) as answer:
                if json.load(answer)["aliveworkers"] == number:
                    return
        except OSError:
            pass
        time.sleep(1)
    raise AssertionError(f"{number} workers did not come up")


def test_executors_get_the_package_from_the_driver(cluster: Cluster) -> None:
    """On a Python that has the wheels and not the lakehouse."""
    command = [cluster.env["PYSPARK_PYTHON"], "-c", "import pydantic, lakehouse"]
    alone = subprocess.run(command, capture_output=True, text=True, cwd="/", env={})
    assert "No module named 'lakehouse'" in alone.stderr
    done = subprocess.run([sys.executable, "-c", WHERE], capture_output=True, text=True, env=cluster.env, cwd="/", timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["executors"] == 2
    assert all(".zip/lakehouse/" in file for file in seen["files"]), seen


def test_a_month_has_the_same_roots_on_the_cluster_as_on_one_machine(
    cluster: Cluster, landed_lake: Path, drafted_lake: Path, tmp_path: Path
) -> None:
    lake = copy_of(landed_lake, tmp_path)
    began = time.monotonic()
    done = lakehouse("run", "--period", MAY, "--root", lake, "--json", env=cluster.env)
    assert done.returncode in (0, 1), done.stderr[-4000:]
    print(f"a run of {json.loads(done.stdout)['lines']['read']} lines on the cluster took {time.monotonic() - began:.0f} s")
    assert roots(lake, MAY) == roots(drafted_lake, MAY)


def test_a_stage_is_submitted_to_the_cluster_like_to_one_machine(
    cluster: Cluster, landed_lake: Path, drafted_lake: Path, tmp_path: Path
) -> None:
    from lakehouse.store.reader import LakeReader

    lake = copy_of(landed_lake, tmp_path)
    command = [str(CHECKOUT / "spark-submit.sh"), "jobs/ingest.py", "--period", MAY, "--root", str(lake)]
    env = cluster.env | {"LAKEHOUSE_PYTHON": sys.executable}
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd="/", timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    counted = []
    for root in (lake, drafted_lake):
        reader = LakeReader(str(root))
        counted.append(reader.sql(f"SELECT count(*) AS n FROM {reader.relation('bronze.lines')}"))
    assert counted[0] == counted[1]
