"""Parts of a file, each read by itself: the same records, and the same figures held against them, as of the whole."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lakehouse.settings import conf_dir
from lakehouse.sources.controls import ControlTally
from lakehouse.sources.dialect import Dialect
from lakehouse.sources.recognise import load_dialects
from lakehouse.sources.records import MAX_RECORD_LINES, Cut, Record, find_cuts, read_part, read_records

DIALECTS = load_dialects([conf_dir() / "sources"])
# A comma-separated format with quotes, a footer and control totals would be best; these two have one half each.
QUOTED, FOOTED = DIALECTS["fuga"], DIALECTS["itunes_financial"]


def parts(payload: bytes, dialect: Dialect, size: int) -> tuple[list[Record], list[ControlTally], list[Cut]]:
    """The records and tallies of the parts, in order."""
    names, cuts = find_cuts(io.BytesIO(payload), dialect, "utf-8", size)
    ends = [*(cut.start for cut in cuts), len(payload)]
    pieces = [list(read_records(payload[: ends[0]], dialect, "utf-8"))]
    for cut, end in zip(cuts, ends[1:], strict=True):
        pieces.append(list(read_part(payload[cut.start : end], cut, names, dialect, "utf-8")))
    tallies = []
    for piece in pieces:
        tallies.append(tally := ControlTally(dialect))
        for record in piece:
            tally.add(record)
    return [record for piece in pieces for record in piece], tallies, cuts


def require_same(payload: bytes, dialect: Dialect, size: int) -> list[Cut]:
    whole = list(read_records(payload, dialect, "utf-8"))
    found, tallies, cuts = parts(payload, dialect, size)
    assert found == whole
    of_whole = ControlTally(dialect)
    for record in whole:
        of_whole.add(record)
    joined = ControlTally(dialect)
    for tally in tallies:
        joined.absorb(tally.state())
    assert joined.results() == of_whole.results()
    return cuts


def header(dialect: Dialect) -> str:
    return {",": ",", "TAB": "\t", ";": ";"}[dialect.delimiter].join(dialect.header.columns)


CELLS = st.text(st.sampled_from('ab1,"\n\r é中'), max_size=6)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def texts(draw: Any) -> str:
    """A file of rows that are right, rows with quoted line ends, and lines of anything, some far from the next."""
    width = len(QUOTED.header.columns)
    right = ",".join(["x"] * width)
    quoted = ",".join(['"a\n""b"'] + ["é"] * (width - 1))
    rows = draw(st.lists(st.one_of(st.just(right), st.just(quoted), CELLS, st.just("\n".join([right] * 70))), max_size=12))
    end = draw(ENDS)
    return end.join([header(QUOTED), *rows]) + draw(st.sampled_from(["", end]))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=texts(), size=st.integers(1, 600))
@example(text=header(QUOTED) + "\n" + '"' + "\n" * 300, size=1)
def test_the_records_of_the_parts_are_those_of_the_whole(text: str, size: int) -> None:
    require_same(text.encode(), QUOTED, size)


def test_every_record_may_start_a_part_unless_a_quote_is_missing_nearby() -> None:
    width = len(QUOTED.header.columns)
    row, broken = ",".join(["x"] * width), '"' + ",".join(["x"] * width)
    lines = [header(QUOTED), *[row] * 100, broken, *[row] * 100]
    cuts = require_same("\n".join(lines).encode(), QUOTED, 1)
    # Line 102 has half a quote. What is said of it depends on the lines that follow, so none of those starts a part.
    untouched = [*range(2, 103), *range(102 + MAX_RECORD_LINES, 203)]
    assert [cut.line_no for cut in cuts] == untouched


def test_a_footer_is_known_as_one_in_every_part() -> None:
    row = "\t".join(["x"] * len(FOOTED.header.columns))
    assert FOOTED.footer
    mark = FOOTED.footer.starts_with[0]
    text = "\n".join([header(FOOTED), row, row, f"{mark}\t2", "Country\tTotal", "JP\t9"])
    cuts = require_same(text.encode(), FOOTED, 1)
    assert [(cut.line_no, cut.in_footer) for cut in cuts] == [(2, False), (3, False), (4, False), (5, True), (6, True)]


def test_sums_and_counts_of_the_parts_add_up(request: pytest.FixtureRequest) -> None:
    """Of every sample that can be cut, parts of some hundred bytes."""
    folder = request.path.parent
    cut = []
    for dialect in DIALECTS.by_id.values():
        if dialect.dsr or dialect.sum_rows:
            continue
        for sample in sorted(p for p in (folder / dialect.id).glob("sample.*") if p.suffix in (".csv", ".tsv", ".txt")):
            seen = DIALECTS.recognise(sample.read_bytes(), sample.name)
            if seen.dialect and seen.encoding == "utf-8" and not seen.variant:
                cut.append(bool(require_same(seen.payload, seen.dialect, 150)))
    assert cut.count(True) >= 10
