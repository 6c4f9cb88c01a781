"""The one way to a Spark session: command line, jobs, notebooks and tests all come through here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.archive import package_archive
from lakehouse.errors import Misuse
from lakehouse.jars import jar_paths
from lakehouse.place import Place
from lakehouse.settings import Settings, conf_dir

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Where Debian, Fedora, macOS and SDKMAN put a JDK.
_JAVA_HOMES = ("/usr/lib/jvm/*", "/opt/java/*", "/opt/jdk*", "/Library/Java/JavaVirtualMachines/*/Contents/Home")
OLDEST_JAVA = 17


def find_java() -> Path | None:
    """The home of a Java 17 or newer: JAVA_HOME, then PATH, then the usual places."""
    homes = [Path(home)] if (home := os.environ.get("JAVA_HOME")) else []
    if on_path := shutil.which("java"):
        homes.append(Path(on_path).resolve().parent.parent)
    homes += [found for pattern in _JAVA_HOMES for found in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)]
    homes += sorted((Path.home() / ".sdkman/candidates/java").glob("*"), reverse=True)
    return next((home for home in homes if _java_version(home) >= OLDEST_JAVA), None)


def _java_version(home: Path) -> int:
    java = home / "bin" / "java"
    if not java.is_file():
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0


def spark_properties(settings: Settings) -> dict[str, str]:
    """conf/spark-defaults.conf, the pinned JARs, how a lake on S3 is reached, and the settings of this environment over them."""
    lines = (conf_dir() / "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))
    return {
        **{name: value.strip() for name, value in pairs},
        "spark.jars": ",".join(str(jar) for jar in jar_paths(settings)),
        **(Place.of(settings).spark_properties() if settings.root else {}),
        **settings.spark_conf,
    }


def start_session(settings: Settings, name: str = "lakehouse") -> SparkSession:
    """A session on the environment's master, or the one already running. Raises Misuse where there is no Java."""
    from pyspark.sql import SparkSession

    java = find_java()
    if java is None:
        raise Misuse(
            f"No Java {OLDEST_JAVA} or newer was found. Install one (Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME."
        )
    os.environ["JAVA_HOME"] = str(java)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.spark_master)
    for key, value in spark_properties(settings).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    if not settings.spark_master.startswith("local"):
        session.sparkContext.addPyFile(str(package_archive()))
    return session
