"""Publish the drafts of a period.    ./spark-submit.sh jobs/close.py --period 2026-06 --root demo-lake"""

from lakehouse.runs import declared
from lakehouse.runs.close import close_period
from lakehouse.runs.launch import launch_step

if __name__ == "__main__":
    launch_step(declared.CLOSE, close_period)
