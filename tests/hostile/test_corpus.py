"""Every hostile file ends as its case says, in bounded time and memory, and the others go on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from lakehouse.sources.draft import draft
from lakehouse.sources.guess import guess_table
from lakehouse.sources.recognise import MAX_COLUMNS
from lakehouse.sources.sniff import sniff
from lakehouse.sources.unpack import Refused, unpack
from lakehouse.store.landing import Landing
from tests.hostile.corpus import CASES, Case, report
from tests.support.reading import read_all
from tests.support.reports import dialects

pytestmark = pytest.mark.slow

KNOWN = dialects()
SECONDS = 20
# Address space of a process that reads the whole corpus: the largest file unpacked, and what Python itself takes.
MEMORY = 3 << 30
CHECKOUT = Path(__file__).parents[2]
READ_ALL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from tests.hostile.corpus import CASES
from tests.support.reading import read_all
from tests.support.reports import dialects
known = dialects()
for case in CASES:
    seen = known.recognise(case.build(), "a.csv")
    print(case.name, len(read_all(seen).accepted) if seen.dialect else "refused", sep="\\t")
"""


def test_the_corpus_is_large_and_no_case_stands_twice() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file_ends_as_declared(case: Case) -> None:
    data = case.build()
    began = time.monotonic()
    seen = KNOWN.recognise(data, "a.csv")
    if case.refused:
        assert seen.dialect is None
        assert case.refused in (seen.reason or "")
        assert len(seen.reason or "") < 2000
    else:
        assert seen.dialect is not None, seen.reason
        found = read_all(seen)
        assert (len(found.accepted), len(found.quarantined)) == (case.accepted, case.quarantined)
        assert sum(found.totals.values()) == Decimal(case.total)
    assert time.monotonic() - began < SECONDS


def test_the_whole_corpus_is_read_in_bounded_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(MEMORY)], cwd=CHECKOUT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = dict(line.split("\t") for line in done.stdout.splitlines())
    assert outcomes == {case.name: "refused" if case.refused else str(case.accepted) for case in CASES}


def test_the_rest_of_the_batch_goes_on(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    landing = Landing(str(tmp_path / "lake"))
    expected = {}
    for number, case in enumerate(CASES):
        (inbox / f"{number:03}.csv").write_bytes(case.build())
        expected[f"{number:03}.csv"] = "rejected" if case.refused else "landed"
    (inbox / "last.csv").write_bytes(report("2026-05-01," * 3))
    landed = {Path(one.path).name: one for one in (landing.put(file, KNOWN) for file in sorted(inbox.iterdir()))}
    assert landed.pop("last.csv").status == "landed"
    found = {name: "landed" if one.status == "duplicate" else one.status for name, one in landed.items()}
    assert found == expected
    assert all(one.reason for one in landed.values() if one.status == "rejected")
    assert {path.name for path in tmp_path.iterdir()} == {"inbox", "lake"}
    json.dumps([one.reason for one in landed.values()]).encode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file_is_described_and_drafted_without_harm(case: Case) -> None:
    data = case.build()
    began = time.monotonic()
    found = sniff(data, "a.csv", KNOWN)
    assert (found["dialect"] is None) == bool(case.refused)
    json.dumps(found).encode()
    for part in found["parts"]:
        looks = part["looks"]
        assert looks is None or len(looks["header"]) == len(looks["columns"]) <= MAX_COLUMNS
    try:
        members = unpack(data, "a.csv")
    except Refused:
        members = []
    for member in members:
        if looks := guess_table(member.payload):
            assert yaml.safe_load(draft(looks, "mine")[0])["id"] == "mine"
    assert time.monotonic() - began < SECONDS
