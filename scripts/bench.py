"""Times one period of a million usage lines, stage by stage.    make bench    (LINES=200000 make bench)"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from pathlib import Path

from lakehouse.demo import write_demo
from lakehouse.runs.admin import init_lake, load_catalog, load_contracts
from lakehouse.runs.close import close_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import run_jobs
from lakehouse.runs.stages import STAGES
from lakehouse.settings import load_settings
from lakehouse.store.verify import verify


def main() -> None:
    lines = int(os.environ.get("LINES", "1000000"))
    with tempfile.TemporaryDirectory() as folder:
        label, root = Path(folder) / "label", Path(folder) / "lake"
        made = write_demo(label, lines=lines, months=1, seed=1)
        env = Environment(load_settings(root=str(root)))
        init_lake(env)
        load_catalog(env, [label / "catalog" / "recordings.csv"])
        load_contracts(env, label / "contracts")
        print(
            f"{made.lines} usage lines in {made.files} files; {platform.processor() or platform.machine()}, {os.cpu_count()} cores"
        )
        total = 0.0
        total += timed("land", made.lines, lambda: [env.landing.put(f, env.dialects) for f in files(label)])
        timed("start Spark", 0, lambda: env.spark)
        period = env.landing.report_periods()[0]
        for stage in STAGES:
            total += timed(stage.name, made.lines, lambda stage=stage: run_jobs([stage], env, period))
        total += timed("close", made.lines, lambda: close_period(env, period))
        total += timed("verify", made.lines, lambda: verify(str(root)))
        print(f"{'all':<12}{total:>8.1f} s {made.lines / total:>12,.0f} lines/s")


def files(label: Path) -> list[Path]:
    return sorted(path for path in (label / "dumps").rglob("*") if path.is_file())


def timed(name: str, lines: int, work) -> float:  # type: ignore[no-untyped-def]
    began = time.monotonic()
    work()
    seconds = time.monotonic() - began
    rate = f"{lines / seconds:>12,.0f} lines/s" if lines else ""
    print(f"{name:<12}{seconds:>8.1f} s {rate}", flush=True)
    return seconds


if __name__ == "__main__":
    main()
