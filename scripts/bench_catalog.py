"""Usage keys against a catalog, synthetic with known truth, by the lake's own matcher and shipped rules.

    make bench-catalog    (CATALOG=1000000 KEYS=100000 by default)

The catalog has songs in several versions, which must not be confused. Nine in ten of the keys are one of its recordings, told with typos, swapped or missing
fields, cut or marked texts (a cut leaves a version its name: without it the key would be another recording's); one in ten is of no recording of the catalog, half of those another version of one. Writes docs/matching.md between its markers.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.runs.environment import Environment
from lakehouse.settings import load_settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PAGE = Path(__file__).parents[1] / "docs/matching.md"
BEGIN, END = "<!-- figures: make bench-catalog -->", "<!-- end of catalog -->"
LETTERS = "ka ri mo len tor va sha bel nu dra fi gol hem is jor ky lu mar nes ol pra qui ros sel tam ul ver wen xa yor zil ach bru cel dor en"
SYLLABLES = LETTERS.split()
MARKS = str.maketrans({"a": "á", "e": "é", "o": "ö", "u": "ü", "s": "š", "c": "ç"})
VERSIONS = ("Live", "Remix", "Acoustic", "Instrumental", "Radio Edit", "Karaoke Version")
Row = dict[str, str | None]


@dataclass(frozen=True)
class Made:
    catalog: list[Row]
    usage: list[Row]
    truth: dict[str, str | None]
    kinds: dict[str, str]


def main() -> None:
    size, keys = int(os.environ.get("CATALOG", "1000000")), int(os.environ.get("KEYS", "100000"))
    with tempfile.TemporaryDirectory() as folder:
        env = Environment(load_settings(root=folder, spark_conf={"spark.driver.memory": "8g"}))
        rows, notes = [], []
        for recordings in (size // 10, size):
            row, note = measure(env, make(recordings, keys), Path(folder) / str(recordings))
            rows.append(row)
            notes.append(note)
    lines = [
        "| catalog | keys | index, CPU s | its change by 1 %, CPU s | true recording among the candidates | candidates a key | right in auto | wrong in auto | seconds | CPU seconds |"
        " keys/s/core | memory |",
        "|" + "---|" * 12, *rows, "", *notes,
    ]  # fmt: skip
    print("\n".join(lines))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def measure(env: Environment, made: Made, folder: Path) -> tuple[str, str]:
    """One row of figures, and what was missed by kind."""
    from pyspark.sql import functions as F

    from lakehouse.transforms.reconcile import find_pairs, index_of, match_keys, missing_entries

    spark, rules = env.spark, env.rules
    folder.mkdir()
    usage = kept(
        spark, folder / "usage", made.usage, ("usage_key", "isrc", "upc", "title", "artist", "album", "label", "proprietary_id")
    )
    catalog = kept(
        spark, folder / "catalog", made.catalog, ("recording_id", "isrc", "upc", "title", "artist", "album")
    ).withColumn("proprietary_ids", F.array().cast("array<string>"))
    place = str(folder / "index")
    _, built = timed(lambda: index_of(catalog).write.parquet(place))
    changed = catalog.withColumn(
        "title", F.when(F.expr("xxhash64(recording_id) % 100 = 0"), F.concat("title", F.lit(" II"))).otherwise(F.col("title"))
    )
    index = spark.read.parquet(place)
    _, updated = timed(lambda: missing_entries(changed, index).write.parquet(str(folder / "changed")))
    caches: list[DataFrame] = []

    def keep(frame: DataFrame) -> DataFrame:
        caches.append(frame.persist())
        return caches[-1]

    decided = folder / "decided"
    seconds, cpu = timed(lambda: match_keys(usage, catalog, rules, keep, None, index).write.parquet(str(decided)))
    for frame in caches:
        frame.unpersist()
    compared = {
        (row.usage_key, row.recording_id)
        for row in find_pairs(usage, catalog, rules, index=index).select("usage_key", "recording_id").distinct().toLocalIterator()
    }
    decisions = pq.read_table(decided, columns=["usage_key", "reconciliation_status", "recording_id"]).to_pylist()
    known = [key for key, recording in made.truth.items() if recording]
    missed = Counter(made.kinds[key] for key in known if (key, made.truth[key]) not in compared)
    auto = [row for row in decisions if row["reconciliation_status"] == "MATCHED"]
    wrong = Counter(made.kinds[row["usage_key"]] for row in auto if made.truth[row["usage_key"]] != row["recording_id"])
    recall, n = 1 - missed.total() / len(known), len(made.usage)
    row = (
        f"| {len(made.catalog):,} | {n:,} | {built:.0f} | {updated:.0f} | {recall:.4f} | {len(compared) / n:.1f} |"
        f" {(len(auto) - wrong.total()) / len(known):.4f} | {wrong.total()} of {len(auto):,} | {seconds:.1f} | {cpu:.0f} | {n / cpu:,.0f} | {peak_memory():,} MB |"
    )
    return row, f"{len(made.catalog):,} recordings: not among the candidates: {told(missed)}. Wrong in auto: {told(wrong)}."


def told(counted: Counter[str]) -> str:
    return ", ".join(f"{kind} {n}" for kind, n in counted.most_common()) or "none"


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and CPU seconds of this process and all that it started."""
    began, worked = time.monotonic(), cpu_seconds()
    work()
    return time.monotonic() - began, cpu_seconds() - worked


