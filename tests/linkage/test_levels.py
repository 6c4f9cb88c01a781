"""Levels of agreement, and what they are worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.linkage.keys import block_keys
from lakehouse.model.linkage.layouts import Reading
from lakehouse.model.linkage.levels import COMMON, COMPARISONS, NULL, ONE_SIDE, PLACE, compare, told
from lakehouse.model.linkage.rules import load_linkage
from lakehouse.model.linkage.weights import Counted, Numbers, fit, log_odds
from lakehouse.settings import conf_dir

texts = st.text(alphabet="abc é山", max_size=12)
readings = st.builds(
    Reading, title=texts, artist=texts, album=texts, versions=st.sampled_from([frozenset(), frozenset({"live"}), frozenset({"demo", "edit"})]), isrc=st.sampled_from(["", "USABC2600001", "USABC2600002"]),
    duration=st.none() | st.floats(1, 900), year=st.none() | st.integers(1950, 2026), track_number=st.sampled_from(["", "1", "12"]),
)  # fmt: skip


def probability(odds: Numbers) -> Numbers:
    """The probability that logarithmic odds stand for."""
    return 1 / (1 + np.exp(-odds))


RULES = load_linkage(conf_dir() / "linkage.yaml")


def level(name: str, one: Reading, other: Reading) -> str | None:
    return told(compare([one], [other])[0].tolist()).get(name)


@given(readings, readings)
def test_which_record_comes_first_is_irrelevant(one: Reading, other: Reading) -> None:
    assert compare([one], [other]).tolist() == compare([other], [one]).tolist()


@given(readings)
def test_a_record_agrees_with_itself(one: Reading) -> None:
    levels = compare([one], [one])[0]
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
        (Reading(title="blue train"), Reading(title="blue train over the old bridge"), "part"),
        (Reading(title="blue train"), Reading(title="红"), "else"),
        (Reading(title="blue train"), Reading(), None),
    ],
)
def test_titles(one: Reading, other: Reading, expected: str | None) -> None:
    assert level("title", one, other) == expected


LIVE, DEMO = frozenset({"live"}), frozenset({"demo"})


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Reading(title="blue train"), Reading(title="blue train", versions=LIVE), "one side"),
        (Reading(title="blue train", versions=DEMO), Reading(title="blue train", versions=LIVE), "other"),
        (Reading(title="blue train", versions=LIVE), Reading(title="blue train", versions=LIVE), "same"),
        (Reading(title="blue train"), Reading(title="blue train"), None),
        # What was left out, or mistyped, is no other recording; nor says a record without a title which one it is.
        (Reading(title="blue train", duration=200.0), Reading(title="blue train", versions=LIVE, duration=201.0), "same length"),
        (Reading(title="blue train", duration=200.0), Reading(title="blue train", versions=LIVE, duration=203.0), "one side"),
        (Reading(title="a", isrc="USABC2600001", duration=1.0), Reading(title="a", isrc="USABC2600001", versions=LIVE, duration=9.0), "same length"),
        (Reading(title="a", isrc="USABC2600001", duration=1.0), Reading(title="a", isrc="USABC2600009", versions=LIVE, duration=1.0), "one side"),
        (Reading(title="blue train lvie"), Reading(title="blue train", versions=LIVE), "same"),
        (Reading(), Reading(title="blue train", versions=LIVE), None),
    ],
)  # fmt: skip
def test_another_version_is_another_recording(one: Reading, other: Reading, expected: str | None) -> None:
    assert level("version", one, other) == level("version", other, one) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("symphony 5 ii andante", "sinfonie 5 ii andante", "same"), ("symphony 5 ii andante", "symphony 6 ii andante", "other"),
        ("blue train 2", "blue train", "one side"), ("blue train 2", "blue train 2", None), ("blue train", "blue trane", None),
        ("blue train 2", "", None),
    ],
)  # fmt: skip
def test_titles_that_count_otherwise_speak_against_a_match(one: str, other: str, expected: str | None) -> None:
    assert level("counts", Reading(title=one), Reading(title=other)) == expected


def test_a_text_that_several_have_is_told_apart() -> None:
    one = Reading(title="intro", artist="luna")
    assert told(compare([one], [one], {"title": {"intro"}})[0].tolist()) == {"title": "common", "artist": "exact"}


def test_fields_that_changed_places_still_agree_by_their_words() -> None:
    one = Reading(title="blue train", artist="john coltrane")
    assert level("words", one, Reading(title="john coltrane", artist="blue train")) == "exact"


def test_better_levels_never_speak_less_for_a_match() -> None:
    for place, comparison in enumerate(COMPARISONS):
        if comparison.falls:
            patterns = np.full((len(comparison.levels), len(COMPARISONS)), NULL, dtype=np.int8)
            patterns[:, place] = range(len(comparison.levels))
            odds = log_odds(RULES.model, patterns)
            assert (odds <= odds[0]).all()
            assert (np.diff(np.delete(odds, comparison.aside)) <= 0).all(), comparison.name


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


def test_no_field_alone_rules_a_match_out_however_the_data_are() -> None:
    """All pairs of a table agree: the estimate has never seen a match of which a field is garbled, and still allows for one in a hundred."""
    agree = np.zeros((1, len(COMPARISONS)), dtype=np.int8)
    agree[:, [place for place, c in enumerate(COMPARISONS) if c.name not in ("title", "artist", "album")]] = NULL
    model = fit(RULES.model, Counted(agree, np.full(1, 1e6)))
    garbled = agree.copy()
    garbled[0, PLACE["album"]] = len(COMPARISONS[PLACE["album"]].levels) - 1
    assert probability(log_odds(model, garbled))[0] > 0.9


def test_the_share_of_scrambled_matches_is_estimated() -> None:
    """Of 1,000 matches 300 came with title and artist swapped: nothing in place agrees, and all words do."""
    patterns = np.full((3, len(COMPARISONS)), NULL, dtype=np.int8)
    last = len(COMPARISONS[PLACE["title"]].levels) - 1
    for row, (text, words) in enumerate(((0, NULL), (last, 0), (last, len(COMPARISONS[PLACE["words"]].levels) - 1))):
        patterns[row, [PLACE["title"], PLACE["artist"]]] = text
        patterns[row, PLACE["words"]] = words
    model = fit(RULES.model, Counted(patterns, np.array([700.0, 300.0, 20_000.0])))
    assert abs(model.scrambled - 0.3) < 0.03
    assert (probability(log_odds(model, patterns)) > 0.9).tolist() == [True, True, False]


def test_pairs_of_other_versions_teach_nothing() -> None:
    """A live recording agrees with the studio's in all but the word: counted among strangers it would make agreement worthless."""
    match, other, version = np.full((3, 1, len(COMPARISONS)), NULL, dtype=np.int8)
    for name in ("title", "artist", "album"):
        match[0, PLACE[name]] = version[0, PLACE[name]] = 0
        other[0, PLACE[name]] = len(COMPARISONS[PLACE[name]].levels) - 1
    version[0, PLACE["version"]] = ONE_SIDE
    known = Counted(np.concatenate([match, other]), np.array([500.0, 5_000.0]))
    more = Counted(np.concatenate([match, other, version]), np.array([500.0, 5_000.0, 5_000.0]))
    assert fit(RULES.model, more) == fit(RULES.model, known)
    assert probability(log_odds(fit(RULES.model, more), version))[0] < 0.1


def test_a_model_that_is_not_tuned_weighs_same_texts_alike() -> None:
    title, untuned = PLACE["title"], RULES.model.untuned()
    patterns = np.full((2, len(COMPARISONS)), NULL, dtype=np.int8)
    patterns[:, title] = (0, COMMON)
    exact, common = log_odds(untuned, patterns)
    assert exact == common
    assert log_odds(RULES.model, patterns)[1] < common < log_odds(RULES.model, patterns)[0]


def test_with_no_pairs_the_shipped_model_stays() -> None:
    nothing = Counted(np.empty((0, len(COMPARISONS)), dtype=np.int8), np.empty(0))
    assert fit(RULES.model, nothing) is RULES.model
