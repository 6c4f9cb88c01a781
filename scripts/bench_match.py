"""Linking with shipped rules beside Splink, without labels, on tables whose truth is known.

    LINKAGE_DATA=folder make bench-match

The folder holds tables of the MusicBrainz 20K kind: `*_parsed.csv` (id, source, title, artist, album, duration, year, track_number, cluster) and the table
as published (TID, CID, SourceID, number, title, length, ...). The repository ships none. Tables of other dirt are made of the parsed one's songs (`linkage_dirt.py`). Each matcher runs in a process of its own on all pairs inside the
table; what it claims is held against the clusters. The figures replace those between the markers in docs/matching.md.
"""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from linkage_dirt import write_dirty

PAGE = Path(__file__).parents[1] / "docs/matching.md"
BEGIN, END = "<!-- figures: make bench-match -->", "<!-- end of figures -->"
CLAIMED, AUTO = 0.5, 0.98
# The table as published names its columns otherwise.
PUBLISHED = {"number": "track_number", "length": "duration", "TID": "id", "SourceID": "source"}


class Figures(NamedTuple):
    pairs: int
    precision: float
    recall: float
    f1: float
    auto_precision: float
    auto_recall: float
    calibration: float
    brier: float
    deciles: list[tuple[int, float, float]]


def main() -> None:
    if len(sys.argv) > 1:
        return one(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    folder = os.environ.get("LINKAGE_DATA")
    if not folder:
        raise SystemExit("Where are the tables? Set LINKAGE_DATA to their folder; the repository ships none.")
    lines = [
        "| table | matcher | claimed | precision | recall | F1 | auto: precision | recall | calibration error | Brier | seconds | memory |",
        "|" + "---|" * 12,
    ]
    reliability: list[tuple[str, Figures]] = []
    dirty = tempfile.TemporaryDirectory()
    given = sorted(Path(folder).glob("*.csv"))
    made = [one for table in given if _parsed(table) for one in write_dirty(table, Path(dirty.name))]
    for table in (*given, *made):
        published = table in given and not _parsed(table)
        for matcher in ("lakehouse",) if published else ("lakehouse", "splink"):
            with tempfile.TemporaryDirectory() as scratch:
                pairs = Path(scratch) / "pairs.csv"
                done = subprocess.run(
                    [sys.executable, __file__, matcher, str(table), str(pairs)], stdout=subprocess.PIPE, check=True, text=True
                )
                cost = json.loads(done.stdout.splitlines()[-1])
                found = score(table, pairs, published)
            lines.append(
                f"| {table.name} | {matcher} | {found.pairs:,} | {found.precision:.4f} | {found.recall:.4f} | {found.f1:.4f} | {found.auto_precision:.4f} |"
                f" {found.auto_recall:.4f} | {found.calibration:.4f} | {found.brier:.4f} | {cost['seconds']:.1f} | {cost['megabytes']:,} MB |"
            )
            print(lines[-1], flush=True)
            if table in given and not published:
                reliability.append((matcher, found))
    lines += [
        "",
        "How often pairs of a confidence are true, by decile (pairs, mean confidence, share true):",
        "",
        "| confidence | " + " | ".join(m for m, _ in reliability) + " |",
    ]
    lines.append("|" + "---|" * (len(reliability) + 1))
    for decile in range(10):
        cells = (
            f"{n:,}: {mean:.3f}, {true:.3f}" if n else "none"
            for n, mean, true in (found.deciles[decile] for _, found in reliability)
        )
        lines.append(f"| {decile / 10:.1f} to {(decile + 1) / 10:.1f} | " + " | ".join(cells) + " |")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _parsed(table: Path) -> bool:
    return table.stem.endswith("_parsed")


def one(matcher: str, table: Path, out: Path) -> None:
    """Runs a matcher and prints what it cost: seconds from first import to written pairs, and the most memory it had."""
    began = time.monotonic()
    {"lakehouse": by_lakehouse, "splink": by_splink}[matcher](table, out)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": time.monotonic() - began, "megabytes": megabytes}))


def by_lakehouse(table: Path, out: Path) -> None:
    from lakehouse.model.linkage.rules import load_linkage
    from lakehouse.runs.match import match_tables
    from lakehouse.settings import conf_dir

    with table.open(encoding="utf-8") as text:
        header = next(csv.reader(text))
    renamed = {name: column for column, name in PUBLISHED.items() if column in header and "cluster" not in header}
    match_tables(table, None, out, renamed, load_linkage(conf_dir() / "linkage.yaml"))


def by_splink(table: Path, out: Path) -> None:
    """Splink as a practised user would set it up for such tables, with the columns that they fill: u from random pairs, m by expectation-maximization, no labels."""
    import pandas as pd
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.internals.duckdb.database_api import DuckDBAPI
    from splink.internals.exceptions import EMTrainingException

    from lakehouse.model.linkage.layouts import seconds

    frame = pd.read_csv(table, dtype=str, keep_default_na=True).drop(columns=["cluster", "language"], errors="ignore")
    frame["duration"] = [seconds(text) if isinstance(text, str) else None for text in frame["duration"]]
    for name in ("title", "artist", "album"):
        frame[name] = frame[name].str.lower().str.replace(r"[^\w ]", " ", regex=True).str.split().str.join(" ").replace("", None)
    for name in ("duration", "year"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    known = {name for name in ("title", "artist", "album", "duration", "year", "track_number") if frame[name].notna().any()}

    def filled(*rules: tuple[str, ...]) -> list[Any]:
        return [block_on(*rule) for rule in rules if all(re.sub(r"substr\((\w+).*", r"\1", one) in known for one in rule)]

    rules = filled(
        ("title",), ("substr(title, 1, 6)",), ("artist", "year"), ("album", "duration"), ("duration", "year", "track_number"),
        ("substr(artist, 1, 5)", "substr(title, 1, 3)"), ("substr(album, 1, 8)",),
    )  # fmt: skip

    def near(column: str, steps: tuple[float, ...]) -> Any:
        levels: list[Any] = [
            {"sql_condition": f"{column}_l IS NULL OR {column}_r IS NULL", "label_for_charts": "null", "is_null_level": True}
        ]
        levels += [
            {"sql_condition": f"abs({column}_l - {column}_r) <= {step}", "label_for_charts": f"within {step}"} for step in steps
        ]
        return cl.CustomComparison(
            output_column_name=column, comparison_levels=[*levels, {"sql_condition": "ELSE", "label_for_charts": "else"}]
        )

    settings = SettingsCreator(
        link_type="dedupe_only", unique_id_column_name="id", blocking_rules_to_generate_predictions=rules,
        comparisons=[
            *(cl.JaroWinklerAtThresholds(name, [0.97, 0.92, 0.85, 0.75]) for name in ("title", "artist", "album") if name in known),
            *(near(name, steps) for name, steps in (("duration", (0.5, 2, 5, 30)), ("year", (0, 1, 5))) if name in known),
            *([cl.ExactMatch("track_number")] if "track_number" in known else []),
        ],
    )  # fmt: skip
    linker = Linker(DuckDBAPI().register(frame), settings, log_level=40)
    certain = [
        block_on(*rule)
        for rule in (("title", "artist", "album"), ("title", "artist", "duration"), ("title", "artist"))
        if {*rule} <= known and frame.dropna(subset=list(rule)).duplicated(list(rule)).any()
    ]
    # Without a pair that agrees in all of that Splink's own guess stands.
    if certain:
        linker.training.estimate_probability_two_random_records_match(certain[:2], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in filled(("title",), ("album", "duration"), ("artist", "year"), ("artist",)):
        with suppress(EMTrainingException):  # no pair of the table agrees in that
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_probability=0.01).as_pandas_dataframe()
    told = found.rename(columns={"id_l": "left_id", "id_r": "right_id", "match_probability": "confidence"})
    told[["left_id", "right_id", "confidence"]].to_csv(out, index=False)


def score(table: Path, pairs: Path, published: bool) -> Figures:
    """What was claimed against the clusters; every proposed pair counts for calibration."""
    with table.open(encoding="utf-8", newline="") as text:
        cluster = {row["TID" if published else "id"]: row["CID" if published else "cluster"] for row in csv.DictReader(text)}
    true_pairs = sum(n * (n - 1) // 2 for n in Counter(cluster.values()).values())
    with pairs.open(encoding="utf-8", newline="") as text:
        rows = [(float(row["confidence"]), cluster[row["left_id"]] == cluster[row["right_id"]]) for row in csv.DictReader(text)]

    def held(floor: float) -> tuple[int, float, float]:
        hits = [true for confidence, true in rows if confidence >= floor]
        return len(hits), sum(hits) / max(1, len(hits)), sum(hits) / true_pairs

    deciles = []
    for decile in range(10):
        inside = [(c, true) for c, true in rows if min(int(c * 10), 9) == decile]
        n = max(1, len(inside))
        deciles.append((len(inside), sum(c for c, _ in inside) / n, sum(true for _, true in inside) / n))
    calibration = sum(n * abs(mean - true) for n, mean, true in deciles) / max(1, len(rows))
    brier = sum((c - true) ** 2 for c, true in rows) / max(1, len(rows))
    claimed, precision, recall = held(CLAIMED)
    return Figures(
        claimed,
        precision,
        recall,
        2 * precision * recall / max(1e-12, precision + recall),
        *held(AUTO)[1:],
        calibration,
        brier,
        deciles,
    )


if __name__ == "__main__":
    main()
