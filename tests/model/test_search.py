"""The search for candidates finds what the rules say, pair by pair, however the index is cut into batches."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.blocks import block_keys, sketches
from lakehouse.model.matching import Blocking, Budget
from lakehouse.model.search import Asked, Blocks, Records, Search

RULES = Blocking(
    document_frequency=5, first=Budget(keys=3, postings=4), good=1500, again=Budget(keys=20, postings=60),
    alike=600, behind=400, candidates=2, alone=3,
)  # fmt: skip
WORDS = st.lists(st.sampled_from(("halo", "mara", "tide", "luna", "halo2", "tida", "maro", "été")), max_size=3).map(" ".join)
RECORDS = st.lists(st.tuples(WORDS, WORDS), max_size=12)
Record = tuple[str, str]


def search(keys: list[Record], records: list[Record], budget: Budget, cuts: list[int]) -> set[tuple[int, int]]:
    """(place of the key, place of the record) of every candidate."""
    titles, artists = ([record[side] for record in keys] for side in (0, 1))
    marks = [side.view(np.uint64) for side in sketches(titles, artists)]
    lonely = np.array([not artist for artist in artists], dtype=bool)
    asked = Asked.of_records(np.arange(len(keys)), *block_keys(titles, artists, True), marks, lonely)
    batches = [taken_apart(records, begin, end) for begin, end in zip([0, *cuts], [*cuts, len(records)], strict=True)]
    counts = sum((Blocks(asked.blocks).count(batch.values) for batch in batches), np.zeros(len(asked.blocks), np.int64))
    looking = Search(asked.rarest(counts, budget, RULES.document_frequency), RULES)
    for batch in batches:
        looking.look_at(batch)
    found = looking.found()
    return set(zip(found.who.tolist(), found.form.tolist(), strict=True))


def taken_apart(records: list[Record], begin: int, end: int) -> Records:
    titles, artists = ([record[side] for record in records[begin:end]] for side in (0, 1))
    both, title = ([side.view(np.uint64) for side in sketches(titles, of)] for of in (artists, [""] * len(titles)))
    return Records(np.arange(begin, end), *block_keys(titles, artists), both, title)


def by_hand(keys: list[Record], records: list[Record], budget: Budget) -> set[tuple[int, int]]:
    """The same rules, a pair at a time."""
    theirs = [set(block_keys([title], [artist])[1].tolist()) for title, artist in records]
    shared = Counter(block for blocks in theirs for block in blocks)
    found = set()
    for who, (title, artist) in enumerate(keys):
        ours = {
            block for block in block_keys([title], [artist], True)[1].tolist() if 0 < shared[block] <= RULES.document_frequency
        }
        looked_up, brought = set[int](), 0
        for nth, block in enumerate(sorted(ours, key=lambda block: (shared[block], block))):
            brought += shared[block]
            if nth == 0 or (nth < budget.keys and brought <= budget.postings):
                looked_up.add(block)
        alike = {place: likeness((title, artist), records[place]) for place, blocks in enumerate(theirs) if blocks & looked_up}
        alike = {place: value for place, value in alike.items() if value >= max(RULES.alike, max(alike.values()) - RULES.behind)}
        nearest = sorted(alike, key=lambda place: (-alike[place], place))
        found |= {(who, place) for place in nearest[: RULES.candidates if artist else RULES.alone]}
    return found


def likeness(key: Record, record: Record) -> int:
    against = [record] if key[1] else [record, (record[0], "")]
    return max(shared_letters(pieces(*key), pieces(*one)) for one in against)


def shared_letters(ours: set[int], theirs: set[int]) -> int:
    common = 1000 * len(ours & theirs)
    return common // max(len(ours), 1) + common // max(len(theirs), 1)


def pieces(title: str, artist: str) -> set[int]:
    low, high = (int(side[0]) & (2**64 - 1) for side in sketches([title], [artist]))
    return {place for place in range(128) if (low | high << 64) >> place & 1}


@pytest.mark.parametrize("budget", [RULES.first, RULES.again], ids=["first", "again"])
@given(keys=RECORDS, records=RECORDS, cut=st.integers(0, 12))
def test_every_pair_that_the_rules_allow_is_found_and_no_other(
    budget: Budget, keys: list[Record], records: list[Record], cut: int
) -> None:
    expected = by_hand(keys, records, budget)
    for cuts in ([], [min(cut, len(records))], list(range(len(records)))):
        assert search(keys, records, budget, cuts) == expected


def test_a_title_alone_is_as_near_as_with_an_artist_of_many_letters() -> None:
    records = [("halo", "luna maro tide mara"), ("halo", "mara"), ("halt", "")]
    assert search([("halo", "")], records, RULES.again, []) == {(0, 0), (0, 1)}


@pytest.mark.parametrize("values", [[], [7, 7, -3, 12, 5], [-(2**62), 2**62]])
def test_blocks_count_how_often_each_of_them_is_there(values: list[int]) -> None:
    known = Blocks(np.array([-(2**62), -3, 5, 7], np.int64))
    assert known.count(np.array(values, np.int64)).tolist() == [values.count(key) for key in known.keys.tolist()]


def test_what_is_gathered_is_thinned_out_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.model.search._GATHERED", 1)
    records = [("halo", "mara")] * 2 + [("halo tide", "mara")] * 3
    assert search([("halo", "mara")], records, RULES.again, list(range(5))) == {(0, 0), (0, 1)}


def test_no_keys_and_no_records_find_nothing() -> None:
    assert search([], [("halo", "mara")], RULES.first, []) == search([("halo", "mara")], [], RULES.first, []) == set()
