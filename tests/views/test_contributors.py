"""D-218: the roles of DDEX ERN messages come to the classes in which a catalog speaks of contributors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app, work  # noqa: F401  (importing it registers its commands)
from lakehouse.model.plain_yaml import read_yaml
from lakehouse.settings import conf_dir
from lakehouse.sources.ern_roles import CLASSES, classes_of

CREDITS = {
    "MainArtist": ["primary"],
    "FeaturedArtist": ["featured"],
    "Composer": ["composer"],
    "Lyricist": ["lyricist"],
    "ComposerLyricist": ["composer", "lyricist"],
    "Producer": ["producer"],
    "MasteringEngineer": ["engineer"],
    "Remixer": ["remixer"],
    "StudioMusician": ["session musician"],
    "Photographer": [],
}
MESSAGE = """<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/43">
  <PartyList><Party><PartyReference>P1</PartyReference><PartyName><FullName>Luna Vale</FullName></PartyName></Party></PartyList>
  <ResourceList><SoundRecording>
    <ResourceReference>A1</ResourceReference><ResourceId><ISRC>QZDM12600001</ISRC></ResourceId>
    <DisplayTitleText>Harbor Lights</DisplayTitleText><DisplayArtistName>Luna Vale</DisplayArtistName>
    {credits}
    <Contributor><ContributorPartyReference>P1</ContributorPartyReference><Role UserDefinedValue="Whistler">UserDefined</Role></Contributor>
  </SoundRecording></ResourceList>
</ern:NewReleaseMessage>"""


def _documents() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    told = (read_yaml((conf_dir() / "ern" / name).read_text(encoding="utf-8")) for name in ("roles.yaml", "role_classes.yaml"))
    roles, classes = ({name: set(listed.split()) for name, listed in document.items()} for document in told)
    return roles, classes


def test_every_role_that_the_standard_lists_is_in_a_class_or_in_none() -> None:
    """A role that is added to the allowed values fails here until somebody has said what it comes to."""
    roles, classes = _documents()
    assert set(classes) == {*CLASSES, "other"}
    assert set().union(*roles.values()) == set().union(*classes.values())
    assert not classes["other"] & set().union(*(classes[name] for name in CLASSES))
    assert all(classes_of(role) == () for role in classes["other"])
    several = {role: classes_of(role) for role in set().union(*classes.values()) if len(classes_of(role)) > 1}
    assert several == dict.fromkeys(("ComposerLyricist", "Writer"), ("composer", "lyricist"))


@pytest.mark.parametrize(("role", "expected"), CREDITS.items())
def test_a_role_comes_to_what_a_catalog_calls_it(role: str, expected: list[str]) -> None:
    assert list(classes_of(role)) == expected


def test_a_role_that_the_standard_does_not_list_comes_to_nothing() -> None:
    assert classes_of("Whistler") == classes_of("") == classes_of("mainartist") == ()


def _call(lake: Path, *arguments: object) -> tuple[int, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--root", str(lake), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_contributors_of_a_loaded_message_are_told_with_role_and_class(tmp_path: Path) -> None:
    one = "<Contributor><ContributorPartyReference>P1</ContributorPartyReference><Role>{}</Role></Contributor>"
    file = tmp_path / "message.xml"
    file.write_text(MESSAGE.format(credits="".join(map(one.format, CREDITS))), encoding="utf-8")
    lake = tmp_path / "lake"
    assert CliRunner().invoke(app, ["init", "--root", str(lake)]).exit_code == 0
    _call(lake, "catalog", "load", file)
    code, found = _call(lake, "catalog", "contributors", "--recording", "QZDM12600001")
    assert code == 0
    assert {row["role"]: row["classes"] for row in found} == {**CREDITS, "Whistler": []}
    assert {(row["recording_id"], row["name"], row["kind"]) for row in found} == {("QZDM12600001", "Luna Vale", "contributor")}
    assert _call(lake, "catalog", "contributors") == (0, found)
    code, said = _call(lake, "catalog", "contributors", "--recording", "QZ0")
    assert (code, "No message names anyone on 'QZ0'" in said["error"]) == (2, True)
    assert "composer, lyricist" in CliRunner().invoke(app, ["catalog", "contributors", "--root", str(lake)]).stdout
