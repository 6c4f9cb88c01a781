"""The whole way with the lake in a bucket: the same roots and answers as in a folder, looked at and verified without a JVM."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.place import Place
from lakehouse.store.reader import LakeReader
from lakehouse.store.verify import verify
from lakehouse.views.files import list_files
from lakehouse.views.holding import holding
from lakehouse.views.statements import list_statements, why
from tests.support.lakes import MAY, published_root
from tests.support.processes import CHECKOUT, clean_environment, lakehouse
from tests.support.s3 import SECRET, Bucket, bucket, minio, moto  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]


@pytest.fixture
def month(bucket: Bucket, label: Path) -> str:  # noqa: F811
    """May, run and closed in a bucket by a process of its own; what it said."""
    env = clean_environment(**bucket.environment, LAKEHOUSE_ENVIRONMENT="test")
    arguments = ("-m", "tests.support.month", bucket.root, str(label), MAY, "bank_2026-05.tsv", "itunes_jp.txt")
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=CHECKOUT, env=env, timeout=580)
    assert done.returncode == 0, done.stderr[-3000:]
    assert SECRET not in done.stdout + done.stderr
    return done.stdout


def test_a_month_in_a_bucket_has_the_roots_and_the_answers_of_a_month_in_a_folder(
    month: str,
    bucket: Bucket,  # noqa: F811
    closed_lake: Path,
    tmp_path: Path,
) -> None:
    told = json.loads(month)
    assert told["closed"]["root"] == published_root(closed_lake, MAY)
    assert not told["again"]
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
