"""Levels of agreement, and what they are worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.linkage.keys import block_keys
from lakehouse.model.linkage.layouts import Reading
from lakehouse.model.linkage.levels import COMPARISONS, NULL, PLACE, compare, told
from lakehouse.model.linkage.rules import load_linkage
from lakehouse.model.linkage.weights import Counted, fit, log_odds, probability
from lakehouse.settings import conf_dir

texts = st.text(alphabet="abc é山", max_size=12)
readings = st.builds(
    Reading, title=texts, artist=texts, album=texts, isrc=st.sampled_from(["", "USABC2600001", "USABC2600002"]),
    duration=st.none() | st.floats(1, 900), year=st.none() | st.integers(1950, 2026), track_number=st.sampled_from(["", "1", "12"]),
)  # fmt: skip
RULES = load_linkage(conf_dir() / "linkage.yaml")


def level(name: str, one: Reading, other: Reading) -> str | None:
    return told(compare([one], [other], RULES.versions)[0].tolist()).get(name)


@given(readings, readings)
def test_which_record_comes_first_is_irrelevant(one: Reading, other: Reading) -> None:
    assert compare([one], [other], RULES.versions).tolist() == compare([other], [one], RULES.versions).tolist()


@given(readings)
def test_a_record_agrees_with_itself(one: Reading) -> None:
    levels = compare([one], [one], RULES.versions)[0]
    assert set(levels.tolist()) <= {0, NULL}


@given(readings)
def test_a_record_and_its_copy_share_every_block_key(one: Reading) -> None:
    assert block_keys(one) == block_keys(Reading(**{name: getattr(one, name) for name in one.__dataclass_fields__}))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Reading(title="blue train"), Reading(title="blue train"), "exact"),
        (Reading(title="blue train"), Reading(title="train blue"), "close"),
        (Reading(title="blue train"), Reading(title="blue trane"), "near"),
        (Reading(title="blue train"), Reading(title="红"), "else"),
        (Reading(title="blue train"), Reading(), None),
    ],
)
def test_titles(one: Reading, other: Reading, expected: str | None) -> None:
    assert level("title", one, other) == expected


def test_a_live_version_is_another_recording() -> None:
    studio, live = Reading(title="blue train", artist="x"), Reading(title="blue train live", artist="x")
    assert level("version", studio, live) == "one side"
    assert level("version", live, live) == "same"
    assert level("version", studio, studio) is None


def test_fields_that_changed_places_still_agree_by_their_words() -> None:
    one = Reading(title="blue train", artist="john coltrane")
    assert level("words", one, Reading(title="john coltrane", artist="blue train")) == "exact"


def test_better_levels_never_speak_less_for_a_match() -> None:
    for place, comparison in enumerate(COMPARISONS):
        if comparison.falls:
            patterns = np.full((len(comparison.levels), len(COMPARISONS)), NULL, dtype=np.int8)
            patterns[:, place] = range(len(comparison.levels))
            odds = log_odds(RULES.model, patterns)
            assert (np.diff(odds) <= 0).all(), comparison.name


def test_the_estimate_finds_the_share_of_matches_in_the_pairs() -> None:
    """1,000 pairs drawn from the shipped shares, 300 of them matches: no label is given, and 300 are found again."""
    rng = np.random.default_rng(7)
    used = [PLACE[name] for name in ("title", "artist", "album", "duration")]
    patterns = np.full((1000, len(COMPARISONS)), NULL, dtype=np.int8)
    for place in used:
        field = RULES.model.fields[COMPARISONS[place].name]
        for rows, shares in ((slice(0, 300), field.matches), (slice(300, None), field.others)):
            size = len(patterns[rows])
            patterns[rows, place] = rng.choice(len(shares), size, p=np.array(shares) / sum(shares))
    model = fit(RULES.model, Counted(patterns, np.ones(len(patterns))))
    found = probability(log_odds(model, patterns))
    assert abs(model.match_rate - 0.3) < 0.02
    assert (found[:300] > 0.5).mean() > 0.98
    assert (found[300:] > 0.5).mean() < 0.01


def test_with_no_pairs_the_shipped_model_stays() -> None:
    nothing = Counted(np.empty((0, len(COMPARISONS)), dtype=np.int8), np.empty(0))
    assert fit(RULES.model, nothing) is RULES.model
