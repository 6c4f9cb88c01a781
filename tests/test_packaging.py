"""The package as others get it: what it imports, what it carries, and whether its reference is true."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


def python(code: str, *, path: Path = CHECKOUT, cwd: Path = CHECKOUT) -> str:
    """What a fresh Python prints, with `path` before every installed package."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(path)!r})\n{code}"], capture_output=True, text=True, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_needs_neither_airflow_nor_spark_nor_any_other_library_to_be_imported() -> None:
    """As in a scheduler that only parses DAGs."""
    heavy = ("airflow", "pyspark", "delta", "deltalake", "duckdb", "pandas", "pyarrow", "pydantic", "typer")
    assert python(f"import lakehouse\nprint([name for name in {heavy} if name in sys.modules])") == "[]"


@pytest.mark.slow
def test_the_command_line_needs_neither_airflow_nor_spark_to_show_its_help() -> None:
    code = "sys.modules['airflow'] = sys.modules['pyspark'] = None\nfrom lakehouse.cli import app, look, work\napp(['--help'])"
    told = python(code)
    assert all(command in told for command in ("init", "land", "run", "close", "verify", "why", "export"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as setuptools lays it out for a wheel, built away from the checkout."""
    pytest.importorskip("setuptools")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    shutil.copy2(CHECKOUT / "setup.py", source)
    for folder in ("lakehouse", "conf", "docs/reference"):
        shutil.copytree(CHECKOUT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "setup.py", "--quiet", "build", "--build-lib", str(target), "--build-base", str(source / "build")]
    done = subprocess.run(build, capture_output=True, text=True, cwd=source)
    assert done.returncode == 0, done.stderr
    return target


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_an_installed_package_carries_every_module_and_the_whole_of_conf(installed: Path) -> None:
    found = digests(installed / "lakehouse")
    conf = {name: digest for name, digest in digests(CHECKOUT / "conf").items() if not name.startswith("lock/")}
    assert {
        name.removeprefix("conf/"): digest for name, digest in found.items() if name.startswith("conf/")
    }.items() >= conf.items()
    assert found.keys() >= {name for name in digests(CHECKOUT / "lakehouse") if name.endswith((".py", "py.typed"))}


@pytest.mark.slow
def test_an_installed_package_finds_its_settings_dialects_and_jars_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = (
        "import os; [os.environ.pop(name, None) for name in ('LAKEHOUSE_CONF', 'LAKEHOUSE_ENVIRONMENT')]\n"
        "from lakehouse.settings import conf_dir, load_settings\n"
        "from lakehouse.sources.recognise import load_dialects\n"
        "from lakehouse.jars import locked\n"
        "assert load_settings().environment == 'dev'\n"
        "print(conf_dir(), len(load_dialects([conf_dir() / 'sources']).by_id), len(locked()))"
    )
    conf, dialects, jars = python(code, path=installed, cwd=tmp_path).split()
    assert Path(conf) == installed / "lakehouse" / "conf"
    assert int(dialects) == len(list((CHECKOUT / "conf" / "sources").glob("*.yaml")))
    assert int(jars) > 0


@pytest.mark.slow
def test_the_installed_command_line_makes_a_lake(installed: Path, tmp_path: Path) -> None:
    code = "from lakehouse.cli import app, look, work\napp(['init', '--root', 'lake', '--json'])"
    assert '"created": true' in python(code, path=installed, cwd=tmp_path)
    assert (tmp_path / "lake" / "gold" / "periods" / "_delta_log").is_dir()


def test_the_version_is_stated_once() -> None:
    import lakehouse

    assert f'version="{lakehouse.__version__}"' in (CHECKOUT / "setup.py").read_text(encoding="utf-8")


def test_the_reference_is_what_the_declarations_say() -> None:
    done = subprocess.run([sys.executable, "scripts/reference.py", "--check"], capture_output=True, text=True, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
