"""One Spark session for the whole suite, or for each of the processes that share it, through the same door as every job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.lakes import closed_lake, drafted_lake, label, landed_lake  # noqa: F401  (fixtures for every folder)

os.environ.setdefault("LAKEHOUSE_ENVIRONMENT", "test")

# The suite tries the same examples every time, `make check` fewer of them; HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("quick", derandomize=True, deadline=None, max_examples=10)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with Spark come first, so that the processes that share the suite end at about the same time."""
    with_spark = {item.path for item in items if item.get_closest_marker("spark")}
    items.sort(key=lambda item: item.path not in with_spark)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    from lakehouse.session import start_session
    from lakehouse.settings import load_settings

    session = start_session(load_settings(spark_master="local[2]"), "lakehouse-tests")
    yield session
    session.stop()
