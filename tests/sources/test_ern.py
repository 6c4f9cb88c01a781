"""DDEX ERN messages: releases, recordings, who did what, where they may be used, and what is deficient, by XPath."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from lakehouse.errors import Misuse
from lakehouse.runs.admin import init_lake, load_catalog
from lakehouse.runs.environment import Environment
from lakehouse.settings import load_settings
from lakehouse.sources.catalog import read_catalog
from lakehouse.sources.ern import Contributor, ErnMessage, Party, read_ern
from lakehouse.sources.ern_rows import ErnRows
from lakehouse.tables import silver

RIGHTS = """
      <ResourceRightsController><RightsControllerPartyReference>P2</RightsControllerPartyReference>
        <RightsControlType>OriginalOwner</RightsControlType><RightSharePercentage>{}</RightSharePercentage></ResourceRightsController>
      <ResourceRightsController><RightsControllerPartyReference>P3</RightsControllerPartyReference>
        <RightsControlType>LocalPayee</RightsControlType><RightSharePercentage>{}</RightSharePercentage></ResourceRightsController>"""

ERN_4 = """\
<?xml version="1.0" encoding="UTF-8"?>
<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/{version}" AvsVersionId="3">
  <PartyList>
    <Party><PartyReference>P1</PartyReference><PartyName><FullName>Luna Vale</FullName></PartyName>
      <PartyId><ISNI>0000000000000001</ISNI></PartyId></Party>
    <Party><PartyReference>P2</PartyReference><PartyName><FullName>North Pier</FullName></PartyName>
      <PartyId>PADPIDA2024010101K</PartyId></Party>
    <Party><PartyReference>P3</PartyReference><PartyName><FullName>Kim Haneul</FullName></PartyName></Party>
  </PartyList>
  <ResourceList>
    <SoundRecording>
      <ResourceReference>A1</ResourceReference>
      {open}<ResourceId><ISRC>QZDM12600001</ISRC></ResourceId><PLine><Year>2026</Year><PLineText>(P) 2026 North Pier</PLineText></PLine>{close}
      <DisplayTitleText>Harbor Lights</DisplayTitleText>
      <DisplayArtistName>Luna Vale</DisplayArtistName>
      <DisplayArtist><ArtistPartyReference>P1</ArtistPartyReference><DisplayArtistRole>MainArtist</DisplayArtistRole></DisplayArtist>
      <Contributor><ContributorPartyReference>P3</ContributorPartyReference><Role>{role}</Role><Role>Mixer</Role></Contributor>
      <Contributor><ContributorPartyReference>P1</ContributorPartyReference><Role UserDefinedValue="Whistler">UserDefined</Role></Contributor>{rights}
      <Duration>PT3M20S</Duration>
    </SoundRecording>
    <SoundRecording>
      <ResourceReference>A2</ResourceReference>
      <DisplayTitleText>Night Ferry</DisplayTitleText>
      <DisplayArtistName>Luna Vale</DisplayArtistName>
    </SoundRecording>
    <Image><ResourceReference>A3</ResourceReference></Image>
  </ResourceList>
  <ReleaseList>
    <Release>
      <ReleaseReference>R0</ReleaseReference>
      <ReleaseType>Album</ReleaseType>
      <ReleaseId><GRid>A10000000000000001</GRid><ICPN>00036000291452</ICPN><CatalogNumber>NP-1</CatalogNumber></ReleaseId>
      <DisplayTitleText>Night Ferry</DisplayTitleText>
      <DisplayArtistName>Luna Vale</DisplayArtistName>
      <ReleaseLabelReference>P2</ReleaseLabelReference>
      <PLine><Year>2026</Year><PLineText>(P) 2026 North Pier</PLineText></PLine>
      <CLine><Year>2025</Year><CLineText>(C) 2025 North Pier</CLineText></CLine>
      <Genre><GenreText>Pop</GenreText><SubGenre>DreamPop</SubGenre></Genre>
      <ReleaseDate>2026-03-06</ReleaseDate>
      <ResourceGroup>
        <ResourceGroup><ResourceGroupContentItem><ReleaseResourceReference>A2</ReleaseResourceReference></ResourceGroupContentItem>
        <ResourceGroupContentItem><ReleaseResourceReference>A1</ReleaseResourceReference></ResourceGroupContentItem></ResourceGroup>
        <ResourceGroupContentItem><ReleaseResourceReference>A3</ReleaseResourceReference></ResourceGroupContentItem>
      </ResourceGroup>
    </Release>
    <TrackRelease><ReleaseReference>R1</ReleaseReference><ReleaseId><ProprietaryId>np:1</ProprietaryId></ReleaseId>
      <ReleaseResourceReference>A1</ReleaseResourceReference></TrackRelease>
  </ReleaseList>
  <DealList>
    <ReleaseDeal>
      <DealReleaseReference>R0</DealReleaseReference><DealReleaseReference>R1</DealReleaseReference>
      <Deal><DealTerms><TerritoryCode>Worldwide</TerritoryCode><ExcludedTerritoryCode>JP</ExcludedTerritoryCode>
        <ValidityPeriod><StartDate>2026-03-06</StartDate></ValidityPeriod>
        <CommercialModelType>SubscriptionModel</CommercialModelType><UseType>OnDemandStream</UseType><UseType>NonInteractiveStream</UseType>
      </DealTerms></Deal>
      <Deal><DealTerms><TerritoryCode>DE</TerritoryCode><TerritoryCode>AT</TerritoryCode>
        <ValidityPeriod><StartDateTime>2026-03-06T00:00:00</StartDateTime><EndDateTime>2027-03-06T00:00:00</EndDateTime></ValidityPeriod>
        <CommercialModelType>PayAsYouGoModel</CommercialModelType><UseType>PermanentDownload</UseType>
        <PriceInformation><WholesalePricePerUnit CurrencyCode="EUR">4.20</WholesalePricePerUnit></PriceInformation>
      </DealTerms></Deal>
    </ReleaseDeal>
  </DealList>
