"""The whole way with the lake in a bucket: the same roots and answers as in a folder, looked at and verified without a JVM."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakehouse.place import Place
from lakehouse.store.reader import LakeReader
from lakehouse.store.s3 import S3Objects
from lakehouse.store.verify import verify
from lakehouse.tables import ALL
from lakehouse.views.files import list_files
from lakehouse.views.holding import holding
from lakehouse.views.statements import list_statements, why
from tests.support.lakes import MAY, published_root
from tests.support.processes import CHECKOUT, clean_environment, lakehouse
from tests.support.s3 import SECRET, Bucket, bucket, minio, moto  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]


@dataclass
class Month:
    """What a process that ran May in a bucket left where others can look: its answer, its log, every command line, what Spark's UI shows."""

    answer: str
    log: str
    command_lines: str
    spark_ui: str


@pytest.fixture
def month(bucket: Bucket, label: Path, tmp_path: Path) -> Month:  # noqa: F811
    """May, run and closed in a bucket by a process of its own."""
    (events := tmp_path / "events").mkdir()
    told = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": events.as_uri(), "spark.eventLog.compress": "false"}
    env = clean_environment(**bucket.environment, LAKEHOUSE_ENVIRONMENT="test", LAKEHOUSE_SPARK_CONF=json.dumps(told))
    arguments = ("-m", "tests.support.month", bucket.root, str(label), MAY, "bank_2026-05.tsv", "itunes_jp.txt")
    seen: set[str] = set()
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        process = subprocess.Popen([sys.executable, *arguments], stdout=out, stderr=err, cwd=CHECKOUT, env=env)
        while process.poll() is None:
            seen |= command_lines()
            time.sleep(0.5)
    said, log = (tmp_path / "out").read_text(), (tmp_path / "err").read_text()
    assert process.returncode == 0, log[-3000:]
    shown = "".join(path.read_text(encoding="utf-8") for path in events.rglob("*") if path.is_file())
    return Month(said, log, "\n".join(seen), shown)


def command_lines() -> set[str]:
    """What `ps` shows of every process."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.add(file.read_text(errors="replace").replace("\0", " "))
    return found


def text_in_lake(bucket: Bucket) -> str:  # noqa: F811
    """Every object that is text, and every row of every table as text."""
    objects, reader = S3Objects(bucket.place), LakeReader(bucket.place)
    keys = [key for key in objects.keys("") if not key.endswith(".parquet")]
    rows = [
        str(row["text"])
        for table in ALL
        for row in reader.sql(f"SELECT CAST(t AS VARCHAR) AS text FROM {reader.relation(table.name)} AS t")
    ]
    return "\n".join([*keys, *((objects.get(key) or b"").decode(errors="replace") for key in keys), *rows])


def test_a_month_in_a_bucket_has_the_roots_and_the_answers_of_a_month_in_a_folder(
    month: Month,
    bucket: Bucket,  # noqa: F811
    closed_lake: Path,
    tmp_path: Path,
) -> None:
    told = json.loads(month.answer)
    assert told["closed"]["root"] == published_root(closed_lake, MAY)
    assert not told["again"]
    # The secret is nowhere; what surely is there is found, so that the search is one.
    places = (month.log, month.command_lines, month.spark_ui, text_in_lake(bucket))
    assert [SECRET in place for place in places] == [False] * 4
    known = ("Spark", "tests.support.month", bucket.endpoint, "Night Ferry")
    assert [text in place for text, place in zip(known, places, strict=True)] == [True] * 4
    here, there = Place.at(str(closed_lake)), bucket.place
    assert verify(there).as_json() == verify(here).as_json()
    folder, store = LakeReader(here), LakeReader(there)
    assert list_statements(store) == list_statements(folder)
    assert list_files(store) == list_files(folder)
    assert holding(store, MAY) == holding(folder, MAY)
    lines = [row["line_id"] for row in store.sql(f"SELECT line_id FROM {store.relation('gold.royalty_lines')} ORDER BY 1")]
    assert lines
    assert why(store, lines[0]) == why(folder, lines[0])
    env = clean_environment(**bucket.environment, JAVA_HOME="/nowhere", PATH="/nowhere")
    for arguments in (("verify",), ("history", "gold.statements"), ("export", "--period", MAY, "--to", "statements-csv")):
        more = ("--out", tmp_path) if arguments[0] == "export" else ()
        answer = lakehouse(*arguments, *more, "--root", bucket.root, "--json", env=env)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)
