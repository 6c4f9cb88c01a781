"""`lakehouse match`: links tables without a lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from lakehouse.cli import app
from lakehouse.cli.frame import Output, command, table
from lakehouse.errors import Misuse

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

_MAP_HELP = "The table's COLUMN is the standard NAME: id, source, title, artist, album, label, isrc, upc, duration, year or track_number. Again for each."


class _TablesByDefault(typer.core.TyperGroup):
    """`lakehouse match LEFT` is `lakehouse match tables LEFT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args and args[0] in {*self.commands, "--help"} else ["tables", *args])


linking = typer.Typer(
    cls=_TablesByDefault, no_args_is_help=False,
    help="Links the records of two tables, or of the sources inside one: `lakehouse match LEFT [RIGHT]` is `lakehouse match tables LEFT [RIGHT]`.",
)  # fmt: skip
app.add_typer(linking, name="match")

Left = Annotated[Path, typer.Argument(metavar="LEFT", help="A table: CSV or Parquet.", exists=True, dir_okay=False)]
Right = Annotated[Path | None, typer.Argument(metavar="[RIGHT]", help="Another. Without it, the records inside LEFT are linked.", exists=True, dir_okay=False)]  # fmt: skip
Renamed = Annotated[list[str] | None, typer.Option("--map", metavar="COLUMN=NAME", help=_MAP_HELP)]


@command(linking, "tables")
def match(
    env: Environment, out: Output, left: Left, right: Right = None,
    pairs: Annotated[Path, typer.Option("--out", metavar="PAIRS", help="The pairs found, as .csv or .parquet.")] = Path("pairs.csv"),
    renamed: Renamed = None,
    model: Annotated[Path | None, typer.Option("--model", metavar="MODEL", help="Weigh by the model that `match fit` wrote; by default the shipped one, re-estimated on these tables.", exists=True, dir_okay=False)] = None,
) -> int:  # fmt: skip
    """Links the records of two tables, or of the sources inside one, with the shipped matcher."""
    from lakehouse.model.linkage.rules import load_linkage
    from lakehouse.runs.match import match_tables
    from lakehouse.settings import conf_dir
    from lakehouse.sources.linkage_model import read_model

    rules = load_linkage(conf_dir() / "linkage.yaml")
    given = read_model(model) if model else None
    out.show(match_tables(left, right, pairs, _renamed(renamed or []), rules, given), print_matched)
    return 0


@command(linking, "fit")
def match_fit(
    env: Environment, out: Output,
    left: Annotated[Path | None, typer.Argument(metavar="[LEFT]", help="A table: CSV or Parquet. Without it, the lake's own usage keys and catalog are compared.", exists=True, dir_okay=False)] = None,
    right: Right = None,
    model: Annotated[Path, typer.Option("--out", metavar="MODEL", help="The model, as YAML.")] = Path("linkage-model.yaml"),
    renamed: Renamed = None,
) -> int:  # fmt: skip
    """Re-estimates the model of linking, without labels, on tables of your own or on the lake's own candidates, and writes it for `match --model`."""
    from lakehouse.model.linkage.rules import load_linkage
    from lakehouse.runs.match import fit_lake, fit_tables
    from lakehouse.settings import conf_dir

    if renamed and not left:
        raise Misuse("--map names columns of a table, and the lake's own need no names: give the table, or leave --map out.")
    rules = load_linkage(conf_dir() / "linkage.yaml")
    done = fit_tables(left, right, model, _renamed(renamed or []), rules) if left else fit_lake(env.reader, model, rules)
    out.show(
        done,
        lambda d: typer.echo(
            f"{model}: estimated on {d['candidates']} candidate pairs in {d['seconds']} s, sha256 {d['model']}."
        ),
    )
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
