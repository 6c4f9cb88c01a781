"""Which format a file is in: strictly one, or a reason that says how it differs from the nearest.

Nothing is recognised by its name. A file fits a dialect when its container, encoding, preamble and header do, exactly.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import yaml
from pydantic import ValidationError

from lakehouse.errors import Misuse
from lakehouse.model.identifiers import currency_codes
from lakehouse.model.plain_yaml import read_yaml
from lakehouse.sources.dialect import DELIMITERS, HEAD_CAPTURES, Dialect, Encoding, Header
from lakehouse.sources.dsr_layouts import load_layouts, parse_row
from lakehouse.sources.grammar import number_pattern
from lakehouse.sources.limits import DEFAULT_LIMITS, Limits, Refused
from lakehouse.sources.payload import BLOCK, Payload, found_in_lines, sha256_of
from lakehouse.sources.records import csv_options, read_records
from lakehouse.sources.text import decoding_error, head, long_line
from lakehouse.sources.unpack import Member, unpack

_DSR_TYPE = re.compile(rb"([A-Z]{2}[A-Z0-9]{2}(?:\.[0-9]+)?)\t")
# How many rows decide between variants that share a header, and how large a part of them must agree.
DECIDING_ROWS = 1000
DECIDING_SHARE = 0.9
# Headers are compared name by name: a file with more columns costs time and is no report.
MAX_COLUMNS = 1000


@dataclass(frozen=True)
class Recognition:
    """What a file is. `dialect` is None when it was refused; then `reason` says why. `payload` is what was unpacked."""

    name: str
    payload: Payload
    container: str
    dialect: Dialect | None = None
    variant: str | None = None
    encoding: Encoding | None = None
    captured: dict[str, str] = field(default_factory=dict)
    reason: str | None = None

    @property
    def file_id(self) -> str:
        """SHA-256 of the bytes after unpacking: the same report has one id under any name or compression."""
        return sha256_of(self.payload)


@dataclass(frozen=True)
class Fit:
    """A dialect held against a file: it fits when there are no differences."""

    dialect: Dialect
    variant: str | None
    encoding: Encoding
    captured: dict[str, str]
    differences: tuple[str, ...]
    likeness: float


@dataclass(frozen=True)
class Dialects:
    """Every format that is known, by id."""

    by_id: dict[str, Dialect]

    def __getitem__(self, identity: str) -> Dialect:
        return self.by_id[identity]

    def recognise(
        self, data: Payload, name: str, limits: Limits = DEFAULT_LIMITS, given: Mapping[str, str] = MappingProxyType({})
    ) -> Recognition:
        """Unpacks `data` and finds the one dialect it fits. `name` is only kept, never trusted. `given` is what the person who has
        the file says of it; it counts only where the dialect declares that its files do not say it themselves."""
        try:
            members = unpack(data, name, limits)
        except Refused as refusal:
            return Recognition(name, data, "plain", reason=f"{name}: {refusal}.")
        found = self._recognise(members[0]) if len(members) == 1 else self._counting_member(members, data, name)
        return _with_given(found, given)

    def _counting_member(self, members: Sequence[Member], data: Payload, name: str) -> Recognition:
        """The one file of a ZIP, or sheet of a workbook, that is a report; summaries and lists beside it are left alone."""
        found = [(member, self._recognise(member)) for member in members]
        reports = [(member, seen) for member, seen in found if seen.dialect]
        if len(reports) == 1:
            return reports[0][1]
        if reports:
            which = ", ".join(f"{_called(member)} ({seen.dialect.id})" for member, seen in reports if seen.dialect)
            reason = f"of its {len(members)} parts exactly one must be a report; found: {which}. Send them one by one"
        else:
            reason = f"none of its {len(members)} parts is a report. " + " ".join(seen.reason or "" for _, seen in found[:3])
        return Recognition(name, data, members[0].container.split("+")[0], reason=f"{name}: {reason.removesuffix('.')}.")

    def compare(self, member: Member) -> list[Fit]:
        """How the file stands to every dialect and each of its variants."""
        text = _Text(member.payload)
        return [
            _fit(dialect, variant, member, text)
            for dialect in self.by_id.values()
            for variant in (None, *(variant.id for variant in dialect.variants))
        ]

    def _recognise(self, member: Member) -> Recognition:
        fits = self.compare(member)
        whole = [fit for fit in fits if not fit.differences]
        reason = None
        if len(whole) > 1:
            whole, reason = _decide(whole, member)
        if len(whole) == 1:
            fit = whole[0]
            reason = _dsr_refusal(fit.dialect, member.payload)
            if reason is None:
                return Recognition(
                    member.name, member.payload, member.container, fit.dialect, fit.variant, fit.encoding, fit.captured
                )
        reason = reason or _nearest(fits, member)
        return Recognition(member.name, member.payload, member.container, reason=f"{_called(member)}: {reason}.")


def load_dialects(folders: Sequence[Path]) -> Dialects:
    """Every dialect document in the folders; a later folder may not redefine an id. Record layouts of DDEX flat files are in the
    folder `dsr` beside each. Raises Misuse naming the file and the place."""
    found: dict[str, Dialect] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.yaml"))):
        dialect = load_dialect(path)
        if dialect.id in found:
            raise Misuse(f"{path}: a dialect named {dialect.id!r} exists already; give yours another id.")
        found[dialect.id] = dialect
    return Dialects(found)


def load_dialect(path: Path) -> Dialect:
    """One dialect document. Raises Misuse naming the file and the place."""
    document = path.read_bytes()
    try:
        dialect = Dialect.model_validate(read_yaml(document), strict=False)
    except yaml.YAMLError as error:
        raise Misuse(f"{path}: not YAML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise Misuse(f"{path}: {wrong}. See docs/how-to/add-a-dsp.md.") from None
    if dialect.id != path.stem:
        raise Misuse(f"{path}: the file is named after its dialect: rename it to {dialect.id}.yaml.")
    if dialect.dsr:
        layouts = path.parent.parent / "dsr" / f"{dialect.dsr.layouts}.yaml"
        dialect._layouts = load_layouts(layouts, dialect.dsr.profiles)
        document += layouts.read_bytes()
    dialect._sha256 = hashlib.sha256(document).hexdigest()
    return dialect


class _Text:
    """A file's bytes as text of each encoding that is asked for, decoded once."""

    def __init__(self, payload: Payload) -> None:
        self._payload = payload
        self._long_line = long_line(payload)
        self._errors: dict[Encoding, str | None] = {}
        self._heads: dict[Encoding, list[str]] = {}

    def error(self, encoding: Encoding) -> str | None:
        if encoding not in self._errors:
            self._errors[encoding] = self._long_line or decoding_error(self._payload, encoding)
        return self._errors[encoding]

    def head(self, encoding: Encoding) -> list[str]:
        if encoding not in self._heads:
            self._heads[encoding] = head(self._payload, encoding)
        return self._heads[encoding]