def cpu_seconds() -> float:
    ticks = sum(sum(map(int, fields[11:15])) for fields in processes().values())
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_memory() -> int:
    """The most that this process and its children have held, in MB: the sum of each one's peak."""
    peaks = [
        line.split()[1]
        for pid in processes()
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return sum(map(int, peaks)) // 1024


def processes() -> dict[int, list[str]]:
    """This process and its descendants: the fields of /proc/PID/stat after the name."""
    stats: dict[int, list[str]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(file.parent.name)] = file.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
    mine, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, fields in stats.items() if int(fields[1]) in mine} - mine
        mine, grown = mine | more, bool(more)
    return {pid: stats[pid] for pid in mine if pid in stats}


def kept(spark: Any, folder: Path, rows: list[Row], columns: tuple[str, ...]) -> DataFrame:
    schema = pa.schema([(name, pa.string()) for name in columns])
    folder.mkdir()
    for place in range(2):
        pq.write_table(pa.Table.from_pylist(rows[place::2], schema=schema), folder / f"{place}.parquet")
    frame: DataFrame = spark.read.parquet(str(folder))
    return frame


def make(size: int, keys: int) -> Made:
    rng = random.Random(20260501)
    words = list(dict.fromkeys("".join(rng.choices(SYLLABLES, k=rng.choice((1, 2, 2, 3, 3, 4)))).title() for _ in range(60_000)))
    # Some words are in a hundred times as many titles as others.
    often = list(accumulate(1 / (n + 100) for n in range(len(words))))

    def some(most: tuple[int, ...]) -> str:
        return " ".join(rng.choices(words, cum_weights=often, k=rng.choice(most)))

    artists = [some((1, 2, 2, 3)) for _ in range(max(1, size // 12))]
    catalog = make_catalog(size, rng, some, artists)
    strangers = make_catalog(keys // 10, rng, some, artists)
    return Made(catalog, *make_usage(catalog, strangers, keys, rng))


def make_catalog(size: int, rng: random.Random, some: Callable[[tuple[int, ...]], str], artists: list[str]) -> list[Row]:
    """Songs by artists, every fifth recording another version of the song before it."""
    found: list[Row] = []
    for n in range(size):
        if n % 5 == 4:
            song = found[-1]
            found.append({**song, "recording_id": f"R{n}", "title": f"{song['title']} ({rng.choice(VERSIONS)})"})
        else:
            found.append({"recording_id": f"R{n}", "title": some((1, 2, 2, 3, 4)), "artist": rng.choice(artists), "upc": ""})
    return found


def typo(text: str, rng: random.Random) -> str:
    at = rng.randrange(max(1, len(text) - 1))
    return rng.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + "x" + text[at:],
            text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        )
    )


def make_usage(
    catalog: list[Row], strangers: list[Row], keys: int, rng: random.Random
) -> tuple[list[Row], dict[str, str | None], dict[str, str]]:
    """Keys, the recording of each (None where the catalog has none), and what was done to it."""
    dirt: dict[str, Callable[[str, str], tuple[str, str | None]]] = {
        "as it is": lambda t, a: (t, a), "upper case": lambda t, a: (t.upper(), a.upper()), "typo": lambda t, a: (typo(t, rng), a),
        "two typos": lambda t, a: (typo(t, rng), typo(a, rng)), "swapped": lambda t, a: (a, t), "merged": lambda t, a: (f"{a} - {t}", None),
        "no artist": lambda t, a: (t, None), "truncated": lambda t, a: (t, a[: len(a) * 2 // 3]) if "(" in t else (t[: max(6, len(t) * 2 // 3)], a), "marks": lambda t, a: (t.translate(MARKS), a.translate(MARKS)),
        "featured": lambda t, a: (f"{t} (feat. {a.split()[0]})", a),
    }  # fmt: skip
    usage: list[Row] = []
    truth: dict[str, str | None] = {}
    kinds: dict[str, str] = {}
    for n in range(keys):
        kind = rng.choice(list(dirt))
        if known := n % 10 != 0:
            song = rng.choice(catalog)
            title, artist = dirt[kind](str(song["title"]), str(song["artist"]))
        elif n % 20 == 0:
            kind, song = "version that is not there", rng.choice(catalog)
            title, artist = f"{song['title']} - Bootleg", song["artist"]
        else:
            song = rng.choice(strangers)
            title, artist = dirt[kind](str(song["title"]), str(song["artist"]))
            kind = f"stranger, {kind}"
        key = f"U{n}"
        usage.append({"usage_key": key, "title": title, "artist": artist})
        truth[key], kinds[key] = (song["recording_id"] if known else None), kind
    return usage, truth, kinds


if __name__ == "__main__":
    main()
