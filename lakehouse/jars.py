"""The pinned JARs: fetched once by coordinate, checked by SHA-256, then used from disk without the network."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from lakehouse.errors import Misuse
from lakehouse.place import is_s3
from lakehouse.settings import Settings, conf_dir

DELTA = ("io.delta:delta-spark_4.2_2.13:4.4.0",)
# Equal to the hadoop-client inside pyspark; brings 700 MB of AWS's SDK, and is fetched only where a lake is on S3.
S3A = ("org.apache.hadoop:hadoop-aws:3.5.0",)
_BLOCK = 8 << 20
# What Delta's dependencies would bring in older versions than Spark has itself.
EXCLUDED = (
    "org.apache.hadoop:hadoop-client-api", "org.apache.hadoop:hadoop-client-runtime", "org.apache.parquet:*",
    "org.apache.logging.log4j:*", "org.slf4j:*", "com.fasterxml.jackson.core:*", "com.fasterxml.jackson.datatype:*",
    "org.xerial.snappy:*", "com.github.luben:*", "org.roaringbitmap:*", "io.airlift:*", "commons-pool:*",
    "commons-logging:*", "com.google.code.findbugs:*", "javax.annotation:*", "org.locationtech.jts:*", "io.unitycatalog:*",
)  # fmt: skip


def locked(lock: str = "jars.lock") -> dict[str, str]:
    """File name of each pinned JAR, with its SHA-256, from conf/jars.lock or another lock in conf/."""
    lines = (conf_dir() / lock).read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: digest for digest, name in pairs}


def delta_jars(settings: Settings) -> list[Path]:
    """Where Delta's JARs are on this machine, or will be."""
    return [_folder(settings) / name for name in locked()]


def _folder(settings: Settings) -> Path:
    return settings.jars or user_cache_path("royalty-lakehouse") / "jars"


def jar_paths(settings: Settings) -> list[Path]:
    """The JARs on this machine, fetched first if they are not there yet; those of S3A where the lake is on S3.

    Raises Misuse when one is not the pinned one."""
    folder = _folder(settings)
    paths = _pinned(folder, "jars.lock", DELTA)
    if settings.root and is_s3(settings.root):
        paths += _pinned(folder, "jars-s3.lock", S3A)
    return paths


def _pinned(folder: Path, lock: str, coordinates: Sequence[str]) -> list[Path]:
    wanted = locked(lock)
    if not all((folder / name).is_file() for name in wanted):
        _fetch(folder, coordinates)
    for name, digest in wanted.items():
        if not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise Misuse(f"{folder / name} is not the JAR pinned in conf/{lock}. Delete the folder and try again.")
    return [folder / name for name in wanted]


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _fetch(folder: Path, coordinates: Sequence[str]) -> None:
    """Lets Spark's own Ivy resolve the coordinates in a process of its own, and keeps what came."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as ivy:
        script = (
            "from pyspark.sql import SparkSession\n"
            "SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false')"
            f".config('spark.jars.packages', {','.join(coordinates)!r})"
            f".config('spark.jars.excludes', {','.join(EXCLUDED)!r})"
            f".config('spark.jars.ivy', {ivy!r}).getOrCreate().stop()"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise Misuse(f"The JARs {', '.join(coordinates)} could not be fetched: {last}")
        for jar in (Path(ivy) / "jars").glob("*.jar"):
            shutil.copy2(jar, folder / jar.name)


if __name__ == "__main__":
    from lakehouse.settings import load_settings

    print(*jar_paths(load_settings()), sep="\n")  # noqa: T201  (the list is this command's output)
