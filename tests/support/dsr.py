"""DSR flat files for tests, written by column name from the layouts themselves."""

from __future__ import annotations

from lakehouse.settings import conf_dir
from lakehouse.sources.dsr_layouts import Layouts, load_layouts

PROFILES = (
    "AudioVisualProfile", "BasicAudioProfile", "FinancialReportingToRecordCompaniesProfileSRB", "MasterListProfile",
    "RadioBroadcastProfile", "RoyaltyReportingProfile", "UgcProfile",
)  # fmt: skip
HEAD = {
    "MessageVersion": "dsrf/30", "MessageId": "MSG1", "MessageCreatedDateTime": "2026-06-10T08:00:00Z", "FileNumber": "1", "NumberOfFiles": "1",
    "UsageStartDate": "2026-05-01", "UsageEndDate": "2026-05-31", "SenderPartyId": "PADPIDA2011021601H", "SenderName": "Northstream",
    "ServiceDescription": "Premium", "RecipientPartyId": "PADPIDA2024010101K", "RecipientName": "Kitetail",
}  # fmt: skip


def layouts(*profiles: str) -> Layouts:
    return load_layouts(conf_dir() / "dsr" / "records.yaml", profiles or PROFILES)


_ALL = layouts()


def row(kind: str, **cells: str) -> str:
    """A record with the cells in their columns; trailing empty cells are left out, as senders do."""
    columns = [column.name for column in _ALL.records[kind]]
    assert set(cells) <= set(columns), f"{kind} has no {set(cells) - set(columns)}"
    return "\t".join([kind, *(cells.get(name, "") for name in columns[1:])]).rstrip("\t")


def block_file(profile: str, version: str, *rows: str, comments: int = 1) -> str:
    """A whole file of records in blocks, with a footer that tells the truth."""
    lines = [row("HEAD", Profile=profile, ProfileVersion=version, **HEAD), *["#HEAD\tMessageVersion"] * comments, *rows]
    count = str(len(lines) + 1)
    blocks = str(len({line.split("\t")[1] for line in rows if not line.startswith(("SY", "#"))}))
    summaries = str(sum(line.startswith("SY") for line in rows))
    foot = row(
        "FOOT", NumberOfLinesInFile=count, NumberOfLinesInReport=count, NumberOfSummaryRecords=summaries, NumberOfBlocksInFile=blocks,
        NumberOfBlocksInReport=blocks,
    )  # fmt: skip
    return "\n".join([*lines, foot]) + "\n"


def single_file(profile: str, version: str, *rows: str) -> str:
    """A whole file of single records, with a footer that tells the truth."""
    lines = [row("SRHE", Profile=profile, ProfileVersion=version, **HEAD), *rows]
    summaries = str(sum(line.startswith("SY") for line in rows))
    return "\n".join([*lines, row("SRFO", NumberOfLinesInReport=str(len(lines) + 1), NumberOfSummaryRecords=summaries)]) + "\n"
