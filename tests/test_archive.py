"""The archive that a session sends to executors."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lakehouse import archive
from tests.support.processes import CHECKOUT


@pytest.mark.slow
def test_the_archive_holds_every_module_is_made_once_and_can_be_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "user_cache_path", lambda name: tmp_path)
    made = archive.package_archive()
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "lakehouse").rglob("*.py")}
    assert set(zipfile.ZipFile(made).namelist()) == modules
    stamp = made.stat().st_mtime_ns
    assert (archive.package_archive(), made.stat().st_mtime_ns) == (made, stamp)
    code = (
        f"import sys; sys.path.insert(0, {str(made)!r})\nimport lakehouse.transforms.reconcile as module\nprint(module.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.startswith(str(made)), done.stderr
