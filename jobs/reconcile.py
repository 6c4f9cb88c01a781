"""Match every usage key to a recording, or say why not.    ./spark-submit.sh jobs/reconcile.py --period 2026-06 --root demo-lake"""

from lakehouse.runs.launch import launch
from lakehouse.runs.stages import reconcile

if __name__ == "__main__":
    launch(reconcile)
