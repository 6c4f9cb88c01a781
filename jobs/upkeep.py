"""Compact files, write checkpoints, remove what no version needs.    ./spark-submit.sh jobs/upkeep.py --tables bronze.lines,bronze.files --root demo-lake"""

# No Spark: plain Python.

from lakehouse.runs import declared
from lakehouse.runs.launch import launch_step
from lakehouse.runs.upkeep import upkeep

if __name__ == "__main__":
    launch_step(declared.UPKEEP, upkeep, ("tables",))
