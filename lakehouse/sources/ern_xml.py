"""Reading elements of a DDEX message by their local names, and naming the place of one as an XPath."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

# Written on an element that is read from a stream: its number among its kind, which costs too much to count anew each time.
NUMBER = "number-of-its-kind"
_LOCAL = re.compile(r"\{[^}]*\}")


def local(element: _Element) -> str:
    return _LOCAL.sub("", str(element.tag))


def elements(element: _Element, *paths: str) -> Iterator[_Element]:
    """The elements under any of the paths, whose steps are local names; `..` first for any depth."""
    for path in paths:
        deep, path = (".//", path[2:]) if path.startswith("..") else ("", path)
        yield from element.iterfind(deep + "/".join(f"{{*}}{step}" for step in path.split("/")))


def texts(element: _Element, *paths: str) -> list[str]:
    """The texts that are not blank under any of the paths, in order, each once."""
    return list(dict.fromkeys(text for found in elements(element, *paths) if (text := stripped(found))))


def first(element: _Element, *paths: str) -> str | None:
    """The first text under the paths, in their order of preference."""
    return next((text for path in paths for text in texts(element, path)), None)


def stripped(element: _Element) -> str | None:
    return " ".join((element.text or "").split()) or None


def xpath(element: _Element, missing: str = "") -> str:
    """Where the element stands, by local names, with its number among siblings of its name; `missing` is what it lacks."""
    steps = []
    for step in (element, *element.iterancestors()):
        known = step.get(NUMBER)
        before = int(known) - 1 if known else sum(1 for _ in step.itersiblings(step.tag, preceding=True))
        # A list stands once in a message; what it holds is numbered from the first on.
        once = step.getparent() is None or local(step).endswith("List")
        steps.append(local(step) if once and not before else f"{local(step)}[{before + 1}]")
    return "/" + "/".join(reversed(steps)) + (f"/{missing}" if missing else "")
