"""Routing: every pair of states, every branch of the tree, one taxonomy for all spellings, payloads that cannot change."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.errors import Findings, Misuse
from lakehouse.model.routing import TRANSITIONS, Payload, RoutingState, advance, draw, event_id, read_ruleset

TEXT = (Path(__file__).parents[2] / "conf" / "routing.yaml").read_text(encoding="utf-8")
RULES = read_ruleset(TEXT)
# Written out here a second time, on purpose: the table of the model is held against what was decided.
ALLOWED = {
    "RECEIVED": "TIER1 TIER2 TIER3 FROZEN", "TIER1": "ROUTED REVIEW TIER2", "TIER2": "ROUTED REVIEW TIER3", "TIER3": "ROUTED REVIEW TIER4",
    "TIER4": "HELD", "REVIEW": "ROUTED HELD FROZEN", "HELD": "RECEIVED FROZEN", "ROUTED": "FINALIZED FROZEN",
    "FROZEN": "RECEIVED REVIEW HELD ROUTED", "FINALIZED": "",
}  # fmt: skip


def payload(**given: Any) -> Payload:
    known: dict[str, Any] = {
        "usage_key": "a" * 64, "isrc": "QZABC2600001", "upc": None, "title": "Night", "artist": "Luna", "album": None,
        "proprietary_id": None, "sources": ("believe",), "at_stake": 1_250, "match_rate": "0.9000", "fidelity": "1.0000", "ruleset": "r", "catalog_version": 1, "review_no": 0, "reconciliation_status": "MATCHED", "match_confidence": "1.0",
        "tier": "isrc", "recording_id": "R-1",
    }  # fmt: skip
    return Payload(**{**known, **given})


@pytest.mark.parametrize(("one", "other"), list(itertools.product(RoutingState, RoutingState)), ids=lambda state: state.value)
def test_a_transition_is_allowed_exactly_where_the_table_says(one: RoutingState, other: RoutingState) -> None:
    """F-19."""
    if other.value in ALLOWED[one.value].split():
        assert advance(one, other) is other
    else:
        with pytest.raises(ValueError, match=f"{one.value} cannot become {other.value}"):
            advance(one, other)


def test_every_state_has_its_row_and_only_the_final_one_ends() -> None:
    """F-26."""
    assert set(TRANSITIONS) == set(RoutingState)
    assert [state for state, to in TRANSITIONS.items() if not to] == [RoutingState.FINALIZED]


NOBODY = {"reconciliation_status": "UNCLAIMED", "tier": "none", "recording_id": None, "match_confidence": "0.0"}
DOUBT = {"reconciliation_status": "AMBIGUOUS", "recording_id": None, "match_confidence": "0.8"}


@pytest.mark.parametrize(
    ("given", "rule", "path", "gap"),
    [
        ({}, "paid-by-tier-1", "RECEIVED TIER1 ROUTED", None),
        ({"tier": "fuzzy"}, "paid-by-tier-2", "RECEIVED TIER1 TIER2 ROUTED", None),
        ({"tier": "fuzzy", "at_stake": 1_000_000}, "review-large", "RECEIVED TIER1 TIER2 REVIEW", None),
        ({"tier": "isrc", "at_stake": 1_000_000}, "paid-by-tier-1", "RECEIVED TIER1 ROUTED", None),
        (
            {"tier": "title_artist", "isrc": None, "match_rate": "0.1000", "fidelity": "0.0100"},
            "review-unreliable",
            "RECEIVED TIER2 REVIEW",
            None,
        ),
        ({"reconciliation_status": "DRIFT_FLAGGED"}, "paid-and-drifted", "RECEIVED TIER1 ROUTED", None),
        ({**DOUBT}, "review-conflicting", "RECEIVED TIER1 REVIEW", "CONFLICTING"),
        (
            {**DOUBT, "tier": "fuzzy", "isrc": None, "artist": None},
            "review-incomplete",
            "RECEIVED TIER2 REVIEW",
            "INCOMPLETE",
        ),
        ({**NOBODY, "isrc": None, "title": "N/A"}, "held-incomplete", "RECEIVED TIER3 TIER4 HELD", "INCOMPLETE"),
        ({**NOBODY}, "held-until-known", "RECEIVED TIER1 TIER2 TIER3 TIER4 HELD", "DELAYED"),
    ],
)
def test_each_branch_decides_what_it_says(given: dict[str, Any], rule: str, path: str, gap: str | None) -> None:
    """F-04, F-14."""
    decision = RULES.decide(payload(**given))
    assert (decision.rule_id, " ".join(decision.path), decision.gap) == (rule, path, gap)
    assert decision.to == ("gold.royalty_lines" if decision.state == "ROUTED" else "gold.holding")


@pytest.mark.parametrize("spelling", [None, "", "  ", "N/A", "n/a", "UNKNOWN", "Unknown", "0000", "0", "null", "-", "TBA"])
def test_one_gap_whatever_the_spelling(spelling: str | None) -> None:
    """F-15."""
    assert RULES.is_unknown(spelling)
    decision = RULES.decide(payload(**NOBODY, isrc=spelling, artist=spelling))
    assert decision.gap == "INCOMPLETE"


@pytest.mark.parametrize("said", ["Nothing", "1000", "0 to 100", "Nova", "Naught"])
def test_what_says_something_is_no_gap(said: str) -> None:
    assert not RULES.is_unknown(said)


def test_a_failure_without_a_rule_stops_the_run() -> None:
    """F-06."""
    fewer = RULES.model_copy(update={"rules": RULES.rules[:-1]})
    with pytest.raises(
        Findings, match="No rule of routing version 4 says what becomes of UNCLAIMED by tier none with gap DELAYED"
    ):
        fewer.decide(payload(**NOBODY))


def test_the_first_rule_that_fits_decides() -> None:
    paid = next(rule for rule in RULES.rules if rule.id == "paid-by-tier-1")
    turned = RULES.model_copy(update={"rules": (paid.model_copy(update={"id": "first"}), *RULES.rules)})
    assert turned.decide(payload()).rule_id == "first"


def test_a_payload_is_strict_frozen_and_known_by_its_hash() -> None:
    """F-18, F-20."""
    one = payload()
    assert one.sha256 == payload().sha256 != payload(title="Nacht").sha256
    assert Payload.model_validate_json(one.canonical()) == one
    with pytest.raises(ValidationError, match="frozen"):
        one.title = "Other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="catalog_version"):
        payload(catalog_version="1")
    with pytest.raises(ValidationError, match="Extra inputs"):
        payload(colour="blue")
    assert event_id(one.sha256, "x") == event_id(one.sha256, "x") != event_id(one.sha256, "y")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("threshold: 0.90", "threshold: 1.9", "tiers.5.threshold"),
        ("id: paid-by-tier-2", "id: paid-by-tier-1", "rule paid-by-tier-1 is declared twice"),
        ("tier: alias,          level: 1", "tier: alias, level: 2", "must not fall"),
        ("state: HELD, to: gold.holding}", "state: HELD, to: gold.royalty_lines}", "ROUTED goes to gold.royalty_lines"),
        ("status: [UNCLAIMED], gap: [DELAYED]", "status: [LOST]", "rules.9.when.status.0"),
        ("{id: held-until-known,", "{id: held-until-known, tier: 3,", "a pool takes what is UNCLAIMED"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_by_key(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(Misuse, match=said):
        read_ruleset(TEXT.replace(old, new))


def test_the_drawing_has_every_tier_and_rule_in_the_order_of_the_document() -> None:
    """F-06."""
    drawn = draw(RULES)
    places = [drawn.index(f" {name}") for name in (*(t.tier + " (" for t in RULES.tiers), *(r.id + ":" for r in RULES.rules))]
    assert places == sorted(places)


def test_a_pool_rule_ends_at_the_third_tier_and_a_tree_without_one_has_none() -> None:
    """F-11."""
    rule = "  - {id: pooled, tier: 3, when: {status: [UNCLAIMED], gap: [DELAYED]}, state: ROUTED, to: gold.royalty_lines}\n"
    with_pools = read_ruleset(TEXT.replace("rules:\n", f"rules:\n{rule}"))
    unknown = payload(reconciliation_status="UNCLAIMED", tier="none", recording_id=None)
    decision = with_pools.decide(unknown)
    assert (decision.rule_id, decision.path) == ("pooled", ("RECEIVED", "TIER1", "TIER2", "TIER3", "ROUTED"))
    assert (with_pools.pool_rules, read_ruleset(TEXT).pool_rules) == (("pooled",), ())
    assert "by the pool of its territory" in draw(with_pools)


# F-21: the weighted score, recomputed by hand: 0.4 x said / 5 + 0.3 x match rate + 0.3 x fidelity, 0.5 where there is no history.
@pytest.mark.parametrize(
    ("given", "score"),
    [
        ({}, "0.8100"),  # 0.4 x 3/5 = 0.24; 0.27; 0.30
        ({"upc": "196000000017", "album": "Night"}, "0.9700"),
        ({"isrc": None, "artist": None}, "0.6500"),
        ({"isrc": "0000", "artist": "N/A", "title": "unknown"}, "0.5700"),
        ({"match_rate": None}, "0.6900"),
        ({"fidelity": None}, "0.6600"),
        ({"match_rate": None, "fidelity": None}, "0.5400"),
        ({"match_rate": "0.0000", "fidelity": "0.0000"}, "0.2400"),
        ({"match_rate": "0.3333", "fidelity": "0.6667"}, "0.5400"),
        ({"match_rate": "0.33345", "fidelity": "0.0000", "isrc": None}, "0.2600"),
    ],
)
def test_the_routing_score_is_what_a_hand_computes_and_no_part_of_the_confidence(given: dict[str, Any], score: str) -> None:
    """F-21."""
    asked = payload(**given)
    assert str(RULES.decide(asked).score) == score
    assert asked.match_confidence == "1.0"


def test_the_weights_of_the_score_add_up_to_one() -> None:
    """F-21."""
    with pytest.raises(Misuse, match=r"the weights of the routing score add up to 1\.1, not to 1"):
        read_ruleset(TEXT.replace("completeness: 0.4", "completeness: 0.5"))


def test_a_match_that_is_not_routed_waits_for_a_person_and_no_rule_routes_what_has_no_owner() -> None:
    """F-28."""
    waits = RULES.decide(payload(tier="fuzzy", at_stake=1_000_000))
    assert (waits.status("MATCHED"), waits.status("DRIFT_FLAGGED"), waits.status("UNCLAIMED")) == (
        "AMBIGUOUS",
        "AMBIGUOUS",
        "UNCLAIMED",
    )
    assert RULES.decide(payload()).status("MATCHED") == "MATCHED"
    with pytest.raises(Misuse, match=r"only what is MATCHED or DRIFT_FLAGGED has an owner to be ROUTED to.*: held-until-known"):
        read_ruleset(
            TEXT.replace(
                "gap: [DELAYED]},       state: HELD, to: gold.holding", "gap: [DELAYED]}, state: ROUTED, to: gold.royalty_lines"
            )
        )
