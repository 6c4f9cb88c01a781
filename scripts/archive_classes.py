"""Class data sharing: what Spark's classes are to the JVM, worked out once for an environment and mapped into every later one.

A session of Spark loads some fifteen thousand classes from three hundred JARs, which is most of its first seconds. The JVM can keep
them in an archive (https://openjdk.org/jeps/350), and leaves an archive alone that is of another Java or of other JARs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from lakehouse.session import archive_file, start_session
from lakehouse.settings import load_settings
from lakehouse.store.rehearsal import rehearse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, help="work, and keep the classes there")
    asked = parser.parse_args()
    if asked.to:
        work(asked.to)
        return
    archive_file().parent.mkdir(parents=True, exist_ok=True)
    archive_file().unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=archive_file().parent) as folder:
        made = Path(folder) / "made.jsa"
        # The JVM writes when it ends, after Python has: it holds the pipes, so this waits for both.
        done = subprocess.run([sys.executable, __file__, "--to", str(made)], capture_output=True, text=True)
        if done.returncode or not made.is_file():
            sys.exit(f"Spark's classes could not be archived: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        made.rename(archive_file())


def work(made: Path) -> None:
    """Rehearses in a JVM that keeps its classes in `made` when it ends."""
    settings = load_settings()
    options = f"{settings.spark_conf.get('spark.driver.extraJavaOptions', '')} -XX:ArchiveClassesAtExit={made}"
    spark = start_session(load_settings(spark_conf={**settings.spark_conf, "spark.driver.extraJavaOptions": options}))
    rehearse(spark)
    spark.stop()


if __name__ == "__main__":
    main()