def _fit(dialect: Dialect, variant: str | None, member: Member, text: _Text) -> Fit:
    """How the file stands to a dialect in one variant, under the first of its encodings that the bytes are in."""
    read_as = dialect.under(variant)
    encoding = next((candidate for candidate in read_as.encodings if text.error(candidate) is None), read_as.encodings[0])
    fit = _compare(dialect, variant, encoding, text.head(encoding))
    strange = [part for part in member.container.split("+") if part not in read_as.containers]
    differences = [f"it lies in {', '.join(strange)} where {' or '.join(read_as.containers)} is expected"] if strange else []
    differences += [error] if (error := text.error(encoding)) is not None else []
    return replace(fit, differences=(*fit.differences, *differences)) if differences else fit


def _compare(dialect: Dialect, variant: str | None, encoding: Encoding, lines: list[str]) -> Fit:
    if dialect.dsr:
        return _compare_dsr(dialect, encoding, lines)
    captured: dict[str, str] = {}
    differences = []
    for number, pattern in enumerate(dialect.preamble, start=1):
        line = lines[number - 1] if number <= len(lines) else ""
        found = re.search(pattern, line)
        if found is None:
            differences.append(f"line {number} is {line[:80]!r} where a line like {pattern} is expected")
        else:
            captured.update({name: value for name, value in found.groupdict().items() if value is not None})
    read_as, header = dialect.under(variant), dialect.file_header(variant)
    place = len(dialect.preamble)
    names = header.named(_header_cells(lines[place] if place < len(lines) else "", read_as))
    differences += _header_differences(names, header)
    return Fit(dialect, variant, encoding, captured, tuple(differences), _likeness(lines, read_as, header))


def _header_cells(line: str, dialect: Dialect) -> list[str]:
    try:
        return next(csv.reader([line], **csv_options(dialect)), [])  # type: ignore[arg-type]
    except csv.Error:
        return line.split(DELIMITERS[dialect.delimiter])


