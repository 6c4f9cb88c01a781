"""One month's dumps, with the dirt of real ones: written line by line, each line told to the truth as it is written."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

from lakehouse.demo.dsr import DSR, RATE, dsr_lines
from lakehouse.demo.label import Credit, Recording, credits_of, stranger
from lakehouse.demo.reports import (
    BANDCAMP,
    CDBABY,
    DISTROKID_13,
    LAYOUTS,
    TERRITORIES,
    UNIT,
    Layout,
    Sale,
    bandcamp_net,
    bandcamp_payout,
)
from lakehouse.demo.truth import Truth

# How often a line of a dirty format is something else than a clean credit.
_DIRT = {"nameless": 0.03, "misspelt": 0.02, "drift": 0.002, "stranger": 0.01}
_RETURNS = 0.02
_SHOWN = ("nameless", "misspelt", "drift")
_STRANGERS = 40
# Small formats stay small: their files are held in memory.
_MOST_RESTATED, _MOST_DSR = 5_000, 20_000

# Broken cells: the format, the column, what stands there, and whether the line's money can still be read.
_BROKEN: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "distrokid_13": (
        ("Earnings (USD)", "12,3.4", False), ("ISRC", "QZNP1260001", True), ("Sale Month", "", True), ("Quantity", "many", True),
    ),
    "tunecore": (("Total Earned", "n.a.", False), ("Optional ISRC", "QZ-NP1-26-1", True), ("Sales Period", "", True)),
    "believe": (("Net Revenue", "1.250", False), ("Country / Region", "Atlantis", True)),
    "apple_music_s1": (("Storefront Name", "Atlantis", True),),
    "youtube_asset_raw": (("Day", "20261345", True), ("Partner Revenue", "0.1.2", False)),
}  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """What sells, most popular first, with the weights of a Zipf distribution summed up."""

    credits: tuple[dict[str, Credit], ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, recordings: Sequence[Recording], random: Random) -> Catalogue:
        order = random.sample(recordings, len(recordings))
        return cls(tuple(map(credits_of, order)), tuple(accumulate(1 / rank for rank in range(1, len(order) + 1))))


def write_month(folder: Path, period: str, lines: int, catalogue: Catalogue, seed: str) -> Truth:
    """Writes the dumps of one period, about `lines` usage lines, and returns what is true of them."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = Truth()
    shares = sum(layout.share for layout in (*LAYOUTS, DSR))
    for layout in LAYOUTS:
        count = max(20, round(lines * layout.share / shares))
        random = Random(f"{seed}/{period}/{layout.source}")
        if layout is CDBABY:
            _write_restated(folder, period, min(count, _MOST_RESTATED), catalogue, random, truth)
        else:
            _write(
                folder / layout.file.format(period=period),
                layout,
                period,
                _sales(layout, period, count, catalogue, random),
                truth,
                random,
            )
    _write_dsr(folder, period, min(max(20, round(lines * DSR.share / shares)), _MOST_DSR), catalogue, seed, truth)
    _write_copy(folder, period, truth)
    _write_stray(folder, period, truth)
    return truth


def _sales(layout: Layout, period: str, count: int, catalogue: Catalogue, random: Random) -> Iterator[Sale]:
    month = _earlier(period, layout.lag)
    # However small the file: it opens with one of each oddity, and its last line is a return.
    fitting = [next(c for c in catalogue.credits if kind in c and (kind != "nameless" or _twin(c)))[kind] for kind in _SHOWN]
    oddities = [*fitting, stranger(0)]
    for nth, credits in enumerate(random.choices(catalogue.credits, cum_weights=catalogue.weights, k=count), start=1):
        units = random.randint(1, 900)
        # Bandcamp prints whole cents, which its fee and share divide without rest.
        amount = random.randint(10, 300) * UNIT // 10 if layout is BANDCAMP else units * random.randint(9_000_000, 70_000_000)
        if layout.currency == "JPY":
            amount *= 100
        if layout.returns and (nth == count or random.random() < _RETURNS):
            units, amount = -units, -amount
        territory = "JP" if layout.currency == "JPY" else random.choice(TERRITORIES)
        credit = oddities[nth - 1] if layout.dirt and nth <= len(oddities) else _credit(credits, layout.dirt, random)
        yield Sale(credit, month, territory, random.choice(layout.channels), units, amount)


def _credit(credits: dict[str, Credit], dirt: bool, random: Random) -> Credit:
    if dirt:
        dice = random.random()
        for kind, chance in _DIRT.items():
            dice -= chance
            if dice < 0:
                return stranger(random.randrange(_STRANGERS)) if kind == "stranger" else credits.get(kind, credits["clean"])
    return credits["clean"]