</ern:NewReleaseMessage>
"""

ERN_38 = """\
<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/382">
  <ResourceList>
    <SoundRecording>
      <SoundRecordingId><ISRC>QZDM12600003</ISRC></SoundRecordingId>
      <IndirectSoundRecordingId><ISWC>T0000000010</ISWC></IndirectSoundRecordingId>
      <ResourceReference>A1</ResourceReference>
      <ReferenceTitle><TitleText>Tin Roof</TitleText></ReferenceTitle>
      <Duration>PT2M</Duration>
      <SoundRecordingDetailsByTerritory>
        <TerritoryCode>Worldwide</TerritoryCode>
        <DisplayArtist><PartyName><FullName>Ana Müller</FullName></PartyName><ArtistRole>MainArtist</ArtistRole></DisplayArtist>
        <ResourceContributor><PartyName><FullName>Bo Chen</FullName></PartyName><ResourceContributorRole>Producer</ResourceContributorRole></ResourceContributor>
        <IndirectResourceContributor><PartyName><FullName>Ana Müller</FullName></PartyName>
          <IndirectResourceContributorRole>Composer</IndirectResourceContributorRole></IndirectResourceContributor>
        <RightsController><PartyName><FullName>North Pier</FullName></PartyName><RightsControllerRole>RightsController</RightsControllerRole>
          <RightShareUnknown>true</RightShareUnknown></RightsController>
        <PLine><Year>2024</Year><PLineText>2024 North Pier</PLineText></PLine>
      </SoundRecordingDetailsByTerritory>
    </SoundRecording>
  </ResourceList>
  <ReleaseList>
    <Release>
      <ReleaseId><ICPN>0036000291452</ICPN></ReleaseId>
      <ReleaseReference>R0</ReleaseReference>
      <ReferenceTitle><TitleText>Tin Roof</TitleText></ReferenceTitle>
      <ReleaseResourceReferenceList><ReleaseResourceReference>A1</ReleaseResourceReference></ReleaseResourceReferenceList>
      <ReleaseType>Single</ReleaseType>
      <ReleaseDetailsByTerritory>
        <TerritoryCode>Worldwide</TerritoryCode>
        <DisplayArtistName>Ana Müller</DisplayArtistName>
        <LabelName>North Pier</LabelName>
        <Genre><GenreText>Folk</GenreText></Genre>
        <ReleaseDate>2024-05-01</ReleaseDate>
      </ReleaseDetailsByTerritory>
      <PLine><Year>2024</Year><PLineText>2024 North Pier</PLineText></PLine>
      <CLine><Year>2024</Year><CLineText>2024 North Pier</CLineText></CLine>
    </Release>
    <Release>
      <ReleaseId><ISRC>QZDM12600003</ISRC></ReleaseId>
      <ReleaseReference>R1</ReleaseReference>
      <ReleaseType>TrackRelease</ReleaseType>
    </Release>
  </ReleaseList>
  <DealList>
    <ReleaseDeal><DealReleaseReference>R0</DealReleaseReference>
      <Deal><DealTerms><CommercialModelType>AdvertisementSupportedModel</CommercialModelType><Usage><UseType>OnDemandStream</UseType></Usage>
        <TerritoryCode>DE</TerritoryCode><TakeDown>true</TakeDown></DealTerms></Deal></ReleaseDeal>
  </DealList>
