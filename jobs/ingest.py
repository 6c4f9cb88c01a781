"""Read what has landed into bronze, verbatim.    ./spark-submit.sh jobs/ingest.py --period 2026-06 --root demo-lake"""

from lakehouse.runs.launch import launch
from lakehouse.runs.stages import ingest

if __name__ == "__main__":
    launch(ingest)
