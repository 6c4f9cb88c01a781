"""What an error of some engine means where the lake is in a bucket: often that the store cannot be reached."""

from __future__ import annotations

from dataclasses import replace

from lakehouse.errors import Busy, LakehouseError
from lakehouse.runs.environment import Environment


def explained(env: Environment | None, error: Exception) -> Exception:
    """The error, or in its place what the store says when it is asked: that it is away, or refuses. Spark and delta-rs have no word
    of their own for that."""
    if isinstance(error, LakehouseError) or env is None or not env.settings.root or env.place.is_local:
        return error
    from lakehouse.store.s3 import S3Objects

    try:
        S3Objects(replace(env.place, attempts=2)).head("_leases")
    except LakehouseError as told:
        return told
    if isinstance(error, OSError):
        first = str(error).strip().partition("\n")[0]
        return Busy(f"{env.root}: the store could not be reached for a while ({first}). It answers again: run the command again.")
    return error
