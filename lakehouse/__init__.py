"""The royalty lakehouse: from DSP usage and sales reports to royalty statements that anyone can verify.

from lakehouse import Lake
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lakehouse.lake import Lake

__version__ = "0.1.0"
__all__ = ["Lake", "__version__"]


def __getattr__(name: str) -> Any:
    # On first use: a scheduler that only reads declarations imports the package without any of its libraries.
    if name == "Lake":
        return import_module("lakehouse.lake").Lake
    raise AttributeError(f"module 'lakehouse' has no attribute {name!r}")
