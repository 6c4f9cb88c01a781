"""YAML documents that remember their lines, so that an error can say where it is."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

Path = tuple[Hashable, ...]


def told(error: ValidationError, whole: str = "") -> str:
    """Every wrong key with what is wrong, on one line; `whole` names what is wrong as a whole."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or whole}: {_sentence(e)}" for e in error.errors())


def _sentence(error: Mapping[str, Any]) -> str:
    """What Pydantic found wrong, in the words of a document rather than of a program."""
    context = error.get("ctx") or {}
    match error["type"]:
        case "extra_forbidden":
            return "there is no such key here"
        case "missing":
            return "is missing"
        case "union_tag_invalid":
            return f"{context['tag']!r} is not one of {str(context['expected_tags']).replace(chr(39), '')}"
        case "union_tag_not_found":
            return f"says no {str(context['discriminator']).replace(chr(39), '')}"
        case "dict_type" | "model_type":
            return f"{_shown(error)} stands where keys are expected: {{key: value, ...}}"
        case "tuple_type" | "list_type":
            return f"{_shown(error)} stands where a list is expected: [..., ...]"
        case "string_type":
            return f"{_shown(error)} stands where one value is expected"
        case "int_parsing":
            return f"{error['input']!r} is not a whole number"
        case "literal_error":
            return f"{error['input']!r} is not one of {str(context['expected']).replace(chr(39) * 2 + ', ', '').replace(chr(39), '')}"
        case "string_pattern_mismatch" if str(context["pattern"]).startswith(r"^\d{4}-"):
            days = " or a day such as 2026-06-30" if "-(0[1-9]|[12]" in context["pattern"] else ""
            return f"{error['input']!r} is not a month such as 2026-06{days}"
    return str(error["msg"]).removeprefix("Value error, ")


def _shown(error: Mapping[str, Any]) -> str:
    """What the document has in that place, in a few words."""
    value = error.get("input")
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "nothing" if value is None else repr(value)


@dataclass(frozen=True)
class Finding:
    """Something to act on in a document: where, which rule, how bad, and what to do."""

    file: str
    line: int
    rule: str
    severity: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Document:
    """A YAML document: its data, and the line (from 1) on which each of its nodes starts."""

    file: str
    data: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of the node at `path`, or of its nearest ancestor."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def finding(self, path: Path, rule: str, message: str, severity: str = "error") -> Finding:
        return Finding(self.file, self.line(path), rule, severity, message)

    def findings_of(self, error: ValidationError) -> list[Finding]:
        """What Pydantic found wrong, each with its line. Union tags in the location are not part of the document."""
        found = []
        for item in error.errors():
            path = self._known(item["loc"])
            # A key that is missing has no place of its own: it is named all the same.
            named = (*path, item["loc"][-1]) if item["type"] == "missing" else path
            name = ".".join(str(key) for key in named) or "document"
            found.append(self.finding(path, item["type"], f"{name}: {_sentence(item)}"))
        return found

    def _known(self, location: tuple[int | str, ...]) -> Path:
        path: Path = ()
        for key in location:
            if (*path, key) in self.lines:
                path = (*path, key)
        return path


class _StrictLoader(yaml.SafeLoader):
    """Scalars stay what is written: no dates, no numbers, no yes/no; a key given twice is an error, and so is an alias."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            problem = "an alias stands for a value written elsewhere: write the value out"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(text: str, file: str) -> Document | Finding:
    """The one document of a text, or the finding that says why it is not YAML."""
    found = read_documents(text, file)
    refused = next((one for one in found if isinstance(one, Finding)), None)
    if refused or len(found) == 1:
        return refused or found[0]
    assert isinstance(found[1], Document)
    return found[1].finding((), "yaml", "one document is expected, but found another document")


def read_documents(text: str, file: str) -> list[Document | Finding]:
    """Every document of a text, parted by ``---``, or the finding that says why it is not YAML."""
    found: list[Document | Finding] = []
    try:
        loader = _StrictLoader(text)
        while loader.check_node():
            node = loader.get_node()
            lines: dict[Path, int] = {}
            _walk(node, (), lines, loader)
            found.append(Document(file, loader.construct_document(node), lines))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return [*found, Finding(file, mark.line + 1 if mark else 1, "yaml", "error", str(getattr(error, "problem", error)))]
    except RecursionError:
        return [*found, Finding(file, 1, "yaml", "error", "the document is nested too deeply to be read")]
    return found or [Document(file, None, {})]


def _walk(node: yaml.Node | None, path: Path, lines: dict[Path, int], loader: yaml.SafeLoader) -> None:
    if node is None:
        return
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*path, index), lines, loader)
    elif isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            key = loader.construct_object(key_node)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a key is a list or a mapping", key_node.start_mark)
            if (*path, key) in lines:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
            _walk(value, (*path, key), lines, loader)
            lines[(*path, key)] = key_node.start_mark.line + 1


def book_sha256(documents: Mapping[str, str]) -> str:
    """SHA-256 over the documents of a book: path, length and text of each, in order of path."""
    digest = hashlib.sha256()
    for file, text in sorted(documents.items()):
        content = text.encode()
        digest.update(f"{file}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
