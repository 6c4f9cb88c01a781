"""Loading the catalog: the fixture is the document itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import Misuse
from lakehouse.sources.catalog import CatalogLoad, derived_id, merge_catalog, read_catalog
from lakehouse.tables import silver

CSV = """\
recording_id,isrc,title,artist,album,label,upc,duration,year,proprietary_ids
,qz-dm1-26-00001,Harbor Lights,Luna Vale,Night Ferry,North Pier,036000291452,3:20,2026,sp:1 | sp:2
R-7,,Été indien,Ana Müller,,,,200,,
,,No Codes,Kiri Stone,,,,PT1H2M3S,,
"""

ERN_43 = """\
<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/43">
  <PartyList>
    <Party><PartyReference>P1</PartyReference><PartyName><FullName>Luna Vale</FullName></PartyName></Party>
    <Party><PartyReference>P2</PartyReference><PartyName><FullName>North Pier</FullName></PartyName></Party>
  </PartyList>
  <ResourceList>
    <SoundRecording>
      <ResourceReference>A1</ResourceReference>
      <SoundRecordingEdition>
        <ResourceId><ISRC>QZDM12600001</ISRC></ResourceId><PLine><Year>2026</Year><PLineText>(P) 2026</PLineText></PLine>
      </SoundRecordingEdition>
      <DisplayTitleText>Harbor Lights</DisplayTitleText>
      <DisplayArtist><ArtistPartyReference>P1</ArtistPartyReference></DisplayArtist>
      <Duration>PT3M20S</Duration>
    </SoundRecording>
    <SoundRecording>
      <ResourceReference>A2</ResourceReference>
      <ResourceId><ISRC>QZDM12600002</ISRC></ResourceId>
      <DisplayTitleText>Night Ferry</DisplayTitleText>
    </SoundRecording>
  </ResourceList>
  <ReleaseList>
    <Release>
      <ReleaseType>Album</ReleaseType>
      <ReleaseId><ICPN>00036000291452</ICPN></ReleaseId>
      <DisplayTitleText>Night Ferry</DisplayTitleText>
      <DisplayArtistName>Luna Vale</DisplayArtistName>
      <ReleaseLabelReference>P2</ReleaseLabelReference>
      <ResourceGroup>
        <ResourceGroupContentItem><ReleaseResourceReference>A2</ReleaseResourceReference></ResourceGroupContentItem>
        <ResourceGroupContentItem><ReleaseResourceReference>A1</ReleaseResourceReference></ResourceGroupContentItem>
      </ResourceGroup>
    </Release>
    <TrackRelease><ReleaseResourceReference>A1</ReleaseResourceReference></TrackRelease>
  </ReleaseList>
</ern:NewReleaseMessage>
"""

ERN_38 = """\
<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/382">
  <ResourceList>
    <SoundRecording>
      <SoundRecordingId><ISRC>QZDM12600001</ISRC></SoundRecordingId>
      <IndirectSoundRecordingId><ISWC>T-034.524.680-1</ISWC></IndirectSoundRecordingId>
      <ResourceReference>A1</ResourceReference>
      <ReferenceTitle><TitleText>Harbor Lights</TitleText></ReferenceTitle>
      <Duration>PT3M20S</Duration>
      <SoundRecordingDetailsByTerritory>
        <DisplayArtist><PartyName><FullName>Luna Vale</FullName></PartyName></DisplayArtist>
        <PLine><Year>2026</Year></PLine>
      </SoundRecordingDetailsByTerritory>
    </SoundRecording>
  </ResourceList>
  <ReleaseList>
    <Release IsMainRelease="true">
      <ReleaseId><ICPN>00036000291452</ICPN></ReleaseId>
      <ReferenceTitle><TitleText>Night Ferry</TitleText></ReferenceTitle>
      <ReleaseResourceReferenceList><ReleaseResourceReference>A1</ReleaseResourceReference></ReleaseResourceReferenceList>
      <ReleaseType>Album</ReleaseType>
      <ReleaseDetailsByTerritory><LabelName>North Pier</LabelName></ReleaseDetailsByTerritory>
    </Release>
    <Release>
      <ReleaseResourceReferenceList><ReleaseResourceReference>A1</ReleaseResourceReference></ReleaseResourceReferenceList>
      <ReleaseType>TrackRelease</ReleaseType>
    </Release>
  </ReleaseList>
