"""An audit pack of a period of this lake, with the rules of this environment where they are those of its publication."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lakehouse
from lakehouse.errors import Misuse
from lakehouse.export.audit import Rules, write_audit_pack
from lakehouse.runs.environment import Environment
from lakehouse.settings import conf_dir

_PACKAGE = Path(lakehouse.__file__).parent


def audit_pack(env: Environment, period: str, out: Path, reports: bool = True) -> dict[str, Any]:
    """Writes the pack: {period, root, dir, files, reports, rows}. Raises Misuse and Findings as `write_audit_pack` does."""
    return write_audit_pack(env.reader, period, out, rules_in_force(env), _content_root_page(), reports)


def rules_in_force(env: Environment) -> Rules:
    """The rules of this environment as documents, with what identifies them."""
    folders = [conf_dir() / "sources", *([env.settings.sources] if env.settings.sources else [])]
    known = env.dialects.by_id
    documents = {
        "rules/matching.txt": env.rules.canonical.encode(),
        "rules/channels.json": env.channels.canonical.encode(),
    }
    of_dialect: dict[str, tuple[str, ...]] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.yaml"))):
        documents[f"rules/sources/{file.name}"] = file.read_bytes()
        of_dialect[file.stem] = (f"rules/sources/{file.name}",)
        if (dsr := known[file.stem].dsr) is not None:
            documents[f"rules/dsr/{dsr.layouts}.yaml"] = (file.parent.parent / "dsr" / f"{dsr.layouts}.yaml").read_bytes()
            of_dialect[file.stem] += (f"rules/dsr/{dsr.layouts}.yaml",)
    return Rules(
        digest=env.rules_sha256,
        documents=documents,
        dialects={name: dialect.sha256 for name, dialect in known.items()},
        of_dialect=of_dialect,
        withheld=tuple(sorted(name for name, dialect in known.items() if dialect.personal)),
    )


def _content_root_page() -> bytes:
    """The page on content roots: in docs/ of a checkout, or inside the installed package."""
    places = (_PACKAGE.parent / "docs" / "reference" / "content-root.md", _PACKAGE / "reference" / "content-root.md")
    for place in places:
        if place.is_file():
            return place.read_bytes()
    raise Misuse(f"content-root.md is in none of {', '.join(map(str, places))}: the installation is not whole.")
