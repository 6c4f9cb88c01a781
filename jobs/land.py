"""Land what a source left in landing/incoming.    ./spark-submit.sh jobs/land.py --source fuga --root demo-lake"""

# No Spark: plain Python.

from lakehouse.runs import declared
from lakehouse.runs.land import land_incoming
from lakehouse.runs.launch import launch_step

if __name__ == "__main__":
    launch_step(declared.LAND, land_incoming, ("source",))
