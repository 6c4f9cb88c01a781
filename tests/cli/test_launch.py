"""Every stage as a job of its own, through the one launcher; secrets of the environment stay in it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.support.lakes import MAY, land, new_lake
from tests.support.processes import CHECKOUT, clean_environment, lakehouse
from tests.support.reported import lake_with_reports

SUBMIT = CHECKOUT / "spark-submit.sh"
SECRET = "planted-in-the-environment-7d2f"
SECRETS = {"AWS_ACCESS_KEY_ID": f"key-{SECRET}", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": f"token-{SECRET}"}


def launch_environment(**more: str) -> dict[str, str]:
    return clean_environment(LAKEHOUSE_PYTHON=sys.executable, SPARK_MASTER="local[2]", **more)


def submit(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """./spark-submit.sh ARGUMENTS, from another folder than the checkout."""
    return subprocess.run(
        [str(SUBMIT), *map(str, arguments)], capture_output=True, text=True, cwd="/", env=env or launch_environment(), timeout=500
    )


@pytest.mark.slow
def test_a_job_on_s3_gets_more_jars_and_no_credential_on_its_command_line(tmp_path: Path) -> None:
    """JARs stand in for the real ones, which are large: conf/jars-s3.lock of a conf folder of its own names them."""
    conf = Path(shutil.copytree(CHECKOUT / "conf", tmp_path / "conf"))
    (jars := tmp_path / "jars").mkdir()
    for lock, name in (("jars.lock", "delta.jar"), ("jars-s3.lock", "s3a.jar")):
        (jars / name).write_bytes(b"a jar")
        (conf / lock).write_text(f"{hashlib.sha256(b'a jar').hexdigest()} {name}\n", encoding="utf-8")
    told = {"LAKEHOUSE_CONF": str(conf), "LAKEHOUSE_JARS": str(jars), "AWS_SECRET_ACCESS_KEY": "planted"}
    job = ("--dry-run", "jobs/ingest.py", "--period", MAY, "--root")
    assert "s3a.jar" not in submit(*job, "a lake", env=launch_environment(**told)).stdout
    line = submit(*job, "s3a://bucket/lake", env=launch_environment(**told)).stdout
    assert f"--jars {jars}/delta.jar\\,{jars}/s3a.jar" in line
    assert "planted" not in line


def test_a_dry_run_prints_the_one_command_and_starts_nothing() -> None:
    done = submit("--dry-run", "jobs/ingest.py", "--period", MAY, "--root", "a lake")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.split()[0].endswith("/bin/spark-submit")
    for part in ("--master local\\[2\\]", f"--properties-file {CHECKOUT}/conf/spark-defaults.conf", "delta-spark", "a\\ lake"):
        assert part in line


@pytest.mark.slow
def test_options_of_spark_submit_before_the_job_are_passed_on_as_a_scheduler_gives_them() -> None:
    done = submit("--dry-run", "--master", "local[3]", "--conf", "spark.a=b c", "--name", "x", "jobs/state.py", "--period", MAY)
    (line,) = done.stdout.splitlines()
    assert "--master local\\[3\\] " in line
    assert " --conf spark.a=b\\ c --name x " in line
    assert line.split()[-3:] == [f"{CHECKOUT}/jobs/state.py", "--period", MAY]
    assert submit("--master").returncode == 2


@pytest.mark.slow
def test_a_job_without_spark_starts_no_java_and_says_so_truly(tmp_path: Path) -> None:
    """In a Python in which pyspark cannot be imported."""
    (broken := tmp_path / "pyspark").mkdir()
    (broken / "__init__.py").write_text("raise ImportError('Spark was asked for')")
    lake = lake_with_reports(tmp_path / "lake")
    env = launch_environment(PYTHONPATH=f"{tmp_path}:{CHECKOUT}", JAVA_HOME="/no/java", LAKEHOUSE_INCOMING_SETTLED="0")
    without = sorted(path.name for path in (CHECKOUT / "jobs").glob("*.py") if "# No Spark" in path.read_text(encoding="utf-8"))
    assert without == ["export.py", "land.py", "report.py", "upkeep.py"]
    period = ("--period", MAY, "--root", lake, "--outcome", tmp_path / "outcome.json")
    told = submit("jobs/report.py", *period, env=env)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == json.loads((tmp_path / "outcome.json").read_text(encoding="utf-8"))
    assert [entry["what"] for entry in json.loads(told.stdout)["missing"]] == ["rejected"]
    exported = json.loads(submit("jobs/export.py", *period, env=env).stdout)
    assert all((lake / file["key"]).is_file() for file in exported["files"])
    (incoming := lake / "landing" / "incoming" / "fuga").mkdir(parents=True)
    (incoming / "garbage.csv").write_text("no report", encoding="utf-8")
    landed = submit("jobs/land.py", "--source", "fuga", "--root", lake, env=env)
    assert (landed.returncode, json.loads(landed.stdout)["ok"]) == (1, False)
    assert submit("jobs/land.py", "--source", "nobody", "--root", lake, env=env).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "told"), [((), "which job"), (("jobs/nonsense.py",), "there is no job"), (("--dry-run",), "which job")]
)
def test_a_job_that_is_not_there_ends_with_2(arguments: tuple[str, ...], told: str) -> None:
    done = submit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_python_that_is_not_there_ends_with_2() -> None:
    done = submit("jobs/ingest.py", env=launch_environment() | {"LAKEHOUSE_PYTHON": "/no/python"})
    assert done.returncode == 2
    assert "make setup" in done.stderr


def test_every_stage_and_step_has_a_job_of_its_name() -> None:
    """One file for each job that is declared, under its name, and no other."""
    from lakehouse.runs import declared
    from lakehouse.runs.stages import STAGES

    jobs = {path.stem for path in (CHECKOUT / "jobs").glob("*.py")}
    assert jobs == {job.name for job in vars(declared).values() if isinstance(job, declared.Declared)}
    assert [stage.declared for stage in STAGES] == list(declared.STAGES)


def test_what_is_declared_is_read_without_spark_or_any_other_library() -> None:
    """As a scheduler does, in an environment of its own."""
    code = "import sys\nfrom lakehouse.runs import declared\nprint([n for n in ('pyspark', 'pydantic', 'deltalake', 'duckdb') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=launch_environment(PYTHONPATH=str(CHECKOUT))
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "period", "told"),
    [
        ("ingest", "May", "'May' is not a statement period"),
        ("state", MAY, "is not a lake"),
        ("close", MAY, "Run `lakehouse init` first"),
    ],
)
def test_a_job_that_is_misused_ends_with_2_and_no_traceback(job: str, period: str, told: str, tmp_path: Path) -> None:
    """Without spark-submit and without a session: misuse is found before either is needed."""
    done = subprocess.run(
        [sys.executable, CHECKOUT / "jobs" / f"{job}.py", "--period", period, "--root", tmp_path / "none"],
        capture_output=True, text=True, env=launch_environment(PYTHONPATH=str(CHECKOUT)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def command_lines() -> str:
    """The command line of every process of this machine that can be read."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


