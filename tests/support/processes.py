"""Other processes: the command line as a user starts it, and a writer that holds the lease."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def command(*arguments: object) -> list[str]:
    """`lakehouse ARGUMENTS`, with this Python."""
    return [sys.executable, "-m", "lakehouse.cli", *map(str, arguments)]


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of a lake."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LAKEHOUSE_", "SPARK_", "PYSPARK_"))} | more


def lakehouse(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, cwd=CHECKOUT, env=dict(env or clean_environment()), timeout=550
    )


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the writer's lease of the lake at `root` until the block ends."""
    code = (
        "import sys; from lakehouse.store.lease import writer_lease\n"
        "with writer_lease(sys.argv[1], new=True):\n    print('held', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()
