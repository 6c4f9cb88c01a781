"""Prints what an extra of setup.py asks for, one requirement a line.    python scripts/extra.py airflow"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

SETUP = Path(__file__).parents[1] / "setup.py"


def main() -> int:
    for statement in ast.parse(SETUP.read_text(encoding="utf-8")).body:
        if (
            isinstance(statement, ast.Assign)
            and ast.unparse(statement.targets[0]) == "EXTRAS"
            and isinstance(statement.value, ast.Dict)
        ):
            named = {
                key.value: value
                for key, value in zip(statement.value.keys, statement.value.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            print(*ast.literal_eval(named[sys.argv[1]]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
