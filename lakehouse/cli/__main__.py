"""`python -m lakehouse.cli`: the command line without its console script."""

from lakehouse.cli import main

main()
