"""A synthetic label with a known truth: catalog, contracts, dumps with dirt, and expected.json.

An independent witness: nothing here uses the engine or its contracts; the truth is worked out from the sales.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

from lakehouse.demo.deals import DEALS
from lakehouse.demo.label import Recording, compilations, recordings
from lakehouse.demo.month import Catalogue, write_month
from lakehouse.errors import Misuse

_FIRST_PERIOD = (2026, 5)
_FEWEST_LINES, _MOST_TRACKS = 200, 120


@dataclass(frozen=True)
class DemoSummary:
    """What was written. `lines` counts every record of the reports that are new, headers and footers too."""

    dir: Path
    files: int
    lines: int


def write_demo(dir: Path, lines: int = 6000, months: int = 2, seed: int = 1) -> DemoSummary:
    """Writes the label into `dir`: about `lines` usage lines over `months` periods from 2026-05. The same arguments
    write the same bytes. Raises Misuse where the folder has other things in it, or the numbers make no label."""
    if lines < _FEWEST_LINES or not 1 <= months <= 24:
        raise Misuse(f"A demo has at least {_FEWEST_LINES} lines and 1 to 24 months, not {lines} and {months}.")
    if dir.exists() and any(dir.iterdir()) and not (dir / "expected.json").is_file():
        raise Misuse(f"{dir} has other things in it. Name an empty or a new folder.")
    label = recordings(tracks=min(10 + lines // 10_000, _MOST_TRACKS))
    _write_catalog(dir / "catalog" / "recordings.csv", (*label, *compilations(label)))
    _write_contracts(dir / "contracts")
    periods = [
        f"{year:04d}-{month + 1:02d}"
        for year, month in (divmod(_FIRST_PERIOD[0] * 12 + _FIRST_PERIOD[1] - 1 + n, 12) for n in range(months))
    ]
    catalogue = Catalogue.of(label, Random(f"{seed}/popularity"))
    truths = {period: write_month(dir / "dumps" / period, period, lines // months, catalogue, str(seed)) for period in periods}
    expected = {
        "lines": lines,
        "months": months,
        "seed": seed,
        "periods": {period: truth.document() for period, truth in truths.items()},
    }
    (dir / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    files = sum(truth.files.total() for truth in truths.values())
    return DemoSummary(dir, files, sum(truth.lines.total() for truth in truths.values()))


def _write_catalog(file: Path, rows: tuple[Recording, ...]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(
            [
                "isrc",
                "title",
                "artist",
                "album",
                "label",
                "upc",
                "track_number",
                "duration",
                "year",
                "release_type",
                "proprietary_ids",
            ]
        )
        for r in rows:
            duration = 120 + r.number * 7 % 240
            writer.writerow([r.isrc, r.title, r.artist, r.album, r.label, r.upc, r.track, duration, 2026, "Album", r.uri])


def _write_contracts(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for deal in DEALS:
        (folder / f"{deal.contract}-v{deal.version}.yaml").write_text(deal.yaml(), encoding="utf-8")
