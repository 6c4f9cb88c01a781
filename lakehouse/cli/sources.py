"""Commands about report formats. None of them needs a lake or a JVM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.cli import app
from lakehouse.cli.frame import Output, command, table
from lakehouse.errors import Misuse
from lakehouse.settings import conf_dir, load_settings

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment
    from lakehouse.sources.recognise import Dialects

sources = typer.Typer(help="Report formats: those known, and those to be.", no_args_is_help=True)
app.add_typer(sources, name="sources")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="One file.")]
Own = Annotated[
    Path | None, typer.Option("--sources", metavar="DIR", file_okay=False, exists=True, help="A folder of dialects of your own.")
]


@command(sources, "list")
def list_sources(env: Environment, out: Output, own: Own = None) -> int:
    """Every report format that is recognised."""
    rows = [
        {
            "id": dialect.id, "name": dialect.name, "version": dialect.version, "shape": dialect.shape, "containers": list(dialect.containers),
            "encodings": list(dialect.encodings), "columns": len(dialect.header.columns), "variants": [v.id for v in dialect.variants],
        }
        for dialect in _dialects(env, own).by_id.values()
    ]  # fmt: skip
    out.show(rows, lambda found: table([{k: _joined(v) for k, v in row.items() if k != "containers"} for row in found]))
    return 0


@command(sources, "lint")
def lint(env: Environment, out: Output, file: File, own: Own = None) -> int:
    """Finds what is wrong with a dialect document, with line, rule and a sentence."""
    from lakehouse.sources.lint_dialect import lint_dialect
    from lakehouse.sources.recognise import load_dialects

    # A folder of one's own may hold the very document that is wrong, and would then not load at all.
    beside = own is not None and own.resolve() == file.parent.resolve()
    findings = lint_dialect(file, load_dialects([conf_dir() / "sources"]) if beside else _dialects(env, own))
    out.show(findings, lambda found: table(found, title="Nothing is wrong." if not found else None))
    return 1 if any(finding["severity"] == "error" for finding in findings) else 0


@command(sources, "sniff")
def sniff(env: Environment, out: Output, file: File, own: Own = None) -> int:
    """What a file looks like, and how it differs from the formats nearest to it, column by column."""
    from lakehouse.sources.sniff import sniff as sniffed

    found = sniffed(file.read_bytes(), file.name, _dialects(env, own))
    out.show(found, print_sniffed)
    return 0 if found["dialect"] else 1


def print_sniffed(found: dict[str, Any]) -> None:
    typer.echo(f"{found['name']} is a {found['dialect']} report." if found["dialect"] else found["reason"])
    for part in found["parts"]:
        looks = part["looks"]
        called = " ".join(filter(None, (part["name"], part["part"])))
        if looks is None:
            typer.echo(f"\n{called}: {part['bytes']} bytes ({part['container']}) that look like no table.")
        else:
            facts = f"{looks['encoding']}, {looks['line_end']}, delimiter {looks['delimiter']}, {len(looks['header'])} columns"
            typer.echo(f"\n{called} ({part['container']}): {facts}; {looks['rows']} rows looked at.")
            table(looks["columns"], columns=("place", "name", "kind", "spelling", "filled"))
        for near in [] if found["dialect"] else part["nearest"]:
            variant = f", variant {near['variant']}" if near["variant"] else ""
            if near["fits"]:
                typer.echo(f"It has the form of {near['dialect']}{variant} ({near['name']}): what it lacks is said above.")
                continue
            typer.echo(f"Like {near['dialect']}{variant} ({near['name']}), but:")
            differing = [column for column in near["columns"] if column["status"] not in ("same", "optional")]
            if differing:
                table(differing)
            else:
                typer.echo("".join(f"  {difference}\n" for difference in near["differences"]))


@command(sources, "draft")
def draft(
    env: Environment, out: Output, file: File,
    identity: Annotated[str | None, typer.Option("--id", help="The dialect's id; from the file's name without it.")] = None,
    folder: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the document.")] = Path(),
) -> int:  # fmt: skip
    """Writes a first dialect document from an unknown file, for a person to finish."""
    from lakehouse.sources.draft import dialect_id
    from lakehouse.sources.draft import draft as drafted
    from lakehouse.sources.guess import guess_table
    from lakehouse.sources.unpack import Refused, unpack

    try:
        parts = unpack(file.read_bytes(), file.name)
    except Refused as refusal:
        raise Misuse(f"{file}: {refusal}.") from None
    tables = [found for part in parts if (found := guess_table(part.payload))]
    if not tables:
        raise Misuse(f"{file}: it looks like no table; a dialect reads text with a header and a delimiter.")
    name = identity or dialect_id(file.name)
    path = folder / f"{name}.yaml"
    if path.exists():
        raise Misuse(f"{path} exists already. Give another --id or --out.")
    text, left = drafted(max(tables, key=lambda found: (found.rows, len(found.header))), name)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out.show({"id": name, "path": str(path), "open": left}, print_drafted)
    return 0


def print_drafted(drafted: dict[str, Any]) -> None:
    typer.echo(f"{drafted['path']} is written. To finish it:")
    for sentence in drafted["open"]:
        typer.echo(f"  {sentence}")
    typer.echo(f"Then: lakehouse sources lint {drafted['path']}")


def _dialects(env: Environment, own: Path | None) -> Dialects:
    """The dialects shipped, and those of one's own folder: the one given here, else the setting's."""
    from lakehouse.runs.environment import Environment

    return Environment(load_settings(root=env.settings.root, sources=own)).dialects if own else env.dialects


def _joined(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value
