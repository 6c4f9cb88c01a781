"""Recompute roots and totals with Spark.    ./spark-submit.sh jobs/verify.py --period 2026-06 --root demo-lake"""

from lakehouse.runs import declared
from lakehouse.runs.launch import launch_step
from lakehouse.runs.verify import verify_with_spark

if __name__ == "__main__":
    launch_step(declared.VERIFY, verify_with_spark, writes=False)
