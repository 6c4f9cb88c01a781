"""The domain in plain Python: no Spark, no I/O."""
