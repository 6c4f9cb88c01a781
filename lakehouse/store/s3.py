"""Objects in an S3 bucket, by boto3, whose own retries stand between a store that stumbles and its users."""

from __future__ import annotations

import functools
import io
import random
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from lakehouse.errors import Busy, Misuse
from lakehouse.place import Place
from lakehouse.store.objects import Listed, changed

# One request reads so much of a large object.
_READ_BYTES = 8 << 20
# The most that S3 takes in one request.
_ONE_PUT = 5 << 30
_MISSING = {"404", "NoSuchKey", "NotFound"}
_TAKEN = {"412", "PreconditionFailed"}
# Two conditional puts at the same moment: S3 asks for another try.
_AT_ONCE = {"409", "ConditionalRequestConflict"}
# What was sent has another checksum than was told.
_NOT_THAT = {"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}
_TRIES = 8


@functools.lru_cache(maxsize=8)
def client(place: Place) -> Any:
    """The one boto3 client of this process for a place; safe to share between threads."""
    import boto3

    return boto3.session.Session().client("s3", **place.client_arguments())


@contextmanager
def asking(place: Place, what: str) -> Iterator[None]:
    """Turns what boto3 raises into what a person must do: Busy where a later try may help, Misuse where it will not."""
    from botocore import exceptions as failed

    try:
        yield
    except (failed.NoCredentialsError, failed.PartialCredentialsError, failed.ProfileNotFound) as error:
        raise Misuse(f"{place.root}: {error}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.") from None
    except failed.ClientError as error:
        code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "NoSuchBucket":
            raise Misuse(f"{place.root}: there is no bucket {place.bucket}. Make it first, or correct the root.") from None
        if status in (401, 403):
            raise Misuse(
                f"{place.root}: the store refuses {what} ({code}). Check the credentials and what they may do."
            ) from None
        if status >= 500 or status == 429 or code in _AT_ONCE:
            raise Busy(f"{place.root}: the store is not well ({code} at {what}). Try again later.") from None
        raise
    except (failed.HTTPClientError, failed.ConnectionError, failed.IncompleteReadError) as error:
        raise Busy(f"{place.root}: the store cannot be reached at {what} ({type(error).__name__}). Try again later.") from None


def code_of(error: Any) -> str:
    """The code of a botocore ClientError, such as NoSuchKey or 404."""
    return str(error.response.get("Error", {}).get("Code", ""))


@dataclass(frozen=True)
class S3Objects:
    """Objects under the root of a place in S3."""

    place: Place

    def path(self, key: str) -> str:
        return self.place.hadoop_uri(key)

    def put_new(self, key: str, content: bytes) -> bool:
        return self._put_once(key, lambda: io.BytesIO(content))

    def put_file(self, key: str, file: Path, sha256: str) -> bool:
        if self.head(key):
            return False
        if file.stat().st_size > _ONE_PUT:
            raise Misuse(f"{file} has more than 5 GiB, the most that S3 takes at once. Send it in parts.")
        from botocore.exceptions import ClientError

        # The store holds what it gets against the SHA-256.
        expected = b64encode(bytes.fromhex(sha256)).decode()
        try:
            return self._put_once(key, lambda: file.open("rb"), ChecksumSHA256=expected)
        except ClientError as error:
            if code_of(error) in _NOT_THAT:
                raise changed(file) from None
            raise

    def _put_once(self, key: str, content: Callable[[], BinaryIO], **told: str) -> bool:
        from botocore.exceptions import ClientError

        with asking(self.place, f"PUT {key}"):
            for attempt in range(_TRIES):
                try:
                    with content() as body:
                        client(self.place).put_object(**self._named(key), Body=body, IfNoneMatch="*", **told)
                    return True
                except ClientError as error:
                    if code_of(error) in _TAKEN:
                        return False
                    if code_of(error) not in _AT_ONCE or attempt == _TRIES - 1:
                        raise
                time.sleep(random.uniform(0, 0.1 * 2**attempt))
        return False

    def put(self, key: str, content: bytes) -> None:
        with asking(self.place, f"PUT {key}"):
            client(self.place).put_object(**self._named(key), Body=content)

    def get(self, key: str) -> bytes | None:
        from botocore.exceptions import ClientError

        with asking(self.place, f"GET {key}"):
            try:
                return self._received(key)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                raise

    def read(self, key: str, start: int, size: int, etag: str) -> bytes:
        """`size` bytes from `start` of the object with this ETag."""
        if size == 0:
            return b""
        with asking(self.place, f"GET {key}"):
            return self._received(key, Range=f"bytes={start}-{start + size - 1}", IfMatch=etag)

    def _received(self, key: str, **which: str) -> bytes:
        """The body of an answer, asked for again where the line breaks: botocore's retries end with the head of the answer."""
        from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

        for attempt in range(_TRIES):
            try:
                return bytes(client(self.place).get_object(**self._named(key), **which)["Body"].read())
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if attempt == _TRIES - 1:
                    raise
            time.sleep(random.uniform(0, 0.2 * 2**attempt))
        raise AssertionError("the last try returns or raises")

    def head(self, key: str) -> Mapping[str, Any] | None:
        """What the store says of an object, None where there is none."""
        from botocore.exceptions import ClientError

        with asking(self.place, f"HEAD {key}"):
            try:
                return cast("Mapping[str, Any]", client(self.place).head_object(**self._named(key)))
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                raise

    def open(self, key: str) -> BinaryIO:
        found = self.head(key)
        if not found:
            raise FileNotFoundError(self.path(key))
        return cast("BinaryIO", io.BufferedReader(_Ranges(self, key, found["ContentLength"], found["ETag"]), _READ_BYTES))

    def keys(self, prefix: str) -> Iterator[str]:
        for listed in self.listing(prefix):
            # What a folder keeps hidden, a listing shows: the same names are passed over.
            if not listed.key.rpartition("/")[2].startswith("."):
                yield listed.key

    def listing(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        top = self._key("")
        folder = top + f"{prefix.strip('/')}/".lstrip("/")
        start = {"StartAfter": self._key(after)} if after else {}
        with asking(self.place, f"LIST {prefix}"):
            pages = client(self.place).get_paginator("list_objects_v2").paginate(Bucket=self.place.bucket, Prefix=folder, **start)
            for page in pages:
                now = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
                for found in page.get("Contents", ()):
                    age = (now - found["LastModified"]).total_seconds()
                    yield Listed(found["Key"].removeprefix(top), found["Size"], found["ETag"].strip('"'), age)

    def fetch(self, listed: Listed, to: Path) -> bool:
        from botocore.exceptions import ClientError

        with asking(self.place, f"GET {listed.key}"), to.open("wb") as out:
            try:
                for start in range(0, listed.size, _READ_BYTES):
                    out.write(self.read(listed.key, start, min(_READ_BYTES, listed.size - start), listed.etag))
            except ClientError as error:
                if code_of(error) in _MISSING | _TAKEN:
                    return False
                raise
        return True

    def remove(self, key: str) -> None:
        with asking(self.place, f"DELETE {key}"):
            client(self.place).delete_object(**self._named(key))

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self.place.bucket, "Key": self._key(key)}

    def _key(self, key: str) -> str:
        return f"{self.place.prefix}/{key}"


class _Ranges(io.RawIOBase):
    """One object, read by ranges: a broken line costs one range, and the object may not change meanwhile."""

    def __init__(self, objects: S3Objects, key: str, size: int, etag: str) -> None:
        self._objects, self._key, self._size, self._etag = objects, key, size, etag
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        content = self._take(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def readall(self) -> bytes:
        # Python's own way would ask for 8 KB at a time.
        return self._take(self._size)

    def _take(self, size: int) -> bytes:
        content = self._objects.read(self._key, self._at, max(0, min(size, self._size - self._at)), self._etag)
        self._at += len(content)
        return content
