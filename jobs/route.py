"""Route what is decided and not routed yet.    ./spark-submit.sh jobs/route.py --period 2026-06 --root demo-lake"""

from lakehouse.runs.launch import launch
from lakehouse.runs.route import route

if __name__ == "__main__":
    launch(route)