def _header_differences(names: list[str], header: Header) -> list[str]:
    """What keeps a file's columns from being the header's, column by column; empty when they are."""
    if len(names) > MAX_COLUMNS:
        return [f"it has {len(names)} columns, more than any report"]
    missing = [f"column {column!r} is missing" for column in header.columns if column not in names]
    unknown = [f"column {place} {name!r} is not known" for place, name in enumerate(names, start=1) if name not in header.fields]
    twice = [f"column {name!r} stands twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if missing or unknown or twice or header.order == "set":
        return missing + unknown + twice
    expected = [*header.columns, *(column for column in header.optional if column in names)]
    moved = zip(names, expected, strict=True)
    return [
        f"column {place} is {name!r} where {right!r} is expected"
        for place, (name, right) in enumerate(moved, start=1)
        if name != right
    ]


def _likeness(lines: list[str], dialect: Dialect, header: Header) -> float:
    """How much of the header is found in one of the first lines, from 0 to 1: only to name the nearest dialect."""
    expected = {column.casefold() for column in header.columns}
    best = 0.0
    for line in lines[:5]:
        names = {name.strip().casefold() for name in header.named(_header_cells(line, dialect))}
        best = max(best, len(names & expected) / len(names | expected))
    return best


def _compare_dsr(dialect: Dialect, encoding: Encoding, lines: list[str]) -> Fit:
    assert dialect.dsr is not None
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    kind = first.partition("\t")[0]
    headed = kind in ("HEAD", "SRHE")
    row = parse_row(first, dialect.layouts) if headed else "the first record is neither HEAD nor SRHE"
    profiles = dialect.dsr.profiles
    known = {name.casefold() + variant for name in profiles for variant in ("", "srb")}
    if isinstance(row, str):
        # What passes for the profile still tells which dialect is nearest.
        named = any(cell.casefold() in known for cell in first.split("\t"))
        return Fit(dialect, None, encoding, {}, (row,), (0.7 if named else 0.5) if headed else 0.0)
    same = row["Profile"].casefold() in known
    difference = f"{kind} declares the profile {row['Profile']!r} where {' or '.join(profiles)} is expected"
    captured = {name: row[name] for name in HEAD_CAPTURES if row.get(name)}
    return Fit(dialect, None, encoding, captured, () if same else (difference,), 0.9 if same else 0.6)


def _dsr_refusal(dialect: Dialect, payload: Payload) -> str | None:
    """Names the record types of a DSR file that the dialect has no layout for."""
    if not dialect.dsr:
        return None
    unknown = sorted({kind.decode() for kind in found_in_lines(_DSR_TYPE, payload)} - set(dialect.layouts.records))
    return f"{dialect.id} has no layout for record {', '.join(unknown)}" if unknown else None


def _decide(fits: list[Fit], member: Member) -> tuple[list[Fit], str | None]:
    """Between variants with one header: the one whose numbers the file has. A file without a telling number fits the first."""
    dialect = fits[0].dialect
    if any(fit.dialect.id != dialect.id for fit in fits) or not dialect.decided_by:
        return [], f"it fits more than one dialect: {', '.join(sorted({fit.dialect.id for fit in fits}))}"
    places = [dialect.position(column) for column in dialect.decided_by]
    records = (record for record in read_records(member.payload, dialect, fits[0].encoding, fits[0].variant) if record.cells)
    patterns = [re.compile(number_pattern(dialect.under(fit.variant).grammar)) for fit in fits]
    votes = [0] * len(fits)
    for record in islice(records, DECIDING_ROWS):
        for text in ((record.cells or [])[place] for place in places):
            fitting = [bool(pattern.fullmatch((text or "").strip())) for pattern in patterns]
            if sum(fitting) == 1:
                votes[fitting.index(True)] += 1
    if sum(votes) == 0:
        return fits[:1], None
    best = max(range(len(fits)), key=lambda place: votes[place])
    if votes[best] >= DECIDING_SHARE * sum(votes):
        return [fits[best]], None
    counted = ", ".join(f"{count} as {fit.variant or 'the plain form'}" for fit, count in zip(fits, votes, strict=True))
    return [], f"{dialect.id}: its numbers are written in two ways ({counted})"


def _called(member: Member) -> str:
    return f"{member.name}, {member.part}" if member.part else member.name


def _with_given(found: Recognition, given: Mapping[str, str]) -> Recognition:
    """The recognition with what its dialect needs to be told; refused where that was not told, or is no currency."""
    needed = found.dialect.given if found.dialect else ()
    told: dict[str, str] = {name: given[name].upper() for name in needed if name in given}
    untold = [name for name in needed if name not in told]
    kind = f"{found.name} is a report of {found.dialect.name}" if found.dialect else ""
    if untold:
        reason = f"{kind}, which does not say its {untold[0]}: give it, as in --given {untold[0]}=EUR."
        return replace(found, dialect=None, variant=None, encoding=None, reason=reason)
    if told.get("currency", "EUR") not in currency_codes():
        reason = f"{kind}, and {told['currency']!r} is no ISO 4217 currency code: give one, as in --given currency=EUR."
        return replace(found, dialect=None, variant=None, encoding=None, reason=reason)
    return replace(found, captured={**found.captured, **told}) if told else found


def _nearest(fits: list[Fit], member: Member) -> str:
    if not member.payload[:BLOCK].strip():
        return "it is empty"
    best = max(fits, key=lambda fit: (fit.likeness, -len(fit.differences)), default=None)
    if best is None or best.likeness < 0.2:
        return "no known report looks like it"
    differences = list(best.differences)
    if len(differences) > 8:
        differences = [*differences[:8], f"and {len(differences) - 8} more differences"]
    under = f", variant {best.variant}" if best.variant else ""
    return f"no dialect fits; the nearest is {best.dialect.id}{under} ({best.dialect.name}), but {'; '.join(differences)}"
