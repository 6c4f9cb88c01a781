"""Reports that are held whole: what a person lets go on is booked once, with its difference and the reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.errors import Misuse
from lakehouse.runs.close import close_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.file_release import release_file
from lakehouse.runs.period import run_period
from lakehouse.sources.told import Told
from lakehouse.store.reader import LakeReader
from lakehouse.views.files import list_files
from lakehouse.views.report import report_period
from tests.support.lakes import (
    IBO,
    JUNE,
    MARA,
    MAY,
    bank_report,
    commits,
    copy_of,
    earned,
    environment,
    land,
    new_lake,
    rows_written_twice,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
UNEXPLAINED = "liabilities:unexplained:distrokid_13"


def told(env: Environment, folder: Path, name: str, text: str, **control: str) -> str:
    """Lands a report with figures that someone declares of it, and returns its id."""
    (file := folder / name).write_text(text, encoding="utf-8")
    return env.landing.put(file, env.dialects, told=Told(control=control)).file_id


def postings(root: Path, period: str, layer: str = "draft") -> dict[str, Decimal]:
    reader = LakeReader(str(root))
    ledger = reader.relation(f"{layer}.ledger", where={"period": period})
    rows = reader.sql(f"SELECT account, sum(amount) AS amount FROM {ledger} GROUP BY account")
    return {row["account"]: row["amount"] for row in rows}


def status(env: Environment, file_id: str) -> dict[str, Any]:
    return next(file for file in list_files(env.reader) if file["file_id"] == file_id)


@pytest.fixture(scope="module")
def short_lake(tmp_path_factory: pytest.TempPathFactory, label: Path, spark: SparkSession) -> tuple[Path, str]:
    """A report of 12.50 of which 13.25 is declared, in May's drafts. Copy it; do not change it."""
    folder = tmp_path_factory.mktemp("short")
    env = new_lake(folder / "lake", label)
    file_id = told(env, folder, "bank.tsv", bank_report(MAY, [(MARA, "10"), (MARA, "2.5")]), revenue="13.25", rows="2")
    run_period(env, MAY)
    return folder / "lake", file_id


def test_a_held_report_goes_on_once_and_what_it_declares_beyond_its_lines_is_booked(
    short_lake: tuple[Path, str], tmp_path: Path, spark: SparkSession
) -> None:
    """13.25 declared, 12.50 found: Mara has half of 12.50, and 0.75 is owed by the sender to nobody known."""
    lake, file_id = copy_of(short_lake[0], tmp_path), short_lake[1]
    env = environment(lake)
    assert (status(env, file_id)["status"], earned(lake, [MAY])) == ("held", {})
    released = release_file(env, file_id[:12], "controls", "rounded by the sender", "finance@kitetail")
    assert (released["period"], released["booked"]) == (MAY, {"USD": "0.75"})
    report = run_period(env, MAY)
    assert (report["changed"], report["held_files"]) == (True, [])
    assert report["lines"] == {"read": 3, "accepted": 2, "ignored": 1, "quarantined": 0, "held": 0}
    assert earned(lake, [MAY]) == {"A-MARA": "6.25"}
    booked = postings(lake, MAY)
    assert (booked["assets:receivable:distrokid_13"], booked[UNEXPLAINED]) == (Decimal("13.25"), Decimal("-0.75"))
    assert sum(booked.values()) == 0
    shown = status(env, file_id)
    (release,) = shown["releases"]
    assert (shown["status"], shown["holds"], shown["accepted"]) == ("ingested", [], 2)
    assert (release["by"], release["reason"], release["booked"]) == (
        "finance@kitetail",
        "rounded by the sender",
        released["booked"],
    )
    assert [(c["name"], c["declared"], c["found"]) for c in release["controls"]] == [("given revenue", "13.25", "12.5")]
    before = commits(lake)
    with pytest.raises(Misuse, match="not held, or was released already"):
        release_file(env, file_id, "controls", "again", "someone")
    assert run_period(env, MAY)["changed"] is False
    assert (commits(lake), rows_written_twice(lake)) == (before, {})


