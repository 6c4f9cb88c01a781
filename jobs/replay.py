"""Try held money again.    ./spark-submit.sh jobs/replay.py --period 2026-06 --root demo-lake"""

from lakehouse.runs import declared
from lakehouse.runs.launch import launch_step
from lakehouse.runs.replay import replay

if __name__ == "__main__":
    launch_step(declared.REPLAY, replay)
