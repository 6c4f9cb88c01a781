"""Type every line: usage, not income, or refused with every reason.    ./spark-submit.sh jobs/conform.py --period 2026-06 --root demo-lake"""

from lakehouse.runs.launch import launch
from lakehouse.runs.stages import conform

if __name__ == "__main__":
    launch(conform)
