"""A DDEX DSR flat file: usages in blocks by release, money once for each territory's summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lakehouse.demo.label import Recording
from lakehouse.demo.reports import IDENTITY, Layout, Sale, last_day, text

# Revenue for one stream in ten-billionths of a euro: a summary's revenue is this times its usages, so that every
# line's share of it is exact.
RATE = 41_250_000

DSR = Layout(
    "dsr_basic_audio",
    "DSR_PADPIDA2024010101K_Northstream_Premium_{period}.tsv",
    "EUR",
    "",
    lambda sale, period: [],
    IDENTITY,
    eol="\n",
)


def dsr_lines(period: str, sales: Sequence[Sale]) -> Iterator[str]:
    """The file's lines. Sales must carry a recording, and amounts of RATE for each unit."""
    usages: dict[str, int] = defaultdict(int)
    blocks: dict[Recording, list[Sale]] = defaultdict(list)
    for sale in sales:
        usages[sale.territory] += sale.units
        assert sale.credit.recording is not None
        blocks[sale.credit.recording].append(sale)
    summaries = {territory: f"S{nth}" for nth, territory in enumerate(sorted(usages), start=1)}
    lines = [
        "\t".join(
            [
                "HEAD",
                "dsrf/30",
                "BasicAudioProfile",
                "1.2",
                f"NP-{period}",
                f"{last_day(period)}T08:00:00Z",
                "1",
                "1",
                f"{period}-01",
                last_day(period),
                "PADPIDA2011021601H",
                "Northstream",
                "Premium",
                "PADPIDA2024010101K",
                "North Pier Records",
            ]
        ),
        *(
            "\t".join(
                [
                    "SY01.01",
                    summaries[territory],
                    "",
                    "",
                    "SubscriptionModel",
                    "Stream",
                    territory,
                    "Premium",
                    str(count),
                    "",
                    "EUR",
                    text(count * RATE),
                ]
            )
            for territory, count in sorted(usages.items())
        ),
    ]
    transaction = 0
    for nth, (recording, group) in enumerate(blocks.items(), start=1):
        r, ref = recording, group[0].credit.ref
        lines.append(f"RE01\tB{nth}\tR1\tnorth:rel:{r.upc}\t\t\t{r.upc}\t{r.artist}\t\t{r.album}\t\tAlbum\t{r.label}")
        lines.append(f"AS01.01\tB{nth}\tA1\t{ref}\t{r.isrc}\t{r.title}\t\t{r.artist}\t\tPT3M20S\tSoundRecording")
        for sale in group:
            transaction += 1
            lines.append(f"SU02\tB{nth}\t{summaries[sale.territory]}\tT{transaction}\t\tA1\ttrue\t{sale.units}")
    yield from lines
    yield f"FOOT\t{len(lines) + 1}\t\t{len(summaries)}\t{len(blocks)}"
