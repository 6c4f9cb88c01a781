"""Documents that people write: the contract book on disk, and periods on the command line. No JVM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Misuse
from lakehouse.model.lint import read_book
from lakehouse.model.lint_catalog import KnownNames
from lakehouse.settings import conf_dir
from lakehouse.tables.declare import PERIOD_PATTERN

if TYPE_CHECKING:
    from lakehouse.store.reader import LakeReader


def check_period(period: str) -> str:
    """The period, if it is one. Raises Misuse."""
    if not re.match(PERIOD_PATTERN, period):
        raise Misuse(f"{period!r} is not a statement period: write YYYY-MM, such as 2026-06.")
    return period


def book_documents(path: Path) -> dict[str, str]:
    """Path inside the book: text, of every YAML file below `path`, or of the one file it is, with the shipped presets it names.

    Raises Misuse where there is none.
    """
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml"))
    if not files:
        raise Misuse(f"There is no YAML file in {path}.")
    base = path.parent if path.is_file() else path
    try:
        documents = {file.relative_to(base).as_posix(): file.read_text(encoding="utf-8") for file in files}
    except UnicodeDecodeError as error:
        raise Misuse(f"A contract in {path} is not UTF-8: {error}") from None
    return {**_presets_named(documents), **documents}


def _presets_named(documents: dict[str, str]) -> dict[str, str]:
    """The shipped presets that a book names, as documents of the book: it stays what it was loaded as when a preset is renewed."""
    named = {name for text in documents.values() for name in re.findall(r"\bpreset:\s*[\"']?([\w-]+)", text)}
    files = {name: conf_dir() / "presets" / f"{name}.yaml" for name in sorted(named)}
    return {f"presets/{name}.yaml": file.read_text(encoding="utf-8") for name, file in files.items() if file.exists()}


def lint_book(path: Path, catalog: Sequence[Path] = (), lake: LakeReader | None = None) -> list[dict[str, Any]]:
    """Findings of the book at `path`: file, line, rule, severity, message. Names are held against the catalog in files or in a lake,
    where one is given. Raises Misuse for a catalog that cannot be read."""
    return [asdict(finding) for finding in read_book(book_documents(path), _known(catalog, lake))[1]]


def _known(catalog: Sequence[Path], lake: LakeReader | None) -> KnownNames | None:
    from lakehouse.sources.catalog import read_catalog

    rows = read_catalog(catalog).recordings if catalog else []
    if lake is not None:
        columns = "recording_id, isrc, upc, artist, label, release_type, catalog_group"
        rows += lake.sql(f"SELECT {columns} FROM {lake.relation('silver.catalog')}")
    return KnownNames.of(rows) if catalog or lake is not None else None
