"""Where a lake is: one description, from which boto3, delta-rs and S3A are told the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Misuse
from lakehouse.place import Place
from lakehouse.settings import load_settings


@pytest.fixture(autouse=True)
def _nothing_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "LAKEHOUSE_S3_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_a_folder_is_told_nothing_of_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = Place.at("lake")
    assert (place.root, place.is_local, place.storage_options, place.spark_properties()) == (f"{tmp_path}/lake", True, None, {})
    assert place.uri("a/b") == place.hadoop_uri("a/b") == f"{tmp_path}/lake/a/b"
    assert Place.at(f"file://{tmp_path}/lake/") == place


@pytest.mark.parametrize("root", ["s3a://bucket/some/lake", "s3://bucket/some/lake/"])
def test_a_bucket_has_one_name_and_an_address_for_each_engine(root: str) -> None:
    place = Place.at(root)
    assert (place.root, place.bucket, place.prefix) == ("s3a://bucket/some/lake", "bucket", "some/lake")
    assert (place.uri("t"), place.hadoop_uri("t")) == ("s3://bucket/some/lake/t", "s3a://bucket/some/lake/t")
    assert place.in_hadoop("s3://bucket/some/lake/t/f s3://.parquet") == "s3a://bucket/some/lake/t/f s3://.parquet"


def test_aws_itself_needs_no_endpoint_and_takes_the_usual_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    place = Place.at("s3a://bucket/lake")
    assert (place.endpoint, place.region, place.path_style) == (None, "eu-central-1", False)
    assert "spark.hadoop.fs.s3a.endpoint" not in place.spark_properties()
    assert "aws_endpoint" not in (place.storage_options or {})


def test_a_store_of_ones_own_is_the_same_to_all_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://minio.example:9000/")
    place = Place.at("s3a://bucket/lake")
    told = place.client_arguments(), place.storage_options or {}, place.spark_properties()
    assert told[0]["endpoint_url"] == told[1]["aws_endpoint"] == told[2]["spark.hadoop.fs.s3a.endpoint"]
    assert told[0]["region_name"] == told[1]["aws_region"] == told[2]["spark.hadoop.fs.s3a.endpoint.region"] == "us-east-1"
    assert told[0]["config"].s3["addressing_style"] == "path"
    assert (told[1]["aws_virtual_hosted_style_request"], told[1]["aws_allow_http"]) == ("false", "false")
    assert told[2]["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "true"
    plain = Place.of(load_settings(root="s3a://bucket/lake", s3_endpoint="http://10.0.0.1", s3_path_style=False))
    assert (plain.endpoint, plain.path_style) == ("http://10.0.0.1", False)
    assert (plain.storage_options or {})["aws_allow_http"] == "true"


@pytest.mark.parametrize(
    ("root", "endpoint", "told"),
    [
        ("s3a:///lake", None, "names no bucket"),
        ("s3a://bucket", None, "names no prefix in the bucket"),
        ("abfs://bucket/lake", None, "abfs://bucket/lake is not supported"),
        ("s3a://bucket/lake", "minio:9000", "'minio:9000' is no address"),
        ("s3a://bucket/lake", "https://key:planted@minio:9000", "holds credentials"),
    ],
)
def test_what_is_no_place_is_refused(root: str, endpoint: str | None, told: str) -> None:
    with pytest.raises(Misuse, match=told) as refused:
        Place.of(load_settings(root=root, s3_endpoint=endpoint))
    assert "planted" not in str(refused.value)
