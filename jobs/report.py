"""Say how a period stands, and which reports are missing.    ./spark-submit.sh jobs/report.py --period 2026-06 --root demo-lake"""

# No Spark: plain Python.

from lakehouse.runs import declared
from lakehouse.runs.launch import launch_step
from lakehouse.runs.report import report

if __name__ == "__main__":
    launch_step(declared.REPORT, report, writes=False)
