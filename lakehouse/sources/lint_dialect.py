"""What is wrong with a dialect document, with file, line and a sentence, before any report is read by it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from lakehouse.errors import Misuse
from lakehouse.model.plain_yaml import read_yaml
from lakehouse.sources.dialect import Dialect
from lakehouse.sources.draft import OPEN
from lakehouse.sources.dsr_layouts import load_layouts
from lakehouse.sources.recognise import Dialects

Finding = dict[str, Any]


def lint_dialect(path: Path, known: Dialects) -> list[Finding]:
    """Findings {file, line, rule, severity, message}, in the order of lines. `known` are the dialects it must be told from; one of its
    own id and file is left out of account."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{path}: cannot be read: {error}.") from None
    return sorted(_findings(path, text, known), key=lambda finding: (finding["line"], finding["rule"]))


def _findings(path: Path, text: str, known: Dialects) -> Iterator[Finding]:
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        document = read_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        yield _finding(path, line, "yaml", f"not YAML: {error.problem}")
        return
    except yaml.YAMLError as error:
        yield _finding(path, 1, "yaml", f"not YAML: {error}")
        return
    if not isinstance(document, Mapping):
        yield _finding(path, 1, "yaml", "a dialect is a mapping: id, name, header, map, ...")
        return
    yield from _open(path, text)
    try:
        dialect = Dialect.model_validate(document, strict=False)
    except ValidationError as error:
        for item in error.errors():
            message = item["msg"].removeprefix("Value error, ")
            for sentence in [part for part in message.split("; ") if OPEN not in part]:
                where = ".".join(map(str, item["loc"]))
                line = _line_of(tree, item["loc"]) if item["loc"] else _line_mentioning(text, sentence)
                yield _finding(path, line, item["type"], f"{where}: {sentence}" if where else sentence)
        return
    yield from _sense(path, text, dialect, known)


def _open(path: Path, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), start=1):
        if f'"{OPEN}' in line:
            yield _finding(path, number, "open", f"left open by the draft: {line.split(':')[0].strip()}")


def _sense(path: Path, text: str, dialect: Dialect, known: Dialects) -> Iterator[Finding]:
    """What a valid document may still get wrong."""
    if dialect.id != path.stem:
        yield _finding(
            path, _line_at(text, "id:"), "name", f"the file is named after its dialect: rename it to {dialect.id}.yaml"
        )
    for pattern in dialect.preamble:
        try:
            re.compile(pattern)
        except re.error as error:
            yield _finding(path, _line_at(text, "preamble:"), "pattern", f"{pattern!r} is no regular expression: {error}")
    if dialect.dsr:
        try:
            load_layouts(path.parent.parent / "dsr" / f"{dialect.dsr.layouts}.yaml", dialect.dsr.profiles)
        except Misuse as error:
            yield _finding(path, _line_at(text, "dsr:"), "layouts", str(error))
    others = [other for other in known.by_id.values() if other.id != dialect.id]
    for other in others:
        if _same_look(dialect, other):
            message = (
                f"a file of it also fits {other.id}: both have the same header and preamble, and every file would be refused"
            )
            yield _finding(path, _line_at(text, "header:"), "ambiguous", message)
    for column in _like_money(dialect):
        message = f"{column!r} looks like money and is neither mapped nor kept: list it under amounts, or say in doc why not"
        yield _finding(path, _line_at(text, column), "unused_amount", message, "warn")


def _same_look(one: Dialect, other: Dialect) -> bool:
    shared = {*one.encodings} & {*other.encodings} and {*one.containers} & {*other.containers}
    if one.dsr or other.dsr or not shared or one.preamble != other.preamble:
        return False
    return bool({(d.delimiter, d.header.columns) for d in _forms(one)} & {(d.delimiter, d.header.columns) for d in _forms(other)})


def _forms(dialect: Dialect) -> list[Dialect]:
    names: Sequence[str | None] = (None, *(variant.id for variant in dialect.variants))
    return [dialect.under(name).model_copy(update={"header": dialect.file_header(name)}) for name in names]


def _like_money(dialect: Dialect) -> list[str]:
    used = {column for read in dialect.map.values() for column in read.columns} | {*dialect.amounts, *dialect.personal}
    used |= {column for check in dialect.checks for column in check.columns}
    money = re.compile(r"\b(revenue|royalt(y|ies)|earnings|amount|payable|net|gross)\b", re.IGNORECASE)
    return [
        column for column in dialect.fields if not dialect.dsr and column not in used and money.search(column.replace("_", " "))
    ]


def _line_of(tree: yaml.Node | None, where: Sequence[str | int]) -> int:
    """The line of the deepest part of the document that the place names."""
    node, line = tree, 1
    for step in where:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _line_mentioning(text: str, sentence: str) -> int:
    """The line of what a sentence about the whole document quotes, else of the section it begins with."""
    section = sentence.split(":")[0] + ":"
    quoted = re.search("'([^']+)'", sentence)
    at = _line_at(text, section)
    return _line_at(text, quoted[1], at) if quoted else at


def _line_at(text: str, part: str, start: int = 1) -> int:
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if number >= start and part in line), start)


def _finding(path: Path, line: int, rule: str, message: str, severity: str = "error") -> Finding:
    return {"file": str(path), "line": line, "rule": rule, "severity": severity, "message": message.rstrip(".") + "."}
