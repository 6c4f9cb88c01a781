"""Which works DDEX flat files say recordings are of (F-16): on one record, or by the one resource of a block; what nobody can tell is left out."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from lakehouse.tables import bronze
from tests.support.dsr import layouts, row
from tests.support.frames import dicts, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
ONE, TWO, THREE, FOUR, FIVE = (f"QZMO1260000{number}" for number in range(1, 6))


def _as(block: str, isrc: str, kind: str = "AS01.01", **more: str) -> str:
    said = {"BlockId": block, "ResourceReference": "A1", "DspResourceId": isrc, "ISRC": isrc, "Title": "Night Ferry"}
    return row(kind, **said, DisplayArtistName="Mara Okafor", Duration="PT3M", ResourceType="SoundRecording", **more)


def _mw(block: str, iswc: str) -> str:
    return row("MW01.01", BlockId=block, DspWorkId=f"w:{block}", Title="Night Ferry", ISWC=iswc)


def test_pairs_are_found_on_records_and_in_blocks_of_one_resource(spark: SparkSession) -> None:
    from lakehouse.transforms.works import links_of_reports

    texts = [
        "#AS02.02\tBlockId\tResourceReference\tDspResourceId\tISRC",
        _as("B1", ONE, "AS02.02", ISWC="T-034.524.680-1"),
        _as("B2", TWO),
        _mw("B2", "T9109247316"),
        _as("B3", THREE),
        _mw("B3", "T9109247316"),
        _mw("B3", "T0702472794"),  # a medley: two works
        _as("B4", ONE),
        _as("B4", FOUR),
        _mw("B4", "T0702472794"),  # of which of the two recordings?
        _as("B5", FIVE, "AS02.02", ISWC="T3452468001"),  # the check digit is wrong
        _as("B6", f"{FOUR}|{FIVE}", "AS02.02", ISWC="T0345246801"),
        _as("B7", ONE),
        _mw("B7", "T0345246801"),  # said again, less surely
    ]
    lines = [
        {"file_id": "F1", "source": "dsr_ugc", "line_no": number, "text": text} for number, text in enumerate(texts, start=1)
    ]
    found = dicts(links_of_reports(frame(spark, bronze.lines, lines), layouts()))
    told = {(row_["isrc"], row_["iswc"]): (row_["confidence"], row_["line_no"]) for row_ in found}
    assert told == {
        (ONE, "T0345246801"): (Decimal("0.90"), 2),
        (TWO, "T9109247316"): (Decimal("0.80"), 4),
        (THREE, "T9109247316"): (Decimal("0.80"), 6),
        (THREE, "T0702472794"): (Decimal("0.80"), 7),
        (FOUR, "T0345246801"): (Decimal("0.90"), 12),
        (FIVE, "T0345246801"): (Decimal("0.90"), 12),
    }
    assert {(row_["file_id"], row_["source"]) for row_ in found} == {("F1", "dsr_ugc")}
