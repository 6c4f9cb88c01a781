"""From the text of a report to its records: every line of the file is part of exactly one."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from lakehouse.sources.dialect import DELIMITERS, Dialect, Encoding
from lakehouse.sources.payload import Payload
from lakehouse.sources.text import lines_of, lines_of_part, octets, open_lines, split_eol

# Lines that one quoted cell may span. A quote that is never closed would otherwise swallow the rest of the file.
MAX_RECORD_LINES = 64
WITHHELD = "(withheld: columns of personal data could not be told from the others)"


class Record(NamedTuple):
    """One record, in the columns of `bronze.lines`. Joining `text` and `eol` of all records gives the file's text again,
    personal columns excepted. `cells` are in the order of the dialect's fields; `error` says why there are none."""

    line_no: int
    kind: str
    text: str
    eol: str
    cells: list[str | None] | None = None
    error: str | None = None


class _TooLongError(Exception):
    pass


class _Tape:
    """Hands lines to the csv module and remembers those that went into the record being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Tape:
        return self

    def __next__(self) -> str:
        if len(self.taken) == MAX_RECORD_LINES:
            raise _TooLongError
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Gives back all lines taken."""
        self._again.extendleft(reversed(self.taken))
        self.taken.clear()

    def keep_first(self) -> None:
        """Gives back all lines taken but the first, to be read as records of their own."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def read_records(payload: Payload, dialect: Dialect, encoding: Encoding, variant: str | None = None) -> Iterator[Record]:
    """The records of a recognised file, in its order, streamed. `variant` is the one under which it was recognised."""
    if dialect.dsr is not None:
        from lakehouse.sources.dsr import read_dsr

        return read_dsr(payload, dialect, encoding)
    return _read_delimited(payload, dialect, encoding, variant)


class Cut(NamedTuple):
    """Where a part of a file starts: at a record, which is a data row or in the footer. `line_no` is that of its first line."""

    start: int
    line_no: int
    in_footer: bool


def find_cuts(
    stream: BinaryIO, dialect: Dialect, encoding: Encoding, size: int, variant: str | None = None
) -> tuple[list[str], list[Cut]]:
    """The header's names, and cuts that part a delimited file into parts of about `size` bytes, each to be read by itself.

    The records of the parts are those of the whole: this walks the very lines that `read_records` reads, at the speed of looking for
    quotes. No cut is near a record that could not be cut into cells, for what is said of such a record depends on the lines after it.
    No cuts where the places of lines cannot be told from their text, or where a row's meaning depends on those before it.
    """
    measured = octets(encoding)
    if measured is None or dialect.dsr is not None or dialect.sum_rows is not None:
        return [], []
    position, length = measured
    read_as = dialect.under(variant)
    footer_marks = read_as.footer.starts_with if read_as.footer else ()
    lines = lines_of(stream, encoding)
    preamble = [next(lines) for _ in read_as.preamble]
    tape = _Tape(lines)
    reader = csv.reader(tape, **csv_options(read_as))  # type: ignore[arg-type]
    names = next(reader)
    line_no = 1 + len(preamble) + len(tape.taken)
    position += sum(map(length, preamble)) + sum(map(length, tape.taken))
    cuts: list[Cut] = []
    target, sound_from, in_footer, quoted = size, 0, False, read_as.quoting != "none"
    while True:
        tape.taken.clear()
        try:
            line = next(tape)
        except StopIteration:
            return dialect.file_header(variant).named(names), cuts
        if position >= target and line_no >= sound_from:
            cuts.append(Cut(position, line_no, in_footer))
            target = position + size
        if quoted and '"' in line:
            tape.give_back()
            try:
                next(reader)
            except (csv.Error, _TooLongError):
                tape.keep_first()
                sound_from = line_no + MAX_RECORD_LINES
        in_footer = in_footer or bool(footer_marks and tape.taken[0].startswith(footer_marks))
        line_no += len(tape.taken)
        position += sum(map(length, tape.taken))


def read_part(
    part: bytes, cut: Cut, names: list[str], dialect: Dialect, encoding: Encoding, variant: str | None = None
) -> Iterator[Record]:
    """The records of the part of a file that starts at a cut and ends where the next begins."""
    read_as = dialect.under(variant)
    tape = _Tape(lines_of_part(part, encoding))
    reader = csv.reader(tape, **csv_options(read_as))  # type: ignore[arg-type]
    return _read_rows(tape, reader, cut.line_no, read_as, names, variant, cut.in_footer)


def csv_options(dialect: Dialect) -> dict[str, object]:
    """The csv module's options for a dialect. Strict: a quote that opens a cell must close it."""
    quoting = csv.QUOTE_NONE if dialect.quoting == "none" else csv.QUOTE_MINIMAL
    return {"delimiter": DELIMITERS[dialect.delimiter], "quoting": quoting, "strict": True}


