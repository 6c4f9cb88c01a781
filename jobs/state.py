"""Draw up statements, ledger and the proof that nothing is lost.    ./spark-submit.sh jobs/state.py --period 2026-06 --root demo-lake"""

from lakehouse.runs.launch import launch
from lakehouse.runs.stages import state

if __name__ == "__main__":
    launch(state)
