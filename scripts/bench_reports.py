"""Times one large report from landing to silver, beside polars reading the same file as text.    make bench-reports    (MB=200 make bench-reports)

polars only cuts the file into cells; the lake also keeps every line verbatim, maps and judges it, and sums it exactly. The ratio
says what that costs.
"""

from __future__ import annotations

import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lakehouse.runs.admin import init_lake
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import run_jobs
from lakehouse.runs.stages import conform, ingest
from lakehouse.settings import load_settings

PERIOD = "2026-06"
HEADER = (
    "Reporting Date\tSale Month\tStore\tArtist\tTitle\tISRC\tUPC\tQuantity\tTeam Percentage\tSong/Album\tCountry of Sale\t"
    "Songwriter Royalties Withheld\tEarnings (USD)\n"
)
STORES = ("Spotify", "Apple Music", "Amazon", "Deezer", "Tidal", "YouTube Music", "Pandora", "TikTok")
COUNTRIES = (
    "DE",
    "US",
    "FR",
    "GB",
    "JP",
    "BR",
    "MX",
    "SE",
    "NL",
    "IT",
    "ES",
    "CA",
    "AU",
    "IN",
    "KR",
    "PL",
    "AT",
    "CH",
    "DK",
    "NO",
)


def main() -> None:
    import polars

    size = int(os.environ.get("MB", "1000")) * 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "distrokid.tsv"
        with report.open("w", encoding="utf-8") as stream:
            lines = sum(stream.write(block) and block.count("\n") for block in blocks(size)) - 1
        env = Environment(load_settings(root=str(Path(folder) / "lake")))
        init_lake(env)
        print(f"{lines:,} lines, {report.stat().st_size / 1e6:,.0f} MB; {os.cpu_count()} cores")
        polars_seconds = timed(
            "polars", report, lines, lambda: polars.read_csv(report, separator="\t", quote_char=None, infer_schema=False)
        )
        timed("start Spark", report, 0, lambda: env.spark)
        whole = timed("land", report, lines, lambda: env.landing.put(report, env.dialects))
        for stage in (ingest, conform):
            whole += timed(stage.name, report, lines, lambda stage=stage: run_jobs([stage], env, PERIOD))
        rate = f"{report.stat().st_size / 1e6 / whole:.1f} MB/s, {lines / whole:,.0f} lines/s"
        print(f"landing to silver: {whole:.1f} s, {rate}, {whole / polars_seconds:.0f} times polars' reading")
        print(f"memory of this process at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def blocks(size: int) -> Iterator[str]:
    """About `size` bytes of a DistroKid report: 20,000 recordings, stores and countries at random, always the same."""
    chance = random.Random(1)
    recordings = [f"Artist {n % 900}\tSong number {n}\tQZAA126{n:05d}\t{190000000000 + n}" for n in range(20_000)]
    written = len(HEADER)
    yield HEADER
    while written < size:
        block = "".join(
            f"2026-06-14\t2026-04\t{chance.choice(STORES)}\t{chance.choice(recordings)}\t{chance.randint(1, 400)}\t100.0\tSong\t"
            f"{chance.choice(COUNTRIES)}\t0\t0.{chance.randrange(10**18):018d}\n"
            for _ in range(50_000)
        )
        written += len(block)
        yield block


def timed(name: str, report: Path, lines: int, work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    seconds = time.monotonic() - began
    rate = f"{report.stat().st_size / 1e6 / seconds:>8.1f} MB/s {lines / seconds:>12,.0f} lines/s" if lines else ""
    print(f"{name:<12}{seconds:>8.1f} s {rate}", flush=True)
    return seconds


if __name__ == "__main__":
    main()
