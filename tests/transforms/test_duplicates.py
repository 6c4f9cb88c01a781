"""Lines that a service and an aggregator both report: linked one to one, held on the side that is declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from lakehouse.model.channels import Channels
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MAY, JUNE = "2026-05", "2026-06"
LISTS = {"version": 1, "services": ["spotify_a", "deezer"], "aggregators": ["fuga", "believe"]}
SERVICES_FIRST, AGGREGATORS_FIRST = Channels(**LISTS, paid="services"), Channels(**LISTS, paid="aggregators")

Link = tuple[str, int, str, int]


def line(source: str, line_no: int, period: str = MAY, file: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        **DIMENSIONS, "file_id": digest(file or source), "source": source, "line_no": line_no, "period": period, "isrc": "QZMO12600001",
        "title": "Night Ferry", "artist": "Mara Okafor", "units": "10", "amount": "0.5", **changes,
    }  # fmt: skip


def links(
    spark: SparkSession, lines: Sequence[dict[str, Any]], channels: Channels = SERVICES_FIRST, before: Sequence[dict[str, Any]] = (),
    period: str = MAY,
) -> set[Link]:  # fmt: skip
    """(source, line) that is held and (source, line) that is paid."""
    from lakehouse.tables import silver
    from lakehouse.transforms.duplicates import find_duplicates

    found = find_duplicates(frame(spark, silver.usage, lines), frame(spark, silver.duplicates, before), channels, period)
    return {(row["source"], row["line_no"], row["of_source"], row["of_line_no"]) for row in dicts(found)}


def test_a_source_stands_in_one_list_once() -> None:
    with pytest.raises(ValidationError, match="fuga: named twice"):
        Channels(version=1, services=("fuga",), aggregators=("believe", "fuga"), paid="services")


@pytest.mark.spark
def test_equal_lines_of_a_service_and_an_aggregator_are_linked_one_to_one(spark: SparkSession) -> None:
    lines = [
        line("spotify_a", 3), line("spotify_a", 7),  # two sales, for equal lines of one report are separate
        line("fuga", 2, channel="SPOTIFY"), line("fuga", 5, channel="SPOTIFY"), line("fuga", 9, channel="SPOTIFY"),
        line("believe", 4),  # the third that the service does not know
        line("tunecore", 6), line("deezer", 8, channel="Deezer"),
    ]  # fmt: skip
    assert links(spark, lines) == {("fuga", 2, "spotify_a", 3), ("fuga", 5, "spotify_a", 7)}
    assert links(spark, lines, AGGREGATORS_FIRST) == {("spotify_a", 3, "fuga", 2), ("spotify_a", 7, "fuga", 5)}


@pytest.mark.spark
def test_whatever_differs_is_another_sale(spark: SparkSession) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"usage_period": "2026-02"}, {"territory": "FR"}, {"configuration": "download"}, {"meaning": "correction"}, {"units": "11"},
        {"amount": "0.500000000000000001"}, {"currency": "USD"}, {"channel": "Deezer"}, {"isrc": "QZMO12600002"}, {"isrc": None},
    )  # fmt: skip
    for number, change in enumerate(changes):
        assert links(spark, [line("spotify_a", 1), line("fuga", number + 1, **change)]) == set(), change
    without = {"isrc": None, "title": "NIGHT  ferry"}
    assert links(spark, [line("spotify_a", 1, isrc=None), line("fuga", 1, **without)]) == {("fuga", 1, "spotify_a", 1)}
    # The ids of listeners are each sender's own.
    heard = [line("spotify_a", 1, subscriber="s-1"), line("spotify_a", 2, subscriber="s-2"), line("fuga", 1, subscriber="f-9")]
    assert links(spark, heard) == {("fuga", 1, "spotify_a", 1)}
    nameless = {"isrc": None, "artist": None}
    assert links(spark, [line("spotify_a", 1, **nameless), line("fuga", 1, **nameless)]) == set()
    free = {"amount": "0"}
    assert links(spark, [line("spotify_a", 1, **free), line("fuga", 1, **free)]) == set()


@pytest.mark.spark
def test_what_an_earlier_period_paid_stays_paid_and_is_linked_once(spark: SparkSession) -> None:
    lines = [line("fuga", 1), line("fuga", 2), line("believe", 3), line("spotify_a", 4, JUNE), line("spotify_a", 5, JUNE)]
    # In May nothing was equal; in June the service's lines come, and are held although services are paid first.
    assert links(spark, lines[:3]) == set()
    assert links(spark, lines, period=JUNE) == {("spotify_a", 4, "fuga", 1), ("spotify_a", 5, "fuga", 2)}
    known = {"period": MAY, "file_id": digest("believe"), "line_no": 3, "of_file_id": digest("fuga"), "of_line_no": 1}
    assert links(spark, lines, before=[known], period=JUNE) == {("spotify_a", 4, "fuga", 2)}