@pytest.mark.drill
def test_a_report_held_through_a_close_enters_the_open_period_and_its_replacement_undoes_the_difference(
    short_lake: tuple[Path, str], tmp_path: Path, spark: SparkSession
) -> None:
    lake, file_id = copy_of(short_lake[0], tmp_path), short_lake[1]
    env = environment(lake)
    close_period(env, MAY)
    assert release_file(env, file_id, "controls", "agreed", "finance")["period"] == JUNE
    run_period(env, JUNE)
    assert (earned(lake, [JUNE]), postings(lake, JUNE)[UNEXPLAINED]) == ({"A-MARA": "6.25"}, Decimal("-0.75"))
    assert report_period(env.reader, MAY)["held_files"][0]["file_id"] == file_id
    close_period(env, JUNE)
    july = "2026-07"
    told(env, tmp_path, "bank_v2.tsv", bank_report(MAY, [(MARA, "10"), (MARA, "3.25")]), revenue="13.25")
    run_period(env, july)
    # Mara: 13.25 / 2 in all; what was unexplained is explained.
    assert earned(lake, [JUNE, july]) == {"A-MARA": "6.625"}
    assert postings(lake, july)[UNEXPLAINED] == Decimal("0.75")
    assert {row["difference"] for row in report_period(env.reader, july)["money"]} == {"0.000000000000000000"}
    close_period(env, july)
    run_period(env, "2026-08")
    assert UNEXPLAINED not in postings(lake, "2026-08")


def test_money_that_the_controls_do_not_agree_on_is_asked_for(label: Path, tmp_path: Path, spark: SparkSession) -> None:
    env = new_lake(tmp_path / "lake", label)
    figures = {"revenue": "20", "revenue.USD": "19"}
    file_id = told(env, tmp_path, "bank.tsv", bank_report(MAY, [(MARA, "10")]), **figures)
    run_period(env, MAY)
    with pytest.raises(Misuse, match=r"differ in how much is missing \(9 or 10 USD\).*--book"):
        release_file(env, file_id, "controls", "agreed", "finance")
    with pytest.raises(Misuse, match="it is held for its controls"):
        release_file(env, file_id, "quarantine", "agreed", "finance")
    with pytest.raises(Misuse, match="No file has the id"):
        release_file(env, "f" * 64, "controls", "agreed", "finance")
    assert release_file(env, file_id, "controls", "agreed", "finance", {"USD": "9"})["booked"] == {"USD": "9.00"}


def limited(env: Environment, share: str) -> Environment:
    return env.under(max_quarantine=share)


@pytest.mark.drill
def test_a_report_of_which_too_much_is_refused_is_held_whole_until_the_share_is_allowed_or_a_person_says_so(
    label: Path, tmp_path: Path, spark: SparkSession
) -> None:
    """One of two lines is refused in the first report, none in the other."""
    env = new_lake(tmp_path / "lake", label)
    for name, sales in {"bad.tsv": [(MARA, "10"), (IBO, "1,50")], "good.tsv": [(IBO, "3")]}.items():
        (tmp_path / name).write_text(bank_report(MAY, sales), encoding="utf-8")
    bad, _ = land(env, tmp_path / "bad.tsv", tmp_path / "good.tsv")
    report = run_period(limited(env, "49%"), MAY)
    assert report["lines"] == {"read": 5, "accepted": 1, "ignored": 2, "quarantined": 0, "held": 2}
    (held,) = report["held_files"]
    assert held["holds"] == [{"cause": "quarantine", "lines": 2, "refused": 1, "max_quarantine": "49%"}]
    assert (status(env, bad.file_id)["status"], earned(tmp_path / "lake", [MAY])) == ("held", {"A-IBO": "1"})
    # A run without a limit of its own does not let it go, and does nothing.
    before = commits(tmp_path / "lake")
    assert (run_period(env, MAY)["changed"], run_period(limited(env, "49%"), MAY)["changed"]) == (False, False)
    assert commits(tmp_path / "lake") == before
    by_limit = copy_of(tmp_path / "lake", tmp_path / "by limit")
    by_person = copy_of(tmp_path / "lake", tmp_path / "by person")
    for lake in (by_limit, by_person):
        ours = environment(lake)
        if lake == by_person:
            release_file(ours, bad.file_id, "quarantine", "the rest is right", "finance")
        report = run_period(limited(ours, "50%") if lake == by_limit else ours, MAY)
        assert (report["lines"]["accepted"], report["lines"]["quarantined"], report["held_files"]) == (2, 1, [])
        assert earned(lake, [MAY]) == {"A-IBO": "1", "A-MARA": "5"}
        assert status(ours, bad.file_id)["status"] == "ingested"
        after = commits(lake)
        assert [run_period(limited(ours, share), MAY)["changed"] for share in ("50%", "1%")] == [False, False]
        assert (commits(lake), rows_written_twice(lake)) == (after, {})
        close_period(ours, MAY)
