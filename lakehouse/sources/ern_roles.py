"""The classes in which a catalog speaks of contributors, by the roles that DDEX ERN messages give them: conf/ern/role_classes.yaml."""

from __future__ import annotations

from functools import cache
from typing import Final

from lakehouse.model.plain_yaml import read_yaml
from lakehouse.settings import conf_dir

CLASSES: Final = ("primary", "featured", "composer", "lyricist", "producer", "engineer", "remixer", "session musician")


def classes_of(role: str) -> tuple[str, ...]:
    """What a role comes to, in the order of CLASSES; nothing for a role that is of another kind, or that the standard does not list."""
    return tuple(name for name in CLASSES if role in _roles()[name])


@cache
def _roles() -> dict[str, frozenset[str]]:
    document = read_yaml((conf_dir() / "ern" / "role_classes.yaml").read_text(encoding="utf-8"))
    return {name: frozenset(roles.split()) for name, roles in document.items()}
