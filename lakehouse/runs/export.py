"""Every export of a published period, kept in the lake for whoever fetches it: `exports/<period>/`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from lakehouse.export import FORMATS
from lakehouse.export import export as write_export
from lakehouse.runs.environment import Environment


def export_period(env: Environment, period: str) -> dict[str, Any]:
    """{files: [{key, format, sha256, rows, totals}]}. The same period gives the same bytes. Raises Misuse where it is not published."""
    reader = env.reader
    kept = []
    with tempfile.TemporaryDirectory() as folder:
        for fmt in FORMATS:
            for file in write_export(reader, period, fmt, folder)["files"]:
                path = Path(file.pop("path"))
                key = f"exports/{period}/{path.name}"
                reader.objects.put(key, path.read_bytes())
                kept.append({"key": key, "format": fmt, **file})
    return {"files": kept}