def cell_order(names: list[str], dialect: Dialect, variant: str | None) -> list[int | None] | None:
    """For each of the dialect's fields its place among a file's columns, or None; no list where the places are the same."""
    expected = dialect.file_header(variant).fields
    order = [names.index(name) if name in names else None for name in expected]
    return None if order == list(range(len(names))) else order


def _read_delimited(payload: Payload, dialect: Dialect, encoding: Encoding, variant: str | None) -> Iterator[Record]:
    read_as = dialect.under(variant)
    lines = open_lines(payload, encoding)
    line_no = 1
    for _ in read_as.preamble:
        yield Record(line_no, "preamble", *split_eol(next(lines)))
        line_no += 1
    tape = _Tape(lines)
    reader = csv.reader(tape, **csv_options(read_as))  # type: ignore[arg-type]
    names = next(reader)
    text = "".join(tape.taken)
    yield Record(line_no, "header", *split_eol(text))
    line_no += len(tape.taken)
    yield from _read_rows(tape, reader, line_no, read_as, dialect.file_header(variant).named(names), variant)


def _read_rows(
    tape: _Tape,
    reader: Iterator[list[str]],
    line_no: int,
    dialect: Dialect,
    names: list[str],
    variant: str | None,
    in_footer: bool = False,
) -> Iterator[Record]:
    width, order = len(names), cell_order(names, dialect, variant)
    footer_marks = dialect.footer.starts_with if dialect.footer else ()
    blank_personal = _personal_blanker(dialect, names, variant)
    taken = tape.taken
    while True:
        taken.clear()
        error = None
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLongError) as problem:
            error = _quoting_error(problem, tape)
        text, eol = split_eol(taken[0] if len(taken) == 1 else "".join(taken))
        kind = "data"
        if footer_marks and text.startswith(footer_marks):
            kind, in_footer = "footer", True
        elif error is None and len(cells) != width:
            if in_footer:
                kind = "footer"
            elif not text.strip():
                kind = "blank"
            else:
                error = f"the row has {len(cells)} cells where the header has {width}"
        elif error is None and "\0" in text:
            error = "the row holds a NUL character: it was damaged on its way"
        elif len(taken) > 1 and error is None and _swallowed_rows(taken, width, dialect):
            error = "a cell spans lines that look like rows of their own: a quote is missing or too many"
        if kind != "data":
            yield Record(line_no, kind, text, eol)
        elif error is not None:
            yield Record(line_no, "data", WITHHELD if dialect.personal else text, eol, None, error)
        else:
            if blank_personal is not None:
                text = blank_personal(cells, text)
            yield Record(line_no, "data", text, eol, _in_order(cells, order))
        line_no += len(taken)


def _in_order(cells: Sequence[str | None], order: list[int | None] | None) -> list[str | None]:
    """The cells in the order of the dialect's fields; None for a column that the file does not have."""
    return list(cells) if order is None else [None if place is None else cells[place] for place in order]


def _quoting_error(problem: Exception, tape: _Tape) -> str:
    """What is wrong with the first line taken; the others are read again as rows of their own."""
    tape.keep_first()
    if isinstance(problem, _TooLongError):
        return f"a quote opens a cell that is not closed within {MAX_RECORD_LINES} lines"
    return f"the row cannot be cut into cells: {problem}"


def _swallowed_rows(lines: list[str], width: int, dialect: Dialect) -> bool:
    """Whether a line inside a quoted cell has the delimiters of a whole row: then half a quote may have joined two rows."""
    delimiter = DELIMITERS[dialect.delimiter]
    return any(line.count(delimiter) >= width - 1 for line in lines)


def _personal_blanker(dialect: Dialect, names: list[str], variant: str | None) -> Callable[[list[str], str], str] | None:
    """A function that blanks the personal cells in place and returns the record's text with them blanked."""
    if not dialect.personal:
        return None
    header = dialect.file_header(variant).fields
    personal = {header[dialect.position(column)] for column in dialect.personal}
    places = [place for place, name in enumerate(names) if name in personal]
    delimiter = DELIMITERS[dialect.delimiter]
    spelled = re.compile(rf'("(?:[^"]|"")*"|[^{re.escape(delimiter)}]*)(?:{re.escape(delimiter)}|\Z)')

    def blank(cells: list[str], text: str) -> str:
        if not any(cells[place] for place in places):
            return text
        raw = spelled.findall(text)[: len(cells)]
        for place in places:
            cells[place] = raw[place] = ""
        return delimiter.join(raw)

    return blank