</ern:NewReleaseMessage>
"""


def load(folder: Path, text: str, name: str = "catalog.csv") -> CatalogLoad:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return read_catalog([file])


def given_of(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "")}


def test_a_csv_becomes_rows_of_the_catalog(tmp_path: Path) -> None:
    loaded = load(tmp_path, CSV)
    assert [given_of(row) for row in loaded.recordings] == [
        {
            "recording_id": "QZDM12600001", "isrc": "QZDM12600001", "title": "Harbor Lights", "artist": "Luna Vale",
            "album": "Night Ferry",
            "label": "North Pier", "upc": "00036000291452", "duration": 200, "year": 2026, "proprietary_ids": ["sp:1", "sp:2"],
        },
        {"recording_id": "R-7", "title": "Été indien", "artist": "Ana Müller", "duration": 200},
        {"recording_id": derived_id("No Codes", "Kiri Stone"), "title": "No Codes", "artist": "Kiri Stone", "duration": 3723},
    ]  # fmt: skip
    assert loaded.findings == []
    assert loaded.releases == 1
    assert {tuple(row) for row in loaded.recordings} == {silver.catalog.columns}


def test_parquet_with_the_same_columns_gives_the_same_rows(tmp_path: Path) -> None:
    columns = {
        "isrc": ["QZDM12600001"], "title": ["Harbor Lights"], "artist": ["Luna Vale"], "upc": ["36000291452"], "duration": [200],
        "proprietary_ids": [["sp:1", "sp:2"]],
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "catalog.parquet")
    [row] = read_catalog([tmp_path / "catalog.parquet"]).recordings
    assert (row["isrc"], row["upc"], row["duration"], row["proprietary_ids"]) == (
        "QZDM12600001",
        "00036000291452",
        200,
        ["sp:1", "sp:2"],
    )


@pytest.mark.parametrize(("message", "tracks"), [(ERN_43, {"QZDM12600001": 2, "QZDM12600002": 1}), (ERN_38, {"QZDM12600001": 1})])
def test_an_ern_message_gives_its_recordings_on_their_release(tmp_path: Path, message: str, tracks: dict[str, int]) -> None:
    rows = {row["isrc"]: row for row in load(tmp_path, message, "ern.xml").recordings}
    assert {isrc: row["track_number"] for isrc, row in rows.items()} == tracks
    row = rows["QZDM12600001"]
    seen = [row[name] for name in ("title", "artist", "album", "upc", "label", "year", "duration", "release_type")]
    assert seen == ["Harbor Lights", "Luna Vale", "Night Ferry", "00036000291452", "North Pier", 2026, 200, "Album"]


def test_a_recording_without_artist_takes_that_of_its_release(tmp_path: Path) -> None:
    rows = load(tmp_path, ERN_43, "ern.xml").recordings
    assert {row["artist"] for row in rows} == {"Luna Vale"}


def test_an_external_entity_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hidden", encoding="utf-8")
    entity = f'<!DOCTYPE x [<!ENTITY leak SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    loaded = load(tmp_path, entity + ERN_43.replace(">Harbor Lights<", ">&leak;<"), "ern.xml")
    assert "hidden" not in str(loaded.recordings)
    assert [finding["rule"] for finding in loaded.findings if finding["severity"] == "error"] == ["missing_title"]


@pytest.mark.parametrize(
    ("row", "rule", "kept"),
    [
        ("NOTANISRC,Song,Ana,,", "isrc", True),
        (",Song,Ana,036000291453,", "upc_check_digit", True),
        (",Song,Ana,12A,", "upc", True),
        (",Song,Ana,,soon", "year", True),
        (",,Ana,,", "missing_title", False),
        (",Song,,,", "missing_artist", False),
    ],
)
def test_what_is_odd_is_reported_with_its_line(tmp_path: Path, row: str, rule: str, kept: bool) -> None:
    loaded = load(tmp_path, f"isrc,title,artist,upc,year\n,Fine,Ana,,\n{row}\n")
    [finding] = loaded.findings
    assert (finding["rule"], finding["line"], finding["severity"]) == (rule, 3, "warn" if kept else "error")
    assert finding["file"].endswith("catalog.csv")
    assert len(loaded.recordings) == 1 + kept


def test_one_isrc_with_two_titles_is_reported_with_both_places(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, "isrc,title,artist\nQZDM12600001,Harbor Lights,Ana\nQZDM12600001,HARBOR lights,Ana\nQZDM12600001,Kite,Ana\n"
    )
    [finding] = loaded.findings
    assert (finding["rule"], finding["line"]) == ("isrc_titles", 4)
    assert "catalog.csv:2" in finding["message"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.csv", "isrc,title,artist,bpm\n", "bpm"),
        ("c.csv", "isrc,title\n", "artist"),
        ("c.csv", "title,artist\na,b,c\n", "c.csv:2"),
        ("c.xml", "<a><b></a>", "not well-formed"),
        ("c.xml", "<Catalog/>", "Catalog"),
        ("c.docx", "", "a catalog is a .csv"),
    ],
)
def test_a_file_that_is_no_catalog_is_refused_by_name(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(Misuse, match=said):
        load(tmp_path, text, name)


def row(recording_id: str, upc: str, title: str) -> dict[str, Any]:
    return {**dict.fromkeys(silver.catalog.columns), "recording_id": recording_id, "upc": upc, "title": title, "artist": "Ana"}


ROWS = st.lists(st.builds(row, st.sampled_from("ABC"), st.sampled_from(["", "1"]), st.sampled_from(["x", "y"])), max_size=8)


@given(existing=ROWS, loaded=ROWS)
def test_loading_again_changes_nothing_and_loses_nothing(existing: list[dict[str, Any]], loaded: list[dict[str, Any]]) -> None:
    first, _ = merge_catalog(existing, loaded)
    assert merge_catalog(first, loaded) == (first, 0)
    keys = [(r["recording_id"], r["upc"]) for r in first]
    assert keys == sorted({(r["recording_id"], r["upc"]) for r in [*existing, *loaded]})


def test_a_merge_counts_what_is_new_or_other() -> None:
    rows, changed = merge_catalog(
        [row("A", "", "x"), row("B", "", "x")], [row("B", "", "y"), row("A", "", "x"), row("C", "", "x")]
    )
    assert changed == 2
    assert [(r["recording_id"], r["title"]) for r in rows] == [("A", "x"), ("B", "y"), ("C", "x")]
