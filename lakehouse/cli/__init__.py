"""The command line: `lakehouse --help`. Thin; every answer comes from the rooms below."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="lakehouse", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="From DSP usage and sales reports to royalty statements that anyone can verify.",
)  # fmt: skip


def main() -> None:
    """The entry point of the `lakehouse` command."""
    from lakehouse.cli import contracts, look, match, review, routing, sources, work  # noqa: F401  (importing them registers their commands)

    app()


__all__ = ["app", "main"]
