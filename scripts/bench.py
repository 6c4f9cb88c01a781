"""One period of a million usage lines, timed by stage.    make bench    (LINES=200000 make bench)

The dirt of the demo, in its fourteen formats: from a folder of reports to a closed and verified period. Writes docs/benchmarks.md between its markers.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from bench_catalog import timed

from lakehouse.demo import write_demo
from lakehouse.errors import Findings
from lakehouse.runs.admin import init_lake, load_catalog, load_contracts
from lakehouse.runs.close import close_period
from lakehouse.runs.environment import Environment
from lakehouse.runs.frame import run_jobs
from lakehouse.runs.stages import STAGES
from lakehouse.settings import load_settings
from lakehouse.store.verify import verify

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of make bench -->"


def main() -> None:
    asked = int(os.environ.get("LINES", "1000000"))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        label = Path(folder) / "label"
        made = write_demo(label, lines=asked, months=1, seed=1)
        env = Environment(load_settings(root=str(Path(folder) / "lake")))
        init_lake(env)
        load_catalog(env, sorted((label / "catalog").iterdir()))
        load_contracts(env, label / "contracts")
        reports = sorted(path for path in (label / "dumps").rglob("*") if path.is_file())
        spent = {"land": timed(lambda: [env.landing.put(report, env.dialects) for report in reports])}
        spent["start Spark"] = timed(lambda: env.spark)
        (period,) = env.landing.report_periods()
        for stage in STAGES:
            spent[stage.name] = timed(lambda stage=stage: run_jobs([stage], env, period))
            told(stage.name, *spent[stage.name], made.lines)
        spent["close"] = timed(lambda: close_period(env, period))
        spent["verify"] = timed(lambda: require_verified(env))
    spent["all"] = (sum(seconds for seconds, _ in spent.values()), sum(cpu for _, cpu in spent.values()))
    rows = [told(name, *figures, made.lines) for name, figures in spent.items()]
    where = f"{os.cpu_count()} cores, load {load:.0f} to {os.getloadavg()[0]:.0f}, {time.strftime('%Y-%m-%d')}"
    sizes = f"{made.lines:,} lines in {made.files} files, {env.settings.environment} settings"
    write("\n".join([f"{where}; {sizes}", "", "| stage | seconds | CPU seconds | lines/s |", "|---|---|---|---|", *rows]))


def told(name: str, seconds: float, cpu: float, lines: int) -> str:
    row = f"| {name} | {seconds:,.1f} | {cpu:,.1f} | {'' if name == 'start Spark' else f'{lines / seconds:,.0f}'} |"
    print(row, flush=True)
    return row


def require_verified(env: Environment) -> None:
    report = verify(env.place).as_json()
    if not report["ok"]:
        raise Findings(f"The lake that was timed does not verify: {report}")


def write(figures: str) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
