"""`lakehouse match`: links tables without a lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli import app
from lakehouse.cli.frame import Output, command, table
from lakehouse.errors import Misuse

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

_MAP_HELP = "The table's COLUMN is the standard NAME: id, source, title, artist, album, label, isrc, upc, duration, year or track_number. Again for each."


@command(app, "match")
def match(
    env: Environment, out: Output,
    left: Annotated[Path, typer.Argument(metavar="LEFT", help="A table: CSV or Parquet.", exists=True, dir_okay=False)],
    right: Annotated[Path | None, typer.Argument(metavar="[RIGHT]", help="Another. Without it, the records inside LEFT are linked.", exists=True, dir_okay=False)] = None,
    pairs: Annotated[Path, typer.Option("--out", metavar="PAIRS", help="The pairs found, as .csv or .parquet.")] = Path("pairs.csv"),
    renamed: Annotated[list[str] | None, typer.Option("--map", metavar="COLUMN=NAME", help=_MAP_HELP)] = None,
) -> int:  # fmt: skip
    """Links the records of two tables, or of the sources inside one, with the shipped matcher."""
    from lakehouse.model.linkage.rules import load_linkage
    from lakehouse.runs.match import match_tables
    from lakehouse.settings import conf_dir

    rules = load_linkage(conf_dir() / "linkage.yaml")
    out.show(match_tables(left, right, pairs, _renamed(renamed or []), rules), print_matched)
    return 0


def _renamed(given: list[str]) -> dict[str, str]:
    from lakehouse.model.linkage.layouts import COLUMNS

    names = {}
    for each in given:
        column, found, name = each.partition("=")
        if name not in COLUMNS and column in COLUMNS:
            column, name = name, column
        if not found or name not in COLUMNS or not column:
            raise Misuse(f"--map {each}: write COLUMN=NAME, where NAME is one of {', '.join(COLUMNS)}.")
        names[name] = column
    return names


def print_matched(done: dict[str, Any]) -> None:
    sizes = f"{done['left']} records" + (f" and {done['right']}" if done["right"] is not None else "")
    typer.echo(f"{sizes}: {done['pairs']} pairs in {done['seconds']} s.")
    for finding in done["findings"]:
        typer.echo(f"{finding['file']}: {finding['message']}")
    table([{"band": band, "pairs": count} for band, count in done["by_band"].items()])
