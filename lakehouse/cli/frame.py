"""What every command shares: the lake's root, JSON or people as readers, exit codes, errors without tracebacks."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.errors import Busy, LakehouseError
from lakehouse.settings import load_settings

if TYPE_CHECKING:
    from lakehouse.runs.environment import Environment

Period = Annotated[str, typer.Option("--period", metavar="YYYY-MM", help="Statement period.")]
AnyPeriod = Annotated[str | None, typer.Option("--period", metavar="YYYY-MM", help="Statement period; all without it.")]

_ROOT = Annotated[
    str | None,
    typer.Option("--root", envvar="LAKEHOUSE_ROOT", help="The lake: a folder, or s3a://BUCKET/PREFIX.", show_envvar=True),
]
_JSON = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
_DEBUG = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log.")]


class Output:
    """Where a command's answer goes: one JSON document, or something a person reads."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def show(self, data: Any, people: Callable[[Any], None] | None = None) -> None:
        """Prints the answer; `people` prints it for people, by default as a table."""
        if self.as_json:
            print(json.dumps(data, ensure_ascii=False, default=_plain))  # noqa: T201
        elif people:
            people(data)
        else:
            table(data if isinstance(data, list) else [data])

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str], None]]:
        """A bar over `total` steps on stderr, or a line for each step where stderr is no terminal. Call what it gives as a step begins."""
        if not sys.stderr.isatty():
            yield lambda text: print(text, file=sys.stderr, flush=True)  # noqa: T201
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bars:
            bar = bars.add_task("", total=total, completed=-1)
            yield lambda text: bars.update(bar, advance=1, description=text)


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def table(rows: Sequence[dict[str, Any]], title: str | None = None, columns: Sequence[str] | None = None) -> None:
    """Prints rows of equal keys as a table; amounts to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    # A pipe has no width: wide enough that no amount is folded.
    console = Console(width=None if sys.stdout.isatty() else 200)
    if not rows:
        console.print(f"{title}: nothing" if title else "Nothing.")
        return
    names = list(columns or rows[0])
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        grid.add_column(
            name.replace("_", " "), justify="right" if all(_is_number(row.get(name)) for row in rows) else "left", overflow="fold"
        )
    for row in rows:
        grid.add_row(*(_cell(row.get(name)) for name in names))
    console.print(grid)


def _is_number(value: Any) -> bool:
    return value is None or str(value).lstrip("-").replace(".", "", 1).isdigit()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = str(value)
    if _is_number(value) and "." in text:
        whole, decimals = text.split(".")
        kept = decimals.rstrip("0").ljust(2, "0")
        return f"{whole}.{kept}"
    return text


def command(app: typer.Typer, name: str | None) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Registers ``function(env, out, ...) -> exit code`` as a command with --root, --json and --debug.

    Without a name it is what a group of commands does by itself."""

    def register(function: Callable[..., int | None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(
            context: typer.Context, root: str | None = None, as_json: bool = False, debug: bool = False, **given: Any
        ) -> None:
            if context.invoked_subcommand:
                return
            out = Output(as_json)
            env = None
            try:
                env = _environment(root)
                code = function(env, out, **given)
            except Exception as error:
                if debug:
                    raise
                code = _report(_explained(env, error), out)
            raise typer.Exit(code or 0)

        own = _own_parameters(function)
        shared = {"root": (_ROOT, None), "as_json": (_JSON, False), "debug": (_DEBUG, False)}
        extra = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, annotation=a, default=d) for n, (a, d) in shared.items()]
        parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context), *own, *extra]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        if name:
            app.command(name)(run)
        else:
            app.callback(invoke_without_command=True)(run)
        return run

    return register


def _own_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters after `env` and `out`, whose annotations alone are needed, and therefore evaluated."""
    namespace = sys.modules[function.__module__].__dict__
    own = [p for p in inspect.signature(function).parameters.values() if p.name not in ("env", "out")]
    return [p.replace(annotation=eval(p.annotation, namespace), kind=inspect.Parameter.KEYWORD_ONLY) for p in own]


def _environment(root: str | None) -> Environment:
    from lakehouse.runs.environment import Environment

    return Environment(load_settings(root=root))


def _explained(env: Environment | None, error: Exception) -> Exception:
    from lakehouse.runs.outage import explained

    return explained(env, error)


def _report(error: Exception, out: Output) -> int:
    """Tells the person what to do, and returns the exit code."""
    if isinstance(error, LakehouseError):
        message, code = str(error), error.exit_code
    elif isinstance(error, (ConnectionError, TimeoutError)):
        message, code = f"The store cannot be reached: {error}", Busy.exit_code
    else:
        first = str(error).strip().splitlines()
        message, code = (
            f"{type(error).__name__}: {first[0] if first else 'no message'} (run again with --debug for the traceback)",
            1,
        )
    print(f"lakehouse: {message}", file=sys.stderr)  # noqa: T201
    if out.as_json:
        print(json.dumps({"error": message, "exit_code": code}))  # noqa: T201
    return code