def _twin(credits: dict[str, Credit]) -> bool:
    return credits["nameless"].outcome == "ambiguous"


def _write(
    file: Path, layout: Layout, period: str, sales: Iterator[Sale], truth: Truth, random: Random, counts: bool = True
) -> None:
    rows, total = 0, 0
    truth.files["landed"] += 1
    with file.open("w", encoding=layout.encoding, newline="") as out:

        def put(*lines: str) -> None:
            out.writelines(line + layout.eol for line in lines)

        opening = [*layout.preamble(period), _joined(layout, layout.header)]
        put(*opening)
        for sale in sales:
            cells = layout.row(sale, period)
            net = bandcamp_net(sale.amount) if layout is BANDCAMP else sale.amount
            put(_joined(layout, cells))
            truth.accept(layout, sale._replace(amount=net), counts)
            rows, total = rows + 1, total + net
            if rows % 1500 == 10:
                rows += _put_broken(put, layout, cells, sale, truth)
        if layout is BANDCAMP:
            put(_joined(layout, bandcamp_payout(period)))
            truth.ignore()
        closing = layout.footer(rows, total)
        put(*closing)
        truth.ignore(len(opening) + len(closing))


def _put_broken(put, layout: Layout, cells: list[str], sale: Sale, truth: Truth) -> int:  # type: ignore[no-untyped-def]
    """The same line again for each way in which this format is found broken. Returns how many."""
    broken = _BROKEN.get(layout.source, ())
    for column, text, readable in broken:
        damaged = list(cells)
        damaged[layout.header.index(column)] = text
        put(_joined(layout, damaged))
        truth.quarantine(layout, sale.amount if readable else None)
    if layout is not DISTROKID_13:
        return len(broken)
    # A line cut off in the middle: nothing in it can be trusted.
    put(_joined(layout, cells[:-4]))
    truth.quarantine(layout, None)
    return len(broken) + 1


def _write_restated(folder: Path, period: str, count: int, catalogue: Catalogue, random: Random, truth: Truth) -> None:
    """A report, and its second version with more lines and some other amounts. Only the second is paid."""
    sales = list(_sales(CDBABY, period, count, catalogue, random))
    first = [
        sale._replace(amount=sale.amount + UNIT // 100) if nth % 10 == 0 else sale
        for nth, sale in enumerate(sales[: count * 4 // 5])
    ]
    file = folder / CDBABY.file.format(period=period)
    _write(file, CDBABY, period, iter(first), truth, random, counts=False)
    _write(file.with_stem(file.stem + "_v2"), CDBABY, period, iter(sales), truth, random)


def _write_dsr(folder: Path, period: str, count: int, catalogue: Catalogue, seed: str, truth: Truth) -> None:
    random = Random(f"{seed}/{period}/dsr")
    sales = [sale._replace(amount=sale.units * RATE) for sale in _sales(DSR, period, count, catalogue, random)]
    lines = list(dsr_lines(period, sales))
    (folder / DSR.file.format(period=period)).write_text("".join(line + DSR.eol for line in lines), encoding="utf-8", newline="")
    truth.files["landed"] += 1
    truth.ignore(len(lines) - len(sales))
    for sale in sales:
        truth.accept(DSR, sale)


def _write_copy(folder: Path, period: str, truth: Truth) -> None:
    """One report once more, packed and under another name."""
    original = folder / DISTROKID_13.file.format(period=period)
    with (
        original.open("rb") as data,
        (folder / f"bank-details-{period}.tsv.gz").open("wb") as packed,
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as out,
    ):
        shutil.copyfileobj(data, out)
    truth.files["duplicate"] += 1


def _write_stray(folder: Path, period: str, truth: Truth) -> None:
    """What also lies in such folders and is no report."""
    (folder / f"expenses_{period}.csv").write_text(
        "Invoice,Supplier,Amount\n17,Mastering Studio,450.00\n", encoding="utf-8", newline=""
    )
    truth.files["rejected"] += 1


def _joined(layout: Layout, cells: Sequence[str]) -> str:
    if layout.quoted:
        return layout.delimiter.join(f'"{cell}"' for cell in cells)
    return layout.delimiter.join(cells)


def _earlier(period: str, months: int) -> str:
    year, month = map(int, period.split("-"))
    year, place = divmod(year * 12 + month - 1 - months, 12)
    return f"{year:04d}-{place + 1:02d}"
