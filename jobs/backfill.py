"""Run several periods one after the other.    ./spark-submit.sh jobs/backfill.py --first 2026-01 --last 2026-05 --close yes --root demo-lake"""

from lakehouse.runs import declared
from lakehouse.runs.backfill import backfill
from lakehouse.runs.launch import launch_step

if __name__ == "__main__":
    launch_step(declared.BACKFILL, backfill, ("first", "last", "close"))
