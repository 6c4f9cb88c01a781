"""Give the money to those who own it under the contract in force.    ./spark-submit.sh jobs/resolve.py --period 2026-06 --root demo-lake"""

from lakehouse.runs.launch import launch
from lakehouse.runs.resolve import resolve

if __name__ == "__main__":
    launch(resolve)
