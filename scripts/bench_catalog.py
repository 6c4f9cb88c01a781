"""Usage keys against a catalog, synthetic with known truth, by the shipped linkage rules.

    make bench-catalog    (CATALOG=50000 KEYS=5000 by default)

The catalog has songs in several versions, which must not be confused; nine in ten of the keys are one of its recordings, told with typos, swapped or missing
fields, cut or transliterated texts; one in ten is of no recording of the catalog. Writes docs/matching.md between its markers.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb

from lakehouse.model.linkage.rules import load_linkage
from lakehouse.settings import conf_dir
from lakehouse.transforms.link import compare_pairs, decide, find_pairs, fit_model, read_records

PAGE = Path(__file__).parents[1] / "docs/matching.md"
BEGIN, END = "<!-- figures: make bench-catalog -->", "<!-- end of catalog -->"
SYLLABLES = [
    "ka",
    "ri",
    "mo",
    "len",
    "tor",
    "va",
    "sha",
    "bel",
    "nu",
    "dra",
    "fi",
    "gol",
    "hem",
    "is",
    "jor",
    "ky",
    "lu",
    "mar",
    "nes",
    "ol",
    "pra",
    "qui",
    "ros",
    "sel",
    "tam",
    "ul",
    "ver",
    "wen",
    "xa",
    "yor",
    "zil",
    "ach",
    "bru",
    "cel",
    "dor",
    "en",
]
MARKS = str.maketrans({"a": "á", "e": "é", "o": "ö", "u": "ü", "s": "š", "c": "ç"})
VERSIONS = ("Live", "Remix", "Acoustic", "Instrumental", "Radio Edit", "Karaoke Version")
Row = dict[str, str | None]


def main() -> None:
    size, keys = int(os.environ.get("CATALOG", "50000")), int(os.environ.get("KEYS", "5000"))
    rng = random.Random(20260501)
    catalog = make_catalog(size, rng)
    usage, truth, kinds = make_usage(catalog, keys, rng)
    rules = load_linkage(conf_dir() / "linkage.yaml")
    began, worked = time.monotonic(), time.process_time()
    records = read_records([usage, catalog])
    with duckdb.connect() as connection:
        a, b = find_pairs(connection, records, rules, two_sided=True)
        compared = compare_pairs(records, a, b, rules)
        decided = decide(connection, records, compared, fit_model(compared, rules.model), rules, two_sided=True).to_pylist()
    seconds, cpu = time.monotonic() - began, time.process_time() - worked
    candidates = {(records.ids[one], records.ids[other]) for one, other in zip(a.tolist(), b.tolist(), strict=True)}
    found = {key for key, recording in truth.items() if recording and (key, recording) in candidates}
    known = [key for key, recording in truth.items() if recording]
    auto = [(row["left_id"], row["right_id"]) for row in decided if row["band"] == "auto"]
    wrong = sum(truth[key] != recording for key, recording in auto)
    right = len({key for key, recording in auto if truth[key] == recording})
    missed = Counter(kinds[key] for key in known if key not in found)
    lines = [
        "| catalog | keys | true recording among the candidates | right in auto | wrong in auto | candidates a key | seconds | CPU seconds | keys/s/core | memory |",
        "|" + "---|" * 10,
        f"| {size:,} | {keys:,} | {len(found) / len(known):.4f} | {right / len(known):.4f} | {wrong} of {len(auto):,} | {len(a) / keys:.1f} | {seconds:.1f} |"
        f" {cpu:.1f} | {keys / cpu:,.0f} | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB |",
        "", "Not among the candidates, by what was done to the key: " + (", ".join(f"{kind} {n}" for kind, n in missed.most_common()) or "none") + ".",
    ]  # fmt: skip
    print("\n".join(lines))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def make_catalog(size: int, rng: random.Random) -> list[Row]:
    """Songs by artists, every fifth recording another version of the song before it."""
    words = ["".join(rng.choices(SYLLABLES, k=rng.choice((1, 2, 2, 3)))).title() for _ in range(6000)]
    artists = [" ".join(rng.choices(words, k=2)) for _ in range(max(1, size // 12))]
    found: list[Row] = []
    for n in range(size):
        if n % 5 == 4:
            song = found[-1]
            found.append(
                {
                    **song,
                    "id": f"R{n}",
                    "title": f"{song['title']} ({rng.choice(VERSIONS)})",
                    "duration": str(rng.randrange(150, 400)),
                }
            )
        else:
            title = " ".join(rng.choices(words, k=rng.choice((1, 2, 2, 3, 4))))
            found.append({"id": f"R{n}", "title": title, "artist": rng.choice(artists), "duration": str(rng.randrange(120, 420))})
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


def make_usage(catalog: list[Row], keys: int, rng: random.Random) -> tuple[list[Row], dict[str, str | None], dict[str, str]]:
    """Keys, the recording of each (None where the catalog has none), and what was done to it."""
    dirt: dict[str, Callable[[str, str], tuple[str, str | None]]] = {
        "as it is": lambda t, a: (t, a), "upper case": lambda t, a: (t.upper(), a.upper()), "typo": lambda t, a: (typo(t, rng), a),
        "two typos": lambda t, a: (typo(t, rng), typo(a, rng)), "swapped": lambda t, a: (a, t), "merged": lambda t, a: (f"{a} - {t}", None),
        "no artist": lambda t, a: (t, None), "truncated": lambda t, a: (t[: max(6, len(t) * 2 // 3)], a), "marks": lambda t, a: (t.translate(MARKS), a.translate(MARKS)),
        "featured": lambda t, a: (f"{t} (feat. {a.split()[0]})", a),
    }  # fmt: skip
    strangers = make_catalog(keys, random.Random(7))
    usage: list[Row] = []
    truth: dict[str, str | None] = {}
    kinds: dict[str, str] = {}
    for n in range(keys):
        known = n % 10 != 0
        song = rng.choice(catalog) if known else strangers[n]
        kind = rng.choice(list(dirt))
        title, artist = dirt[kind](str(song["title"]), str(song["artist"]))
        key = f"U{n}"
        length = str(int(song["duration"] or 0) + rng.choice((-1, 0, 0, 1))) if rng.random() < 0.6 else None
        usage.append({"id": key, "title": title, "artist": artist, "duration": length})
        truth[key], kinds[key] = (song["id"] if known else None), kind
    return usage, truth, kinds


if __name__ == "__main__":
    main()