@pytest.mark.spark
@pytest.mark.drill
@pytest.mark.skipif(not Path("/proc/self/cmdline").is_file(), reason="this machine does not list its processes as files")
def test_a_job_and_a_run_do_their_work_and_a_secret_of_the_environment_is_nowhere(label: Path, tmp_path: Path) -> None:
    """One stage through spark-submit, the others by `run`, then what people take out: the secret is looked for in all of it."""
    lake, out = tmp_path / "lake", tmp_path / "out"
    land(new_lake(lake, label), label / "reports" / "bank_2026-05.tsv")
    env = launch_environment(**SECRETS)
    listed, stop = [], Event()

    def watch() -> None:
        while not stop.is_set():
            listed.append(SECRET in command_lines())
            time.sleep(0.2)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        ingested = submit("jobs/ingest.py", "--period", MAY, "--root", lake, env=env)
        assert ingested.returncode == 0, ingested.stderr
        # spark-submit sends what a Python job says, its log too, to its own stdout: the answer is the last line.
        told = {"job": "ingest", "period": MAY, "changed": True, "tables": {"bronze.lines": 1, "bronze.files": 1}}
        assert json.loads(ingested.stdout.splitlines()[-1]) == told
        ran = lakehouse("run", "--period", MAY, "--root", lake, "--json", env=env)
        assert ran.returncode == 0, ran.stderr
    finally:
        stop.set()
        watcher.join()
    report = json.loads(ran.stdout)
    assert report["changed"] is True
    assert report["lines"]["accepted"] == 4
    told = [ingested, ran]
    told += [lakehouse(*verb, "--root", lake, "--json", env=env) for verb in (("close", "--period", MAY), ("statements",))]
    told.append(lakehouse("export", "--period", MAY, "--to", "statements-csv", "--out", out, "--root", lake, env=env))
    assert [done.returncode for done in told] == [0] * len(told)
    assert listed
    assert not any(listed)
    assert not [done.args for done in told if SECRET in done.stdout + done.stderr]
    written = [path for folder in (lake, out) for path in folder.rglob("*") if path.is_file()]
    assert any(path.parent.name == "_delta_log" for path in written)
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


@pytest.mark.spark
def test_the_exit_code_of_a_job_is_that_of_the_launcher(tmp_path: Path) -> None:
    done = submit("jobs/ingest.py", "--period", MAY, "--root", tmp_path / "none")
    assert done.returncode == 2
    told = done.stdout + done.stderr
    assert "is not a lake" in told
    assert "Traceback" not in told
