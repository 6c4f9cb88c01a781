"""Settings: given over environment over file over default; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Misuse
from lakehouse.settings import conf_dir, load_settings


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A conf folder of its own, and no other setting in the environment."""
    for name in ("ROOT", "ENVIRONMENT", "SOURCES", "JARS", "SPARK_CONF"):
        monkeypatch.delenv(f"LAKEHOUSE_{name}", raising=False)
    monkeypatch.delenv("SPARK_MASTER", raising=False)
    monkeypatch.setenv("LAKEHOUSE_CONF", str(tmp_path))
    return tmp_path


def test_without_anything_the_defaults_hold(conf: Path) -> None:
    settings = load_settings()
    assert (settings.environment, settings.root, settings.spark_master, settings.spark_conf) == ("dev", None, "local[*]", {})


def test_what_is_given_is_over_the_environment_and_that_over_the_file(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conf / "dev.yaml").write_text("root: from-file\nspark_master: local[7]\n", encoding="utf-8")
    assert (load_settings().root, load_settings().spark_master) == ("from-file", "local[7]")
    monkeypatch.setenv("LAKEHOUSE_ROOT", "from-environment")
    monkeypatch.setenv("SPARK_MASTER", "local[3]")
    assert (load_settings().root, load_settings().spark_master) == ("from-environment", "local[3]")
    given = load_settings(root="given", spark_master="local[1]")
    assert (given.root, given.spark_master) == ("given", "local[1]")


def test_what_is_given_as_none_is_not_given(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", "from-environment")
    assert load_settings(root=None).root == "from-environment"


def test_each_environment_has_its_file(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conf / "dev.yaml").write_text("root: dev-lake\n", encoding="utf-8")
    (conf / "prod.yaml").write_text("environment: prod\nroot: prod-lake\n", encoding="utf-8")
    monkeypatch.setenv("LAKEHOUSE_ENVIRONMENT", "prod")
    assert (load_settings().environment, load_settings().root) == ("prod", "prod-lake")


def test_a_name_that_is_no_setting_is_told(conf: Path) -> None:
    (conf / "dev.yaml").write_text("rooot: lake\n", encoding="utf-8")
    with pytest.raises(Misuse, match="rooot"):
        load_settings()


def test_an_environment_that_is_none_is_told(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_ENVIRONMENT", "moon")
    with pytest.raises(Misuse, match=r"environment: 'moon' is not one of dev, demo, test or prod"):
        load_settings()


def test_spark_properties_come_as_json_and_must_be_json(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_SPARK_CONF", '{"spark.driver.memory": "1g"}')
    assert load_settings().spark_conf == {"spark.driver.memory": "1g"}
    monkeypatch.setenv("LAKEHOUSE_SPARK_CONF", "spark.driver.memory=1g")
    with pytest.raises(Misuse, match="spark_conf"):
        load_settings()


@pytest.mark.parametrize(
    "name", ["spark.hadoop.fs.s3a.secret.key", "spark.hadoop.fs.s3a.access.key", "spark.my.PASSWORD", "spark.x.token"]
)
def test_a_secret_among_the_spark_properties_is_refused_without_being_repeated(
    name: str, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand on the command line of the JVM, where every user of the machine reads them."""
    monkeypatch.setenv("LAKEHOUSE_SPARK_CONF", f'{{"{name}": "planted"}}')
    with pytest.raises(Misuse, match=f"{name}.*AWS_") as told:
        load_settings()
    assert "planted" not in str(told.value)


def test_a_file_that_is_no_yaml_is_told(conf: Path) -> None:
    (conf / "dev.yaml").write_text("root: [lake\n", encoding="utf-8")
    with pytest.raises(Misuse, match=r"cannot be read(.|\n)*dev\.yaml"):
        load_settings()


def test_conf_is_beside_the_package_in_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKEHOUSE_CONF", raising=False)
    assert conf_dir() == Path(__file__).parents[1] / "conf"
    assert (conf_dir() / "spark-defaults.conf").is_file()
