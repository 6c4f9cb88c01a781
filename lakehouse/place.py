"""Where a lake is and how its store is reached: the one home of what boto3, delta-rs and Hadoop's S3A are told about S3.

Credentials are not among it. Each of the three finds them by itself, the usual way: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a
profile, a role of the machine. So they stand in no property, no log and no list of processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.settings import Settings, load_settings

_S3 = ("s3a://", "s3://")
# S3A tries so often in the SDK, and so often again itself, with pauses that double from half a second: two minutes in all.
_SDK_ATTEMPTS, _S3A_RETRIES = 5, 8
_CONNECT_SECONDS, _READ_SECONDS = 10, 60


def is_s3(root: str) -> bool:
    return root.startswith(_S3)


@dataclass(frozen=True)
class Place:
    """A lake's root, a folder or s3a://bucket/prefix, and the store it is in."""

    root: str
    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    single_writer: bool = False
    lease_seconds: int = 60
    lease_wait: float = 0
    attempts: int = 12

    @classmethod
    def of(cls, settings: Settings) -> Place:
        """Where the settings say the lake is. Raises Misuse where they do not, or name a store that is not known."""
        if not settings.root:
            raise Misuse("Which lake? Give --root FOLDER, --root s3a://BUCKET/PREFIX, or set LAKEHOUSE_ROOT.")
        root = settings.root.rstrip("/").removeprefix("file://") or "/"
        if not is_s3(root):
            if "://" in root:
                raise Misuse(f"A lake at {root} is not supported: give a folder or s3a://BUCKET/PREFIX.")
            return cls(str(Path(root).absolute()), lease_wait=settings.lease_wait)
        bucket, _, prefix = root.partition("://")[2].partition("/")
        if not bucket or not prefix:
            raise Misuse(f"{root} names no {'prefix in the bucket' if bucket else 'bucket'}: write s3a://BUCKET/PREFIX.")
        endpoint = settings.s3_endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        region = settings.s3_region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return cls(
            root=f"s3a://{bucket}/{prefix}",
            endpoint=_address(endpoint.rstrip("/")) if endpoint else None,
            # A store of one's own takes any region, but a signature needs one.
            region=region or ("us-east-1" if endpoint else None),
            path_style=bool(endpoint) if settings.s3_path_style is None else settings.s3_path_style,
            single_writer=settings.single_writer,
            lease_seconds=settings.lease_seconds,
            lease_wait=settings.lease_wait,
            attempts=settings.s3_attempts,
        )

    @classmethod
    def at(cls, root: str | Place) -> Place:
        """The place of a root, reached as this process's settings say."""
        return root if isinstance(root, Place) else cls.of(load_settings(root=root))

    @property
    def is_local(self) -> bool:
        return not is_s3(self.root)

    @property
    def bucket(self) -> str:
        return self.root.partition("://")[2].partition("/")[0]

    @property
    def prefix(self) -> str:
        """The part of every key in the bucket that names the lake."""
        return self.root.partition("://")[2].partition("/")[2]

    def uri(self, path: str) -> str:
        """The address of something in the lake as delta-rs wants it."""
        return f"{self.root.replace('s3a://', 's3://', 1)}/{path}"

    def hadoop_uri(self, path: str) -> str:
        """The same, as Spark wants it."""
        return f"{self.root}/{path}"

    def in_hadoop(self, uri: str) -> str:
        """An address that delta-rs gave, as Spark wants it."""
        return uri.replace("s3://", "s3a://", 1) if uri.startswith("s3://") else uri

    @cached_property
    def storage_options(self) -> dict[str, str] | None:
        """What delta-rs is told. Its commits are conditional puts: of two writers of one version, one loses and tries the next."""
        if self.is_local:
            return None
        options = {
            "aws_virtual_hosted_style_request": str(not self.path_style).lower(),
            "aws_conditional_put": "etag",
            "max_retries": str(self.attempts - 1),
            "retry_timeout": "180s",
            # A pause is drawn between the first one and so many times the last: with 5, eleven of them are a minute or more.
            "backoff_config.init_backoff": "1s",
            "backoff_config.base": "5",
            "backoff_config.max_backoff": "20s",
            "connect_timeout": f"{_CONNECT_SECONDS}s",
            "timeout": f"{_READ_SECONDS}s",
        }
        if self.endpoint:
            options |= {"aws_endpoint": self.endpoint, "aws_allow_http": str(self.endpoint.startswith("http://")).lower()}
        return options | ({"aws_region": self.region} if self.region else {})

    def client_arguments(self) -> dict[str, Any]:
        """What boto3.client("s3", ...) is told. Raises Misuse where boto3 is not installed."""
        try:
            from botocore.config import Config
        except ImportError:
            raise Misuse("A lake on S3 needs boto3: pip install 'royalty-lakehouse[s3]'.") from None
        return {
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "config": Config(
                retries={"mode": "standard", "total_max_attempts": self.attempts},
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                s3={"addressing_style": "path" if self.path_style else "auto"},
            ),
        }

    def spark_properties(self) -> dict[str, str]:
        """What S3A in the JVM is told; nothing for a folder."""
        if self.is_local:
            return {}
        told = {
            # The SDK's own chain: environment, profile, web identity, container, machine, in boto3's order.
            "aws.credentials.provider": "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
            "path.style.access": str(self.path_style).lower(),
            # Blocks wait for their upload in memory, outside the heap: the file system that would take them on disk is not the one
            # in conf/spark-defaults.conf.
            "fast.upload.buffer": "bytebuffer",
            "fast.upload.active.blocks": "2",
            "multipart.size": "32M",
            "attempts.maximum": str(min(self.attempts, _SDK_ATTEMPTS)),
            "retry.limit": str(min(self.attempts, _S3A_RETRIES)),
            "connection.establish.timeout": f"{_CONNECT_SECONDS}s",
            "connection.timeout": f"{_READ_SECONDS}s",
        }
        if self.endpoint:
            told |= {"endpoint": self.endpoint, "connection.ssl.enabled": str(self.endpoint.startswith("https://")).lower()}
        if self.region:
            told["endpoint.region"] = self.region
        return {f"spark.hadoop.fs.s3a.{name}": value for name, value in told.items()}


def _address(endpoint: str) -> str:
    if not endpoint.startswith(("http://", "https://")):
        raise Misuse(f"The S3 endpoint {endpoint!r} is no address: write https://HOST:PORT, or http:// without TLS.")
    if "@" in endpoint:
        raise Misuse("The S3 endpoint holds credentials: give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    return endpoint
