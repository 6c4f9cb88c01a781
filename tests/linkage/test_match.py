"""`lakehouse match` on real files: no lake, no JVM."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import Misuse
from lakehouse.model.linkage.rules import load_linkage
from lakehouse.runs.match import fit_tables, match_tables
from lakehouse.settings import conf_dir
from lakehouse.sources.linkage_model import read_model, write_model

_WORDS = [
    "river",
    "stone",
    "velvet",
    "engine",
    "harbor",
    "midnight",
    "cobalt",
    "ember",
    "lantern",
    "thistle",
    "orbit",
    "marble",
    "fever",
    "willow",
    "anchor",
    "saffron",
]
_NAMES = ["Okoye", "Lindqvist", "Marchand", "Tanaka", "Ferreira", "Novak", "Haddad", "Sørensen", "Iyer", "Castellano"]
RULES = load_linkage(conf_dir() / "linkage.yaml")


def songs(count: int, seed: int) -> list[dict[str, str]]:
    rng = random.Random(seed)
    found: dict[tuple[str, str], dict[str, str]] = {}
    while len(found) < count:
        title = " ".join(rng.sample(_WORDS, rng.choice((2, 3)))).title()
        artist = f"{rng.choice(_WORDS).title()} {rng.choice(_NAMES)}"
        found.setdefault(
            (title, artist),
            {
                "title": title,
                "artist": artist,
                "album": " ".join(rng.sample(_WORDS, 2)).title(),
                "duration": str(rng.randint(90, 420)),
            },
        )
    return list(found.values())


def typo(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def read_pairs(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def label() -> list[dict[str, str]]:
    return songs(300, seed=3)


def two_sources(label: list[dict[str, str]], shuffled: int = 0) -> list[dict[str, Any]]:
    """Each song as two services tell it: the second writes the artist into the title, mistypes, and counts in milliseconds."""
    rng = random.Random(11)
    rows: list[dict[str, Any]] = [{"id": f"a{n}", "source": "one", **song} for n, song in enumerate(label)]
    for n, song in enumerate(label[:200]):
        title = f"{song['artist']} - {typo(song['title'], rng)}"
        rows.append({"id": f"b{n}", "source": "two", **song, "title": title, "artist": "", "duration": f"{song['duration']}000"})
    random.Random(shuffled).shuffle(rows)
    return rows


def test_sources_of_one_table_are_linked(label: list[dict[str, str]], tmp_path: Path) -> None:
    done = match_tables(write(tmp_path / "all.csv", two_sources(label)), None, tmp_path / "pairs.csv", {}, RULES)
    claimed = {
        frozenset((p["left_id"], p["right_id"])) for p in read_pairs(tmp_path / "pairs.csv") if float(p["confidence"]) >= 0.5
    }
    true = {frozenset((f"a{n}", f"b{n}")) for n in range(200)}
    assert len(claimed & true) >= 196
    assert len(claimed - true) <= 2
    assert done["left"] == 500
    assert done["pairs"] == sum(done["by_band"].values())


def test_the_order_of_rows_changes_nothing(label: list[dict[str, str]], tmp_path: Path) -> None:
    found = []
    for shuffled in (1, 2):
        table = write(tmp_path / f"{shuffled}.csv", two_sources(label, shuffled))
        match_tables(table, None, tmp_path / f"pairs{shuffled}.csv", {}, RULES)
        found.append((tmp_path / f"pairs{shuffled}.csv").read_bytes())
    assert found[0] == found[1]


def test_two_tables_are_linked_across_only(label: list[dict[str, str]], tmp_path: Path) -> None:
    left = write(
        tmp_path / "usage.csv",
        [{"key": f"u{n}", "name": s["title"].lower(), "artist": s["artist"]} for n, s in enumerate(label[:50])],
    )
    right = write(
        tmp_path / "catalog.csv", [{"key": f"c{n}", "name": s["title"], "artist": s["artist"]} for n, s in enumerate(label)]
    )
    match_tables(left, right, tmp_path / "pairs.parquet", {"id": "key", "title": "name"}, RULES)
    rows = [row for row in pq.read_table(tmp_path / "pairs.parquet").to_pylist() if row["confidence"] >= 0.5]
    assert {(row["left_id"], row["right_id"]) for row in rows} == {(f"u{n}", f"c{n}") for n in range(50)}


def test_ids_that_are_missing_or_repeated_are_told(tmp_path: Path) -> None:
    rows = [{"id": "1", "title": "River Stone"}, {"id": "1", "title": "Velvet Engine"}, {"id": "", "title": "Cobalt"}]
    done = match_tables(write(tmp_path / "t.csv", rows), None, tmp_path / "pairs.csv", {}, RULES)
    assert [finding["rule"] for finding in done["findings"]] == ["id_missing", "id_repeated"]


def test_columns_with_other_names_are_found_and_told(tmp_path: Path) -> None:
    """What --map says goes first, then the standard name; a column is taken once."""
    left = [{"id": "1", "Song Name": "River Stone", "Artist_Name": "Ana Okoye", "LENGTH": "3:20", "number": "7"}]
    right = [
        {"Track-ID": "9", "title": "River Stone", "song": "not this", "performer": "Ana Okoye", "duration": "200", "who": "x"}
    ]
    files = write(tmp_path / "l.csv", left), write(tmp_path / "r.csv", right)
    done = match_tables(*files, tmp_path / "pairs.csv", {"label": "who"}, RULES)
    (pair,) = read_pairs(tmp_path / "pairs.csv")
    assert (pair["left_id"], pair["right_id"], pair["band"]) == ("1", "9", "auto")
    assert [finding["message"].split(";")[0] for finding in done["findings"] if finding["rule"] == "column_taken"] == [
        "Song Name is read as title", "Artist_Name is read as artist", "LENGTH is read as duration", "number is read as track_number",
        "Track-ID is read as id", "performer is read as artist",
    ]  # fmt: skip


def test_a_name_that_no_table_has_is_refused_and_one_that_one_of_two_has_is_not(tmp_path: Path) -> None:
    left, right = [{"id": "1", "werk": "River Stone"}], [{"id": "2", "title": "River Stone"}]
    files = write(tmp_path / "l.csv", left), write(tmp_path / "r.csv", right)
    assert match_tables(*files, tmp_path / "pairs.csv", {"title": "werk"}, RULES)["pairs"] == 1
    with pytest.raises(Misuse, match=r"No table has a column wrek\. l\.csv has id, werk; r\.csv has id, title\."):
        match_tables(*files, tmp_path / "pairs.csv", {"title": "wrek"}, RULES)


def test_a_table_that_names_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        Misuse, match="says neither title, artist, album, ISRC nor UPC of its records: name its columns with --map"
    ):
        match_tables(write(tmp_path / "t.csv", [{"id": "1", "werk": "River Stone"}]), None, tmp_path / "pairs.csv", {}, RULES)


def test_a_table_without_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="--map COLUMN=id"):
        match_tables(write(tmp_path / "t.csv", [{"title": "River"}]), None, tmp_path / "pairs.csv", {}, RULES)


def _scored(
    rows: list[dict[str, Any]], true: set[frozenset[str]], folder: Path, right: list[dict[str, Any]] | None = None
) -> tuple[float, float]:
    """Precision and recall of what is claimed."""
    other = write(folder / "right.csv", right) if right else None
    match_tables(write(folder / "left.csv", rows), other, folder / "pairs.csv", {}, RULES)
    pairs = read_pairs(folder / "pairs.csv")
    claimed = {frozenset((p["left_id"], p["right_id"])) for p in pairs if float(p["confidence"]) >= 0.5}
    hits = len(claimed & true)
    return hits / max(1, len(claimed)), hits / len(true)


def _dirty(song: dict[str, str], kind: str, rng: random.Random) -> dict[str, str]:
    title, artist = song["title"], song["artist"]
    return {
        "upper": lambda: {**song, "title": title.upper(), "artist": artist.upper()},
        "swapped": lambda: {**song, "title": artist, "artist": title},
        "truncated": lambda: {**song, "title": title[: max(5, len(title) * 2 // 3)]},
        "no_artist": lambda: {**song, "artist": ""},
        "no_duration": lambda: {**song, "duration": ""},
        "typos": lambda: {**song, "title": typo(title, rng), "artist": typo(artist, rng)},
        "title_alone": lambda: {"title": title, "artist": artist, "album": "", "duration": ""},
    }[kind]()


@pytest.mark.parametrize("kind", ["upper", "swapped", "truncated", "no_artist", "no_duration", "typos", "title_alone"])
@pytest.mark.parametrize("sides", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_dirt_of_every_kind_leaves_most_pairs_to_be_found(
    label: list[dict[str, str]], kind: str, sides: int, tmp_path: Path
) -> None:
    """G3: tables with other dirt than the one the model was made on, with the shipped defaults."""
    rng = random.Random(5)
    ours = [{"id": f"a{n}", **({"source": "one"} if sides == 1 else {}), **song} for n, song in enumerate(label)]
    theirs = [
        {"id": f"b{n}", **({"source": "two"} if sides == 1 else {}), **_dirty(song, kind, rng)}
        for n, song in enumerate(label[:200])
    ]
    true = {frozenset((f"a{n}", f"b{n}")) for n in range(200)}
    precision, recall = _scored(ours + theirs, true, tmp_path) if sides == 1 else _scored(ours, true, tmp_path, theirs)
    assert precision >= 0.97, (precision, recall)
    assert recall >= 0.9, (precision, recall)


def _told_by_a_store(song: dict[str, str], rng: random.Random, guest: str) -> dict[str, str]:
    """As download stores write: tags and editions in brackets, a guest in the title or beside the artist, lengths as a clock that is a second off."""
    seconds = int(song["duration"]) + rng.randint(-1, 1)
    title = song["title"] + rng.choice(["", " [Explicit]", " (Album Version)", " [Clean]"])
    with_guest = rng.choice(
        [(f"{title} (feat. {guest})", song["artist"]), (title, f"{song['artist']} featuring {guest}"), (title, song["artist"])]
    )
    album = song["album"] + rng.choice(["", " (Deluxe Version)", " - EP", " (Expanded Edition)"])
    return {"title": with_guest[0], "artist": with_guest[1], "album": album, "duration": f"{seconds // 60}:{seconds % 60:02}"}  # fmt: skip


@pytest.mark.parametrize("merged", [False, True])
def test_what_stores_add_is_no_difference_and_another_version_is_one(
    label: list[dict[str, str]], merged: bool, tmp_path: Path
) -> None:
    """G3: of 200 songs every fourth has a live recording too, on one side alone; with `merged` one store writes everything into its title."""
    rng = random.Random(9)
    ours = [{"id": f"a{n}", **_told_by_a_store(song, rng, "Timo Vale")} for n, song in enumerate(label[:200])]
    live = [{**song, "title": f"{song['title']} (Live)", "duration": str(int(song["duration"]) + 20)} for song in label[:200:4]]
    told = [(f"b{n}", song) for n, song in enumerate(label)] + [(f"live{n}", song) for n, song in enumerate(live)]
    theirs = [{"id": id_, **_told_by_a_store(song, rng, "Timo Vale")} for id_, song in told]
    if merged:
        theirs = [{"id": r["id"], "title": f"{r['title']} by {r['artist']} ({r['album']}) {r['duration']}"} for r in theirs]
    precision, recall = _scored(ours, {frozenset((f"a{n}", f"b{n}")) for n in range(200)}, tmp_path, theirs)
    assert precision >= 0.99, (precision, recall)
    assert recall >= 0.98, (precision, recall)


def test_one_source_that_has_two_versions_of_one_length_has_two_recordings(tmp_path: Path) -> None:
    """Between sources a word may have been left out; inside one nobody sells the same recording twice under two names."""
    song = {"title": "River Stone", "artist": "Ana Okoye", "album": "Cobalt", "duration": "201"}
    rows = [
        {"id": "1", "source": "a", **song},
        {"id": "2", "source": "a", **song, "title": "River Stone (Radio Edit)"},
        {"id": "3", "source": "b", **song},
    ]
    match_tables(write(tmp_path / "t.csv", rows), None, tmp_path / "pairs.csv", {}, RULES)
    bands = {frozenset((p["left_id"], p["right_id"])): p["band"] for p in read_pairs(tmp_path / "pairs.csv")}
    assert bands[frozenset("13")] == "auto"
    assert bands.get(frozenset("12"), "reject") == "reject"


def test_an_isrc_that_is_wrong_now_and_then_is_not_trusted_blindly(label: list[dict[str, str]], tmp_path: Path) -> None:
    """Of 200 recordings 20 have the ISRC of another one: what they say of themselves decides."""
    isrcs = [f"QZABC26{n:05}" for n in range(300)]
    ours = [{"id": f"a{n}", "isrc": isrcs[n], **song} for n, song in enumerate(label)]
    theirs = [{"id": f"b{n}", **song, "isrc": isrcs[n if n % 10 else n + 1]} for n, song in enumerate(label[:200])]
    true = {frozenset((f"a{n}", f"b{n}")) for n in range(200)}
    precision, recall = _scored(ours, true, tmp_path, theirs)
    assert precision >= 0.97, (precision, recall)
    assert recall >= 0.97, (precision, recall)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("semicolons.csv", b"id;title;artist\n1;River Stone;Anna\n2;River Stone;Anna\n"),
        ("tabs.tsv", b"id\ttitle\tartist\n1\tRiver Stone\tAnna\n2\tRiver Stone\tAnna\n"),
        ("bom.csv", "\ufeffid,title,artist\n1,River Stone,Anna\n2,River Stone,Anna\n".encode()),
        ("utf16.csv", "id,title,artist\n1,River Stone,Anna\n2,River Stone,Anna\n".encode("utf-16")),
        ("latin1.csv", "id,title,artist\n1,River Stone,S\xf8ren\n2,River Stone,S\xf8ren\n".encode("latin-1")),
        ("quoted.csv", b'ID,Title,ARTIST\n1,"River\nStone","A ""B"""\n2,"River\nStone","A ""B"""\n'),
        ("ragged.csv", b"id,title,artist\n1,River Stone\n2,River Stone,,more\n\n"),
    ],
)
def test_a_table_is_read_as_it_is_written(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    done = match_tables(tmp_path / name, None, tmp_path / "pairs.csv", {}, RULES)
    assert done["left"] == 2
    assert [(p["left_id"], p["right_id"]) for p in read_pairs(tmp_path / "pairs.csv")] == [("1", "2")]


def test_numbers_of_a_parquet_table_are_read_as_text_would_be(tmp_path: Path) -> None:
    columns = {
        "id": [1, 2],
        "title": ["River Stone"] * 2,
        "artist": ["Anna"] * 2,
        "duration": [225.0, None],
        "year": [2020.0, 2020.0],
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    done = match_tables(tmp_path / "t.parquet", None, tmp_path / "pairs.csv", {}, RULES)
    assert (done["left"], done["pairs"]) == (2, 1)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "is empty"), ("t.xlsx", b"PK", "give a .csv, .tsv or .parquet file"),
        ("t.parquet", b"nothing", "cannot be read as Parquet"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Misuse, match=said):
        match_tables(tmp_path / name, None, tmp_path / "pairs.csv", {}, RULES)


def test_a_table_of_one_row_or_none_has_no_pairs(tmp_path: Path) -> None:
    for rows in ("", "1,River\n"):
        (tmp_path / "t.csv").write_text(f"id,title\n{rows}", encoding="utf-8")
        assert match_tables(tmp_path / "t.csv", None, tmp_path / "pairs.csv", {}, RULES)["pairs"] == 0
        assert (tmp_path / "pairs.csv").read_text(encoding="utf-8").startswith('"left_id"')


def test_no_jvm_is_started(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", [{"id": "1", "title": "River"}])
    program = f"""
import sys; from pathlib import Path
from lakehouse.model.linkage.rules import load_linkage; from lakehouse.settings import conf_dir; from lakehouse.runs.match import match_tables
match_tables(Path({str(table)!r}), None, Path({str(tmp_path / "pairs.csv")!r}), {{}}, load_linkage(conf_dir() / "linkage.yaml"))
print("pyspark" in sys.modules)"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_a_fitted_model_is_read_back_and_weighs_as_it_did(label: list[dict[str, str]], tmp_path: Path) -> None:
    table, model = write(tmp_path / "all.csv", two_sources(label)), tmp_path / "model.yaml"
    fitted = fit_tables(table, None, model, {}, RULES)
    again = fit_tables(table, None, tmp_path / "again.yaml", {}, RULES)
    assert (tmp_path / "again.yaml").read_bytes() == model.read_bytes()
    assert fitted["model"] == again["model"] == read_model(model).sha256
    # re-estimated on the same table, the shipped model becomes the fitted one: the pairs are the same
    done = match_tables(table, None, tmp_path / "one.csv", {}, RULES)
    same = match_tables(table, None, tmp_path / "two.csv", {}, RULES, read_model(model))
    assert done["model"] == same["model"] == fitted["model"]
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("match_rate: 0.1", "match_rate: 0.2"), "was changed: it says"), (("match_rate: 0.1", "match_rate: 7"), "model of linking: match_rate"),
        (("    title:", "    titel:"), "field `title` needs a share for each of its levels"), (("model:", "modell:"), "is not a model of linking"),
    ],
)  # fmt: skip
def test_a_model_that_is_none_or_was_changed_is_refused(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    write_model(RULES.model, file, "the shipped one")
    assert read_model(file) == RULES.model
    file.write_text(file.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(Misuse, match=said):
        read_model(file)
