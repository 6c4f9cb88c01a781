"""Landing: the same bytes once, under any name or packing; what is refused is kept and may be landed later."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lakehouse.errors import Busy
from lakehouse.settings import conf_dir
from lakehouse.sources.recognise import Dialects, load_dialects
from lakehouse.sources.told import Told
from lakehouse.store.landing import Landing
from lakehouse.store.objects import LocalObjects
from lakehouse.store.reader import LakeReader
from lakehouse.views.files import list_files
from tests.support.lakes import MAY, MAY_SALES, bank_report, copy_of
from tests.support.reports import SAMPLES

REPORT = bank_report(MAY, MAY_SALES).encode()


@pytest.fixture(scope="module")
def dialects() -> Dialects:
    return load_dialects([conf_dir() / "sources"])


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A folder of files as they are sent."""
    (folder := tmp_path / "sent").mkdir()
    return folder


def stored(root: Path) -> dict[str, bytes]:
    """Every object of landing, hidden ones too."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def test_a_file_lands_once_verbatim_with_a_receipt(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    landing = Landing(str(tmp_path / "lake"))
    landed = landing.put(written(sent / "bank_2026-05.tsv", REPORT), dialects)
    assert (landed.status, landed.source, landed.reason) == ("landed", "distrokid_13", None)
    assert landing.open(landed.file_id).read() == REPORT
    (receipt,) = landing.receipts(MAY)
    assert (receipt.file_id, receipt.name, receipt.report_period) == (landed.file_id, "bank_2026-05.tsv", MAY)
    assert (receipt.bytes, receipt.report_version, receipt.status) == (len(REPORT), 0, "landed")
    assert landing.report_periods() == [MAY]


def test_the_same_file_again_leaves_what_is_there_untouched(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    landing = Landing(str(tmp_path / "lake"))
    first = landing.put(written(sent / "bank_2026-05.tsv", REPORT), dialects)
    before = stored(tmp_path / "lake")
    again = landing.put(sent / "bank_2026-05.tsv", dialects)
    assert (again.status, again.file_id) == ("duplicate", first.file_id)
    assert again.reason == "the same content as bank_2026-05.tsv"
    after = stored(tmp_path / "lake")
    assert {key: after[key] for key in before} == before
    assert all(key.startswith("landing/names/") for key in after.keys() - before.keys())


def zipped(content: bytes) -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.tsv", content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "pack"), [("other.tsv", bytes), ("bank.tsv.gz", gzip.compress), ("bank.csv", gzip.compress), ("b.zip", zipped)]
)
def test_another_name_or_packing_is_the_same_file(
    name: str, pack: object, sent: Path, tmp_path: Path, dialects: Dialects
) -> None:
    assert callable(pack)
    landing = Landing(str(tmp_path / "lake"))
    first = landing.put(written(sent / "bank_2026-05.tsv", REPORT), dialects)
    again = landing.put(written(sent / name, pack(REPORT)), dialects)
    assert (again.status, again.file_id) == ("duplicate", first.file_id)
    (names,) = [sorted((tmp_path / "lake/landing/names").rglob("*"))]
    assert [path.read_text() for path in names if path.is_file()] == [name]
    assert len(list(landing.receipts(MAY))) == 1


def test_a_packed_file_that_comes_first_is_stored_unpacked(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    landing = Landing(str(tmp_path / "lake"))
    landed = landing.put(written(sent / "bank.tsv.gz", gzip.compress(REPORT)), dialects)
    assert landing.open(landed.file_id).read() == REPORT


def test_what_no_dialect_knows_is_kept_with_its_reason_and_lands_once_one_does(
    sent: Path, tmp_path: Path, dialects: Dialects
) -> None:
    """A dialect of the label's own, in LAKEHOUSE_SOURCES."""
    header, first, *_ = bank_report(MAY, MAY_SALES).splitlines()
    report = "\n".join([header.replace("Store", "Shop"), first]) + "\n"
    landing = Landing(str(tmp_path / "lake"))
    refused = landing.put(written(sent / "shop.tsv", report.encode()), dialects)
    assert refused.status == "rejected"
    assert refused.reason
    assert landing.open(refused.file_id).read() == report.encode()
    assert (landing.report_periods(), [receipt.file_id for receipt in landing.receipts("rejected")]) == ([], [refused.file_id])

    (own := tmp_path / "own").mkdir()
    known = (conf_dir() / "sources" / "distrokid_13.yaml").read_text(encoding="utf-8")
    (own / "shop.yaml").write_text(known.replace("id: distrokid_13", "id: shop").replace("Store", "Shop"), encoding="utf-8")
    wider = load_dialects([conf_dir() / "sources", own])
    landed = landing.put(sent / "shop.tsv", wider)
    assert (landed.status, landed.source, landed.file_id) == ("landed", "shop", refused.file_id)
    assert landing.put(sent / "shop.tsv", wider).status == "duplicate"
    assert [receipt.source for receipt in landing.receipts(MAY)] == ["shop"]


