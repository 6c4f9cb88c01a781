"""The way to a session: which Java, which properties, and JARs that are the pinned ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from lakehouse import session
from lakehouse.errors import Misuse
from lakehouse.jars import jar_paths
from lakehouse.session import archive_file, find_java, spark_properties
from lakehouse.settings import load_settings


def java_home(folder: Path, version: str) -> Path:
    """A Java that says its version, as they do, on stderr."""
    (folder / "bin").mkdir(parents=True)
    (java := folder / "bin" / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-20' >&2\n")
    java.chmod(0o755)
    return folder


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no Java but those that a test makes below its folder."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(session, "_JAVA_HOMES", (f"{tmp_path}/jvm/*",))
    return tmp_path


def test_java_home_is_taken_first_then_the_path_then_the_usual_places(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_java() is None
    usual = java_home(bare / "jvm" / "jdk-21", "21.0.2")
    assert find_java() == usual
    on_path = java_home(bare / "elsewhere", "17.0.9")
    (bare / "path").mkdir()
    (bare / "path" / "java").symlink_to(on_path / "bin" / "java")
    assert find_java() == on_path
    named = java_home(bare / "named", "25")
    monkeypatch.setenv("JAVA_HOME", str(named))
    assert find_java() == named


def test_a_java_that_is_too_old_or_broken_is_passed_over(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_home(bare / "old", "1.8.0_402")))
    assert find_java() is None
    java_home(bare / "jvm" / "jdk-11", "11.0.22")
    silent = java_home(bare / "jvm" / "jdk-99", "99")
    (silent / "bin" / "java").write_text("#!/bin/sh\nexit 1\n")
    assert find_java() is None
    young = java_home(bare / "jvm" / "jdk-17", "17.0.9")
    assert find_java() == young


def test_the_properties_are_those_of_the_one_file_with_the_settings_over_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "jar_paths", lambda settings: [Path("/jars/a.jar"), Path("/jars/b.jar")])
    properties = spark_properties(load_settings(spark_conf={"spark.driver.memory": "1g"}))
    assert properties["spark.driver.memory"] == "1g"
    assert properties["spark.jars"] == "/jars/a.jar,/jars/b.jar"
    assert properties["spark.sql.ansi.enabled"] == "true"
    assert properties["spark.sql.session.timeZone"] == "UTC"
    assert properties["spark.sql.decimalOperations.allowPrecisionLoss"] == "false"


def test_a_session_maps_the_archive_of_classes_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "jar_paths", lambda settings: [])
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    asked = load_settings(spark_conf={"spark.driver.extraJavaOptions": "-Xms1g"})
    assert spark_properties(asked)["spark.driver.extraJavaOptions"] == "-Xms1g"
    archive_file().parent.mkdir(parents=True)
    archive_file().touch()
    assert (
        spark_properties(asked)["spark.driver.extraJavaOptions"] == f"-Xms1g -XX:SharedArchiveFile={archive_file()} -Xlog:disable"
    )
    making = load_settings(spark_conf={"spark.driver.extraJavaOptions": "-XX:ArchiveClassesAtExit=new.jsa"})
    assert spark_properties(making)["spark.driver.extraJavaOptions"] == "-XX:ArchiveClassesAtExit=new.jsa"


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the one JAR that conf/jars.lock names."""
    (conf := tmp_path / "conf").mkdir()
    digest = hashlib.sha256(b"a jar").hexdigest()
    (conf / "jars.lock").write_text(f"# pinned\n{digest} delta.jar\n", encoding="utf-8")
    monkeypatch.setenv("LAKEHOUSE_CONF", str(conf))
    (jars := tmp_path / "jars").mkdir()
    (jars / "delta.jar").write_bytes(b"a jar")
    return jars


def test_jars_that_are_here_are_used_without_the_network(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.jars._fetch", lambda folder, coordinates: pytest.fail("there was nothing to fetch"))
    assert jar_paths(load_settings(jars=pinned)) == [pinned / "delta.jar"]


def test_a_jar_that_is_not_the_pinned_one_is_refused_by_name(pinned: Path) -> None:
    (pinned / "delta.jar").write_bytes(b"another jar")
    with pytest.raises(Misuse, match=r"delta\.jar is not the JAR pinned in conf/jars\.lock"):
        jar_paths(load_settings(jars=pinned))


def test_jars_are_fetched_once_when_one_is_missing(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pinned / "delta.jar").unlink()
    asked = []

    def fetch(folder: Path, coordinates: Sequence[str]) -> None:
        asked.append(folder)
        (folder / "delta.jar").write_bytes(b"a jar")

    monkeypatch.setattr("lakehouse.jars._fetch", fetch)
    assert jar_paths(load_settings(jars=pinned)) == jar_paths(load_settings(jars=pinned))
    assert asked == [pinned]


def test_a_lake_on_s3_needs_more_jars_and_properties_without_any_credential(
    monkeypatch: pytest.MonkeyPatch, pinned: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    (pinned.parent / "conf" / "jars-s3.lock").write_text(f"{hashlib.sha256(b'a jar').hexdigest()} s3a.jar\n", encoding="utf-8")
    (pinned.parent / "conf" / "spark-defaults.conf").write_text("", encoding="utf-8")
    (pinned / "s3a.jar").write_bytes(b"a jar")
    assert jar_paths(load_settings(jars=pinned, root="folder")) == [pinned / "delta.jar"]
    on_s3 = load_settings(jars=pinned, root="s3a://bucket/lake", s3_endpoint="http://localhost:9000", s3_region="eu-west-1")
    properties = spark_properties(on_s3)
    assert properties["spark.jars"] == f"{pinned / 'delta.jar'},{pinned / 's3a.jar'}"
    assert properties["spark.hadoop.fs.s3a.endpoint"] == "http://localhost:9000"
    assert properties["spark.hadoop.fs.s3a.endpoint.region"] == "eu-west-1"
    assert properties["spark.hadoop.fs.s3a.path.style.access"] == "true"
    assert properties["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "false"
    assert "planted" not in str(properties)
