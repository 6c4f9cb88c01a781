"""The notebooks run from top to bottom in a kernel of their own, as in Jupyter, on a small lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient

from tests.support.processes import CHECKOUT

NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.py"))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a kernel finds this checkout, and its own settings of Jupyter."""
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    return tmp_path


def run(notebook: Path, folder: Path) -> Any:
    read = jupytext.read(notebook)
    NotebookClient(read, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return read


@pytest.mark.spark
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(
    notebook: Path, closed_lake: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(closed_lake))
    executed = run(notebook, elsewhere)
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    if notebook.stem == "match_quality":
        plots = [output for cell in cells for output in cell.outputs if "image/png" in output.get("data", {})]
        assert len(plots) == 2


@pytest.mark.slow
def test_a_notebook_that_fails_is_a_failure(elsewhere: Path) -> None:
    """Else the tests above would prove nothing."""
    broken = elsewhere / "broken.py"
    broken.write_text("# %%\nassert 1 == 2\n", encoding="utf-8")
    with pytest.raises(Exception, match="AssertionError"):
        run(broken, elsewhere)