def test_a_file_rejected_first_and_landed_later_is_listed_once(
    sent: Path, landed_lake: Path, tmp_path: Path, dialects: Dialects
) -> None:
    lake = copy_of(landed_lake, tmp_path)
    report = bank_report("2026-06", MAY_SALES).replace("2026-06-14", "14.06.2026").encode()
    landing = Landing(str(lake))
    refused = landing.put(written(sent / "late.tsv", report), dialects)
    assert (refused.status, "--period" in str(refused.reason)) == ("rejected", True)
    landed = landing.put(sent / "late.tsv", dialects, period="2026-06")
    assert (landed.status, landed.file_id) == ("landed", refused.file_id)
    assert [file["status"] for file in list_files(LakeReader(str(lake))) if file["file_id"] == landed.file_id] == ["landed"]


def test_a_report_of_another_source_than_the_one_expected_is_refused(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    landing = Landing(str(tmp_path / "lake"))
    refused = landing.put(written(sent / "bank.tsv", REPORT), dialects, source="tunecore")
    assert (refused.status, refused.reason) == ("rejected", "it is a distrokid_13 report, not a tunecore one")
    assert landing.put(sent / "bank.tsv", dialects, source="distrokid_13").status == "landed"


@pytest.mark.parametrize(
    ("name", "version"), [("bank.tsv", 0), ("bank_v2.tsv", 2), ("bank (3).tsv", 3), ("bank_restated.tsv", 1)]
)
def test_the_name_says_which_sending_it_is(name: str, version: int, sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    landing = Landing(str(tmp_path / "lake"))
    landing.put(written(sent / name, REPORT), dialects)
    (receipt,) = landing.receipts(MAY)
    assert (receipt.report_key, receipt.report_version) == (f"distrokid_13|{MAY}|bank", version)


def test_a_landing_that_died_before_its_last_object_is_completed(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    """Each object may be the first that is missing."""
    whole = tmp_path / "whole"
    Landing(str(whole)).put(written(sent / "bank.tsv", REPORT), dialects)
    keys = sorted(stored(whole), key=lambda key: ("files", "receipts", "landed").index(key.split("/")[1]))
    for number in range(len(keys)):
        died = tmp_path / f"died-{number}"
        for key in keys[:number]:
            (died / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(whole / key, died / key)
        Landing(str(died)).put(sent / "bank.tsv", dialects)
        found = stored(died)
        assert found.keys() == stored(whole).keys()
        (receipt,) = [json.loads(content) for key, content in found.items() if "receipts" in key]
        assert (receipt["status"], receipt["report_period"]) == ("landed", MAY)


def pounds(amount: str = "0.03") -> bytes:
    """A report of a society: it names no month."""
    header = "Record Number,CAE Number,Work Title,Amount (performance revenue),IP1\n"
    return f"{header}1,00100200300,Ferry Song,{amount},HOLLOWAY JUNE\n2,00100200300,Ferry Song,0.04,HOLLOWAY JUNE\n".encode()


def test_what_stands_beside_a_file_is_told_of_it_and_the_command_line_comes_first(
    sent: Path, tmp_path: Path, dialects: Dialects
) -> None:
    landing = Landing(str(tmp_path / "lake"))
    report = written(sent / "prs.csv", pounds())
    written(sent / "prs.csv.told.yaml", b"period: 2026-04\ncontrol: {revenue: 0.070, rows: 2}\n")
    landed = landing.put(report, dialects, told=Told(control={"rows": "3"}))
    (receipt,) = landing.receipts("2026-04")
    assert (landed.status, receipt.captured) == ("landed", {"control.revenue": "0.070", "control.rows": "3"})


def test_a_report_that_names_no_month_lands_when_it_is_told(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    landing = Landing(str(tmp_path / "lake"))
    refused = landing.put(written(sent / "prs.csv", pounds()), dialects)
    assert refused.reason == "the report does not say which statement period it belongs to: give --period YYYY-MM"
    assert landing.put(sent / "prs.csv", dialects, told=Told(period="2026-04")).status == "landed"
    assert landing.report_periods() == ["2026-04"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"period: May\n", "prs.csv.told.yaml: its period 'May' is no month written YYYY-MM."),
        (b"control: {income: 3}\n", "prs.csv.told.yaml: there is no control 'income': give revenue, revenue.EUR, units or rows."),
        (b"control: {rows: many}\n", "prs.csv.told.yaml: the control rows='many' is no plain number."),
        (b"currency: EUR\n", "prs.csv.told.yaml: 'currency' is not one of period, given, control."),
        (b"given: EUR\n", "prs.csv.told.yaml: given is not a mapping of names to values."),
        (b"{", "prs.csv.told.yaml: not YAML"),
    ],
)
def test_a_file_with_a_wrong_document_beside_it_does_not_land(
    document: bytes, reason: str, sent: Path, tmp_path: Path, dialects: Dialects
) -> None:
    report = written(sent / "prs.csv", pounds())
    written(sent / "prs.csv.told.yaml", document)
    landed = Landing(str(tmp_path / "lake")).put(report, dialects)
    assert landed.status == "rejected"
    assert landed.reason is not None
    assert landed.reason.startswith(reason)


def test_a_report_that_does_not_say_its_currency_lands_when_it_is_told(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    sample = (SAMPLES / "deezer/sample.csv").read_bytes()
    landing = Landing(str(tmp_path / "lake"))
    refused = landing.put(written(sent / "deezer.csv", sample), dialects)
    assert (refused.status, refused.reason) == (
        "rejected",
        "deezer.csv is a report of Deezer, which does not say its currency: give it, as in --given currency=EUR.",
    )
    wrong = landing.put(sent / "deezer.csv", dialects, told=Told(given={"currency": "Euro"}))
    assert wrong.reason is not None
    assert "'EURO' is no ISO 4217 currency code" in wrong.reason
    assert landing.put(sent / "deezer.csv", dialects, told=Told(given={"currency": "eur"})).status == "landed"
    (receipt,) = landing.receipts("2026-04")
    assert receipt.captured["currency"] == "EUR"


def test_the_container_a_report_came_in_is_kept_beside_it(sent: Path, tmp_path: Path, dialects: Dialects) -> None:
    landing = Landing(str(tmp_path / "lake"))
    packed = gzip.compress(REPORT)
    landed = landing.put(written(sent / "bank.tsv.gz", packed), dialects)
    kept = {name: content for name, content in stored(tmp_path / "lake").items() if "/originals/" in name}
    assert list(kept.values()) == [packed]
    assert next(iter(kept)).startswith(f"landing/originals/{landed.file_id}/")


@pytest.mark.slow
def test_a_large_file_lands_in_bounded_memory(tmp_path: Path) -> None:
    """A process that lands 200 MB more needs no more memory than one that lands a few lines."""
    code = (
        "import resource, sys; from pathlib import Path; from lakehouse.settings import conf_dir\n"
        "from lakehouse.sources.recognise import load_dialects; from lakehouse.store.landing import Landing\n"
        "landed = Landing(sys.argv[1]).put(Path(sys.argv[2]), load_dialects([conf_dir() / 'sources']))\n"
        "print(landed.status, landed.file_id, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)"
    )
    peaks = {}
    for name, copies in (("few", 1), ("many", (200 << 20) // len(REPORT))):
        head, _, rows = REPORT.partition(b"\n")
        with (tmp_path / name).open("wb") as stream:
            stream.write(head + b"\n")
            for _ in range(copies):
                stream.write(rows)
        command = [sys.executable, "-c", code, str(tmp_path / "lake"), str(tmp_path / name)]
        status, file_id, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert status == "landed"
        with (tmp_path / name).open("rb") as sent, Landing(str(tmp_path / "lake")).open(file_id) as stored:
            while block := sent.read(1 << 20):
                assert stored.read(1 << 20) == block
        peaks[name] = int(peak)
    assert peaks["many"] < peaks["few"] + 50, peaks


def test_a_large_file_that_changes_while_it_is_read_is_not_stored(
    tmp_path: Path, dialects: Dialects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.sources.payload.IN_MEMORY", 0)
    report = written(tmp_path / "bank.tsv", REPORT)
    put_file = LocalObjects.put_file

    def meddled(objects: LocalObjects, key: str, file: Path, sha256: str) -> bool:
        file.write_bytes(REPORT + REPORT)
        return put_file(objects, key, file, sha256)

    monkeypatch.setattr(LocalObjects, "put_file", meddled)
    with pytest.raises(Busy, match=r"bank\.tsv was changed while it was being read"):
        Landing(str(tmp_path / "lake")).put(report, dialects)
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]
