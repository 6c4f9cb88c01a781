"""Every structural deficiency enters the tiers at its own, and what is wrong never pays before it."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import Findings, Misuse
from lakehouse.model.routing import Ruleset, draw, read_ruleset
from lakehouse.model.routing_entry import OF_A_REPORT, Deficiency
from lakehouse.sources import ern_checks
from tests.model.test_routing import DOUBT, NOBODY, RULES, TEXT, payload

UNIDENTIFIED = {"isrc": "N/A", "upc": None, "proprietary_id": "0"}
LACKS: dict[Deficiency, dict[str, Any]] = {
    Deficiency.NO_IDENTIFIER: UNIDENTIFIED,
    Deficiency.NO_NAME: {**UNIDENTIFIED, "title": "unknown title"},
}
OF_A_MESSAGE = [one for one in Deficiency if one not in OF_A_REPORT]
NAMED = {"title": "Night"}
NAMELESS = {"title": None}
BY_NAMES = {"tier": "fuzzy", "match_confidence": "0.96"}


def entering(deficiency: Deficiency, tier: int) -> Ruleset:
    """The shipped document with another tier for one deficiency."""
    return RULES.model_copy(update={"entry": {**RULES.entry, deficiency: tier}})


@pytest.mark.parametrize("tier", [1, 2, 3])
@pytest.mark.parametrize("lacks", OF_A_REPORT, ids=lambda one: one.value)
def test_what_a_report_lacks_enters_at_its_tier(lacks: Deficiency, tier: int) -> None:
    """F-08: the matrix of what a report lacks; nobody was found, so that every later tier is passed."""
    path = entering(lacks, tier).decide(payload(**NOBODY | LACKS[lacks])).path
    assert path == ("RECEIVED", *(f"TIER{n}" for n in range(tier, 5)), "HELD")


@pytest.mark.parametrize(
    ("tier", "found", "path"),
    [
        (1, {}, "RECEIVED TIER1 ROUTED"),
        (1, NAMELESS, "RECEIVED TIER1 ROUTED"),
        (1, BY_NAMES, "RECEIVED TIER1 TIER2 ROUTED"),
        (2, NAMED, "RECEIVED TIER2 ROUTED"),
        (2, NAMELESS, "RECEIVED TIER2 TIER3 REVIEW"),
        (2, {"reconciliation_status": "DRIFT_FLAGGED"}, "RECEIVED TIER2 TIER3 REVIEW"),
        (2, BY_NAMES, "RECEIVED TIER2 ROUTED"),
        (3, NAMED, "RECEIVED TIER3 REVIEW"),
        (3, BY_NAMES, "RECEIVED TIER3 REVIEW"),
        (3, {"reconciliation_status": "DRIFT_FLAGGED"}, "RECEIVED TIER3 REVIEW"),
        (3, {"tier": "alias"}, "RECEIVED TIER1 ROUTED"),
    ],
)
@pytest.mark.parametrize("wrong", OF_A_MESSAGE, ids=lambda one: one.value)
def test_what_a_message_gets_wrong_enters_at_its_tier(wrong: Deficiency, tier: int, found: dict[str, Any], path: str) -> None:
    """F-08: the matrix of what a message gets wrong, by what was found. What a person has accepted is paid all the same."""
    decision = entering(wrong, tier).decide(payload(**found, deficiencies=(wrong.value,)))
    assert " ".join(decision.path) == path
    assert decision.gap == ("CONFLICTING" if decision.state == "REVIEW" else None)
    assert decision.status("MATCHED") == ("MATCHED" if decision.state == "ROUTED" else "AMBIGUOUS")


@pytest.mark.parametrize(
    ("deficiency", "tier"),
    [
        ("no_identifier", 2), ("no_name", 3), ("missing_isrc", 2), ("missing_duration", 1), ("missing_p_line", 1),
        ("reference", 1), ("role", 2), ("share", 3), ("share_sum", 3),
    ],
)  # fmt: skip
def test_the_shipped_document_says_where_each_enters(deficiency: str, tier: int) -> None:
    """F-08."""
    assert RULES.entry[Deficiency(deficiency)] == tier
    assert len(RULES.entry) == len(Deficiency)
    assert deficiency in draw(RULES).split(f"at tier {tier}: ")[1].split("\n")[0].split(", ")


def test_of_several_deficiencies_the_last_tier_counts() -> None:
    decision = RULES.decide(payload(deficiencies=("role", "share_sum")))
    assert (decision.rule_id, " ".join(decision.path)) == ("review-deficient", "RECEIVED TIER3 REVIEW")


def test_every_flag_of_a_recording_is_a_deficiency() -> None:
    """F-07, F-08: what ERN messages are checked for has its tier: but for what is of a release."""
    code = inspect.getsource(ern_checks)
    rules = set(re.findall(r'_Needed\("\w+", "[\w/]+", "(\w+)"', code.split("_RELEASE = ")[0]))
    rules |= set(re.findall(r'(?:where|xpath\(element\)), "(\w+)"', code))
    assert rules | {"reference"} == {one.value for one in OF_A_MESSAGE}


def test_a_payload_tells_what_is_asked_for_alone_and_is_as_it_was_without() -> None:
    """Where the first tier would be entered anyway nothing is asked, and payloads of earlier documents keep their hash."""
    assert set(RULES.deficiencies) == {"missing_isrc", "role", "share", "share_sum"}
    assert "deficiencies" not in payload().canonical()
    assert payload(deficiencies=("role",)).sha256 != payload().sha256


@given(
    found=st.sampled_from([{}, NAMELESS, BY_NAMES, NOBODY, DOUBT, NOBODY | UNIDENTIFIED, BY_NAMES | UNIDENTIFIED]),
    wrong=st.lists(st.sampled_from([one.value for one in OF_A_MESSAGE]), unique=True),
)
def test_a_document_without_entries_decides_as_before_there_were_any(found: dict[str, Any], wrong: list[str]) -> None:
    """F-39: an old document replays: every key enters at the first tier, whatever is deficient."""
    old = RULES.model_copy(update={"entry": {}})
    decision = old.decide(payload(**found, deficiencies=tuple(wrong)))
    assert decision.path[1] == "TIER1"
    assert decision == old.decide(payload(**found))


@given(
    tiers=st.lists(st.integers(1, 3), min_size=len(Deficiency), max_size=len(Deficiency)),
    wrong=st.sets(st.sampled_from(OF_A_MESSAGE)),
)
def test_nothing_deficient_is_paid_before_its_tier(tiers: list[int], wrong: set[Deficiency]) -> None:
    """F-08, as a law: whatever the document says."""
    document = RULES.model_copy(update={"entry": dict(zip(Deficiency, tiers, strict=True))})
    for found in ({}, NAMELESS, BY_NAMES):
        path = document.decide(payload(**found, deficiencies=tuple(one.value for one in wrong))).path
        first = max((document.entry[one] for one in wrong), default=1)
        assert path[1] == f"TIER{first}"
        assert path[-1] != "ROUTED" or int(path[-2][-1]) >= first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  share: 3 ", "  shares: 3 ", "entry.shares"),
        ("  role: 2 ", "  role: 4 ", "entry.role"),
        ("  reference: 1 ", "  # reference: 1 ", "`entry` names no tier for reference"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(Misuse, match=said):
        read_ruleset(TEXT.replace(old, new))


def test_a_deficiency_without_a_tier_stops_the_run() -> None:
    """F-06."""
    with pytest.raises(Findings, match="knows no deficiency 'colour'"):
        RULES.decide(payload(deficiencies=("colour",)))
