"""Keep every export of a published period in the lake.    ./spark-submit.sh jobs/export.py --period 2026-06 --root demo-lake"""

# No Spark: plain Python.

from lakehouse.runs import declared
from lakehouse.runs.export import export_period
from lakehouse.runs.launch import launch_step

if __name__ == "__main__":
    launch_step(declared.EXPORT, export_period)