</ern:NewReleaseMessage>
"""

LUNA, PIER, KIM = (
    Party("Luna Vale", ("ISNI:0000000000000001",)),
    Party("North Pier", ("DPID:PADPIDA2024010101K",)),
    Party("Kim Haneul"),
)


def ern_4(version: str = "43", role: str = "Composer", rights: str = "") -> str:
    """In 4.3 identifiers and P line stand in an edition, before that on the recording itself."""
    edition = ("<SoundRecordingEdition>", "</SoundRecordingEdition>") if version == "43" else ("", "")
    return ERN_4.format(version=version, role=role, rights=rights, open=edition[0], close=edition[1])


def message(folder: Path, text: str) -> ErnMessage:
    file = folder / "message.xml"
    file.write_text(text, encoding="utf-8")
    return read_ern(file)


def flags(folder: Path, text: str) -> dict[str, str]:
    """Rule: XPath of the flags that are not about the second recording, which lacks nearly everything."""
    return {flag.rule: flag.xpath for flag in message(folder, text).flags if "SoundRecording[2]" not in flag.xpath}


@pytest.mark.parametrize("version", ["411", "42", "43"])
def test_a_message_of_any_version_4_gives_all_it_says(tmp_path: Path, version: str) -> None:
    found = message(tmp_path, ern_4(version))
    assert found.parties == {"P1": LUNA, "P2": PIER, "P3": KIM}
    assert found.recordings["A1"].contributors == (
        Contributor("artist", LUNA, "MainArtist"),
        Contributor("contributor", KIM, "Composer"),
        Contributor("contributor", KIM, "Mixer"),
        Contributor("contributor", LUNA, "Whistler"),
    )
    cells = found.recordings["A1"].cells
    assert [cells[name] for name in ("isrc", "title", "artist", "duration", "year")] == [
        "QZDM12600001", "Harbor Lights", "Luna Vale", "PT3M20S", "2026",
    ]  # fmt: skip
    [release] = found.releases
    assert release.resources == ("A2", "A1", "A3")
    names = ("grid", "catalog_number", "release_date", "genre", "sub_genre", "p_year", "p_line", "c_year", "c_line")
    assert [release.details[name] for name in names] == [
        "A10000000000000001", "NP-1", "2026-03-06", "Pop", "DreamPop", "2026", "(P) 2026 North Pier", "2025", "(C) 2025 North Pier",
    ]  # fmt: skip
    stream, download = found.deals
    assert (stream.territories, stream.excluded) == (("Worldwide",), ("JP",))
    assert (stream.commercial_models, stream.use_types) == (("SubscriptionModel",), ("OnDemandStream", "NonInteractiveStream"))
    assert (download.territories, download.start, download.end) == (("DE", "AT"), "2026-03-06T00:00:00", "2027-03-06T00:00:00")
    assert (download.price, download.price_currency, download.releases) == ("4.20", "EUR", ("R0", "R1"))
    assert found.release_ids == {"R0": "00036000291452", "R1": "np:1"}


def test_a_message_of_version_3_gives_the_same_from_its_territories(tmp_path: Path) -> None:
    found = message(tmp_path, ERN_38)
    ana = Party("Ana Müller")
    assert found.recordings["A1"].contributors == (
        Contributor("artist", ana, "MainArtist"),
        Contributor("contributor", Party("Bo Chen"), "Producer"),
        Contributor("work", ana, "Composer"),
        Contributor("rights", Party("North Pier"), "RightsController"),
    )
    assert found.recordings["A1"].cells["iswc"] == "T0000000010"
    assert [release.cells["label"] for release in found.releases] == ["North Pier"]
    [deal] = found.deals
    assert (deal.use_types, deal.territories, deal.take_down) == (("OnDemandStream",), ("DE",), True)
    assert found.flags == []


def test_what_a_recording_lacks_is_flagged_where_it_is_missing(tmp_path: Path) -> None:
    """F-07."""
    second = "/NewReleaseMessage/ResourceList/SoundRecording[2]"
    found = [flag for flag in message(tmp_path, ern_4()).flags if flag.xpath.startswith(second)]
    assert [(flag.rule, flag.xpath.removeprefix(second)) for flag in found] == [
        ("missing_isrc", "/ISRC"),
        ("missing_duration", "/Duration"),
        ("missing_p_line", "/PLine"),
    ]
    assert {flag.line for flag in found} == {21}
    assert flags(tmp_path, ern_4()) == {}


def test_a_flagged_place_is_one_that_an_xml_tool_finds(tmp_path: Path) -> None:
    found = message(tmp_path, ern_4(role="Wizard"))
    flag = next(flag for flag in found.flags if flag.rule == "role")
    assert flag.xpath == "/NewReleaseMessage/ResourceList/SoundRecording[1]/Contributor[1]/Role[1]"
    assert flag.message == "'Wizard' is not a role that the standard lists"
    steps = "/".join(
        f"*[local-name()='{step.split('[')[0]}'][{step[step.index('[') + 1 : -1] if '[' in step else 1}]"
        for step in flag.xpath.strip("/").split("/")
    )
    assert etree.parse(str(tmp_path / "message.xml")).xpath(f"/{steps}/text()") == ["Wizard"]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        (("50", "50"), {}),
        (("33.3333", "66.6667"), {}),
        (("50", "49.9"), {"share_sum": "/NewReleaseMessage/ResourceList/SoundRecording[1]/ResourceRightsController[1]"}),
        (
            ("50", "120"),
            {
                "share": "/NewReleaseMessage/ResourceList/SoundRecording[1]/ResourceRightsController[2]/RightSharePercentage",
                "share_sum": "/NewReleaseMessage/ResourceList/SoundRecording[1]/ResourceRightsController[1]",
            },
        ),
        (
            ("half", "50"),
            {"share": "/NewReleaseMessage/ResourceList/SoundRecording[1]/ResourceRightsController[1]/RightSharePercentage"},
        ),
    ],
)
def test_shares_that_are_malformed_or_make_no_whole_are_flagged(
    tmp_path: Path, shares: tuple[str, str], expected: dict[str, str]
) -> None:
    """F-07, D-219."""
    assert flags(tmp_path, ern_4(rights=RIGHTS.format(*shares))) == expected


@pytest.mark.parametrize(
    ("taken", "given", "rule"),
    [
        ("<DealReleaseReference>R0</DealReleaseReference>", "", "missing_deal"),
        ("<ReleaseResourceReference>A2<", "<ReleaseResourceReference>A9<", "reference"),
        ("<ContributorPartyReference>P3<", "<ContributorPartyReference>P9<", "reference"),
        ("<ICPN>00036000291452</ICPN>", "", "missing_upc"),
        ("<ReleaseLabelReference>P2</ReleaseLabelReference>", "", "missing_label"),
        ("<ReleaseDate>2026-03-06</ReleaseDate>", "", "missing_release_date"),
        ("<CLine><Year>2025</Year><CLineText>(C) 2025 North Pier</CLineText></CLine>", "", "missing_c_line"),
    ],
)
def test_what_a_release_lacks_is_flagged(tmp_path: Path, taken: str, given: str, rule: str) -> None:
    assert taken in ern_4()
    assert set(flags(tmp_path, ern_4().replace(taken, given))) == {rule}


def test_a_withdrawn_release_is_reported_and_nothing_is_taken_away(tmp_path: Path) -> None:
    text = "<P:PurgeReleaseMessage xmlns:P='x'><PurgedRelease><ReleaseId><GRid>A1</GRid></ReleaseId></PurgedRelease></P:PurgeReleaseMessage>"
    found = message(tmp_path, text)
    assert [(flag.rule, flag.xpath) for flag in found.flags] == [("purged", "/PurgeReleaseMessage/PurgedRelease[1]")]
    assert found.recordings == {}


@pytest.mark.parametrize(
    "text",
    [
        "<MeadMessage/>",
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><NewReleaseMessage x="&b;"><Party></NewReleaseMessage>',
        "",
        "no XML at all",
    ],
)
def test_what_is_no_ern_message_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misuse, match=r"message\.xml"):
        message(tmp_path, text)


def test_entities_are_never_expanded(tmp_path: Path) -> None:
    title = "<DisplayTitleText>Harbor Lights<"
    text = ern_4().split("\n", 1)[1]
    harmless = '<!DOCTYPE x [<!ENTITY e "boom">]>' + text.replace(title, "<DisplayTitleText>&e;<")
    assert message(tmp_path, harmless).recordings["A1"].cells["title"] is None
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "boom">{entities}]>' + text.replace(title, "<DisplayTitleText>&e9;<")
    with pytest.raises(Misuse, match="amplification"):
        message(tmp_path, bomb)


@pytest.mark.slow
def test_a_message_of_thirty_thousand_recordings_is_read_in_a_stride(tmp_path: Path) -> None:
    one = "<SoundRecording><ResourceReference>A{0}</ResourceReference><DisplayTitleText>T</DisplayTitleText></SoundRecording>"
    text = f"<NewReleaseMessage><ResourceList>{''.join(map(one.format, range(30_000)))}</ResourceList></NewReleaseMessage>"
    began = time.monotonic()
    found = message(tmp_path, text)
    assert time.monotonic() - began < 60
    assert len(found.recordings) == 30_000
    assert found.flags[-1].xpath == "/NewReleaseMessage/ResourceList/SoundRecording[30000]/PLine"


def lake(folder: Path) -> Environment:
    env = Environment(load_settings(root=str(folder / "lake")))
    init_lake(env)
    return env


def rows_of(env: Environment, table: str) -> list[dict[str, Any]]:
    reader = env.reader
    return reader.sql(f"SELECT * FROM {reader.relation(table)} ORDER BY ALL")


def test_a_loaded_message_is_in_the_lake_once(tmp_path: Path) -> None:
    env = lake(tmp_path)
    file = tmp_path / "m.xml"
    file.write_text(ern_4(rights=RIGHTS.format("60", "40")), encoding="utf-8")
    loaded = load_catalog(env, [file])
    assert (loaded["releases"], loaded["recordings"], loaded["changed"]) == (1, 2, 2)
    assert {finding["rule"] for finding in loaded["findings"]} == {"missing_isrc", "missing_duration", "missing_p_line"}
    assert all(finding["xpath"].startswith("/NewReleaseMessage/") for finding in loaded["findings"])
    [release] = rows_of(env, silver.releases.name)
    assert (release["upc"], release["label"], release["p_year"], release["c_line"]) == (
        "00036000291452", "North Pier", 2026, "(C) 2025 North Pier",
    )  # fmt: skip
    assert len(rows_of(env, silver.deals.name)) == 4
    shares = {row["party"]: str(row["share"]) for row in rows_of(env, silver.contributors.name) if row["kind"] == "rights"}
    assert shares == {"DPID:PADPIDA2024010101K": "60.000000000000000000", "Kim Haneul": "40.000000000000000000"}
    versions = {name: env.reader.version(name) for name in ("silver.releases", "silver.deals", "silver.contributors")}
    again = load_catalog(env, [file])
    assert again["changed"] == 0
    assert {name: env.reader.version(name) for name in versions} == versions


def test_what_a_message_gets_wrong_stands_in_the_catalog_until_it_is_mended(tmp_path: Path) -> None:
    """F-08: for routing, which lets such recordings enter at the tiers of its document."""
    env, file = lake(tmp_path), tmp_path / "m.xml"

    def deficiencies(text: str) -> dict[str, list[str] | None]:
        file.write_text(text, encoding="utf-8")
        load_catalog(env, [file])
        return {row["title"]: row["deficiencies"] for row in rows_of(env, silver.catalog.name)}

    lacks = ["missing_duration", "missing_isrc", "missing_p_line"]
    wrong = deficiencies(ern_4(role="Wizard", rights=RIGHTS.format("half", "50").replace("LocalPayee", "OriginalOwner")))
    assert wrong == {"Harbor Lights": ["role", "share"], "Night Ferry": lacks}
    before = env.reader.version(silver.catalog.name)
    assert deficiencies(ern_4(rights=RIGHTS.format("50", "50"))) == {"Harbor Lights": None, "Night Ferry": lacks}
    assert env.reader.version(silver.catalog.name) == before + 1
    assert rows_of(env, silver.drift_events.name) == []


def test_a_later_message_replaces_what_it_speaks_of(tmp_path: Path) -> None:
    first, later = tmp_path / "a.xml", tmp_path / "b.xml"
    first.write_text(ern_4(), encoding="utf-8")
    deal = ern_4()[ern_4().index("<Deal><DealTerms><TerritoryCode>DE") : ern_4().index("    </ReleaseDeal>")]
    later.write_text(ern_4(role="Lyricist").replace(deal, ""), encoding="utf-8")
    before, after = read_catalog([first]).messages, read_catalog([later]).messages
    deals = after.merged(silver.deals, before.merged(silver.deals, []))
    assert [(row["release_id"], row["deal_no"]) for row in deals] == [("00036000291452", 1), ("np:1", 1)]
    roles = after.merged(silver.contributors, before.merged(silver.contributors, []))
    assert {row["role"] for row in roles if row["party"] == "Kim Haneul"} == {"Lyricist", "Mixer"}


def test_a_message_leaves_alone_what_it_does_not_speak_of(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(ERN_38, encoding="utf-8")
    other = {**dict.fromkeys(silver.deals.columns), "release_id": "X", "deal_no": 1, "take_down": False}
    merged = read_catalog([file]).messages.merged(silver.deals, [other])
    assert {row["release_id"] for row in merged} == {"X", "0036000291452"}
    assert ErnRows().merged(silver.deals, [other]) == [other]
