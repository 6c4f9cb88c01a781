"""The house has one direction: a room imports only from the rooms below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "lakehouse"

# Lowest first. A room may import from its own line and from the lines above it in this list.
FLOORS = (
    {"errors", "__init__"},
    {"model"},
    {"settings"},
    {"tables", "jars", "archive", "place"},
    {"session", "sources", "transforms", "checks", "demo"},
    {"store"},
    {"views", "export"},
    {"runs"},
    {"cli", "dags", "lake"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# `demo` is the witness: it may use nothing that it is a witness about.
WITNESS = {"demo"}
HEAVY = {"model": {"pyspark", "delta", "deltalake", "duckdb"}, "tables": {"pyspark", "delta"}}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def runtime_imports(tree: ast.Module) -> list[tuple[int, str]]:
    """(line, module) of every import that runs; those for type checkers alone do not count."""
    found: list[tuple[int, str]] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.extend((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.lineno, node.module))
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_from_the_rooms_below(path: Path) -> None:
    room = room_of(path)
    for line, module in runtime_imports(ast.parse(path.read_text(encoding="utf-8"))):
        package, _, rest = module.partition(".")
        if package == "lakehouse" and rest:
            other = rest.split(".")[0]
            assert FLOOR[other] <= FLOOR[room], f"{path.name}:{line} imports {module}: {other} stands above {room}"
            if room in WITNESS:
                assert other in ({"errors", "demo"}), f"{path.name}:{line} imports {module}: the witness must not know the engine"
        assert package not in HEAVY.get(room, set()), f"{path.name}:{line} imports {module}: {room} works without it"


def test_every_room_has_its_floor() -> None:
    assert {room_of(path) for path in modules()} <= set(FLOOR)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_store_and_the_sources_touch_delta(path: Path) -> None:
    if room_of(path) == "store":
        return
    text = path.read_text(encoding="utf-8")
    for way in ('.format("delta")', "DeltaTable", "write_deltalake"):
        assert way not in text, f"{path.name} goes to Delta by itself ({way}): that is the store's"


def test_no_file_is_too_long_to_be_read() -> None:
    long = {path.name: n for path in modules() if (n := len(path.read_text(encoding="utf-8").splitlines())) > 420}
    assert not long
