"""The one way to a Spark session: command line, jobs, notebooks and tests all come through here."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.archive import package_archive
from lakehouse.errors import Misuse
from lakehouse.jars import delta_jars, jar_paths
from lakehouse.place import Place
from lakehouse.settings import Settings, conf_dir, load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Where Debian, Fedora, macOS and SDKMAN put a JDK.
_JAVA_HOMES = ("/usr/lib/jvm/*", "/opt/java/*", "/opt/jdk*", "/Library/Java/JavaVirtualMachines/*/Contents/Home")
OLDEST_JAVA = 17
# What a JVM that runs already cannot be given any more; `spark-submit.sh` reads them in this order.
FROM_THE_START = ("spark.jars", "spark.driver.extraClassPath", "spark.driver.extraJavaOptions", "spark.driver.memory")

# Classes of the JVM that PySpark asks for again with every column, expression or frame.
_ASKED_FOR = (
    "org.apache.spark.sql.functions", "functions", "PythonUtils", "PythonSQLUtils", "SimplePythonFunction", "PythonRDD", "ArrowIteratorServer",
)  # fmt: skip


def find_java() -> Path | None:
    """The home of a Java 17 or newer: JAVA_HOME, then PATH, then the usual places."""
    homes = [Path(home)] if (home := os.environ.get("JAVA_HOME")) else []
    if on_path := shutil.which("java"):
        homes.append(Path(on_path).resolve().parent.parent)
    homes += [found for pattern in _JAVA_HOMES for found in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)]
    homes += sorted((Path.home() / ".sdkman/candidates/java").glob("*"), reverse=True)
    return next((home for home in homes if _java_version(home) >= OLDEST_JAVA), None)


def _java_home() -> Path:
    java = find_java()
    if java is None:
        raise Misuse(
            f"No Java {OLDEST_JAVA} or newer was found. Install one (Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME."
        )
    return java


def _java_version(home: Path) -> int:
    java = home / "bin" / "java"
    if not java.is_file():
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0


def archive_file() -> Path:
    """The archive of Spark's classes of this environment, which `scripts/archive_classes.py` makes: JVMs map it and start in half the time."""
    return Path(sys.prefix) / "share" / "lakehouse" / "spark-classes.jsa"


def _java_options() -> str:
    # Whether the archive fits this Java and these JARs is for the JVM to say, and it says so on its standard output: nobody asked.
    return f"-XX:SharedArchiveFile={archive_file()} -Xlog:disable" if archive_file().is_file() else ""


def spark_properties(settings: Settings) -> dict[str, str]:
    """conf/spark-defaults.conf, the pinned JARs, how a lake on S3 is reached, and the settings of this environment over them."""
    lines = (conf_dir() / "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))
    properties = {
        **{name: value.strip() for name, value in pairs},
        "spark.jars": ",".join(str(jar) for jar in jar_paths(settings)),
        # The driver's own class path, for only classes from there are in the archive.
        "spark.driver.extraClassPath": ":".join(str(jar) for jar in delta_jars(settings)),
        **(Place.of(settings).spark_properties() if settings.root else {}),
        **settings.spark_conf,
    }
    own_options = properties.get("spark.driver.extraJavaOptions", "")
    # An archive that is being made cannot be on top of one.
    if (shared := _java_options()) and "-XX:ArchiveClassesAtExit" not in own_options:
        properties["spark.driver.extraJavaOptions"] = f"{own_options} {shared}".strip()
    return properties


def start_session(settings: Settings, name: str = "lakehouse") -> SparkSession:
    """A session on the environment's master, or the one already running. Raises Misuse where there is no Java."""
    from pyspark.sql import SparkSession

    os.environ["JAVA_HOME"] = str(_java_home())
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.spark_master)
    for key, value in spark_properties(settings).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    _remember_classes(session)
    session.sparkContext.setLogLevel("ERROR")
    if not settings.spark_master.startswith("local"):
        session.sparkContext.addPyFile(str(package_archive()))
    return session


def _remember_classes(session: SparkSession) -> None:
    """Asked for once: by a name without its package, each time all JARs would be searched for it, in every package that PySpark imports."""
    for name in _ASKED_FOR:
        setattr(session._jvm, name, getattr(session._jvm, name))


def _tell() -> int:
    """What `spark-submit.sh` asks for, a line each: Java's home, Spark's, and the properties that a JVM must have from its start."""
    # Told the arguments of a job, it finds the lake among them.
    parser = argparse.ArgumentParser()
    parser.add_argument("--root")
    try:
        properties = spark_properties(load_settings(root=parser.parse_known_args()[0].root))
        told = [
            _java_home(),
            distribution("pyspark").locate_file("pyspark"),
            *(properties.get(name, "") for name in FROM_THE_START),
        ]
    except Misuse as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print(*told, sep="\n")  # noqa: T201  (these lines are this command's output)
    return 0


if __name__ == "__main__":
    sys.exit(_tell())
