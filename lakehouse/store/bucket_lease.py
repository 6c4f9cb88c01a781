"""The lease of a lake on S3: numbered objects, each put once with If-None-Match; the highest number holds the lake.

`_leases/writer/<number>.json` tells who took it, when, for how long, and whether it was given back. To take the lease is to put the
next number, which of many exactly one can; the number is the fence that goes into every commit made under it. The holder renews by
writing its own object again. A lease is broken only when it was not renewed for its time, by the clock of the store alone: the age of
the object at the moment of the answer. Whoever finds a higher number than its own has lost the lake, whatever its own clock says.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from lakehouse.errors import Busy
from lakehouse.store.s3 import S3Objects

FOLDER = "_leases/writer"
# What the clock of the store may round off an age.
_ROUNDED = 2
log = logging.getLogger("lakehouse")


@dataclass
class BucketLease:
    """The writer's lease as its holder has it. `broken` says that the holder before did not give it back."""

    objects: S3Objects
    fence: int
    owner: str
    seconds: int
    broken: bool
    _renewed: float = field(default_factory=time.monotonic)
    _done: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises Busy where another writer has taken the lake over."""
        if time.monotonic() - self._renewed > self.seconds:
            self._write()
        newest = _newest(self.objects)
        if newest is None or _number(newest) != self.fence:
            raise Busy(
                f"{self.objects.place.root}: this process was held up for longer than its lease of {self.seconds} seconds, and another "
                "one writes now. Nothing more was written here; run the command again."
            )

    def renew_until_released(self) -> None:
        """Renews in good time. A store that is away for a while is asked again: no one else can take the lease there either."""
        while not self._done.wait(self.seconds / 4):
            try:
                self._write()
            except Exception as error:
                log.warning("The lease of %s could not be renewed: %s", self.objects.place.root, error)

    def release(self) -> None:
        """Gives the lease back; what cannot be given back expires."""
        self._done.set()
        try:
            self._write(released=True)
        except Exception as error:
            log.warning("The lease of %s could not be given back and will expire: %s", self.objects.place.root, error)

    def _write(self, released: bool = False) -> None:
        asked = time.monotonic()
        self.objects.put(_key(self.fence), _record(self.owner, self.fence, self.seconds, released))
        self._renewed = asked


def take(objects: S3Objects, seconds: int) -> BucketLease | None:
    """The lease, or None while another holds it."""
    newest = _newest(objects)
    fence, broken = 1, False
    if newest is not None:
        found = _look(objects, newest)
        if found is None or not (found["released"] or found["age"] > found["seconds"] + _ROUNDED):
            return None
        fence, broken = _number(newest) + 1, not found["released"]
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"
    record = _record(owner, fence, seconds)
    # An answer that was lost on its way is asked for again, and then the object that is there may be our own.
    if not objects.put_new(_key(fence), record) and objects.get(_key(fence)) != record:
        return None
    older = list(objects.keys(FOLDER))
    if _number(older[-1]) != fence:
        # The listing was old: this number was given, given back and cleared away long ago.
        objects.remove(_key(fence))
        return None
    for key in older[:-1]:
        objects.remove(key)
    return BucketLease(objects, fence, owner, seconds, broken)


def holder_of(objects: S3Objects) -> str:
    """Who has the lease now, for people."""
    newest = _newest(objects)
    found = _look(objects, newest) if newest else None
    host, _, process = found["owner"].rpartition(":")[0].partition(":") if found else ("", "", "")
    return f"process {process} on {host}" if process else "another process"


def _look(objects: S3Objects, key: str) -> dict[str, Any] | None:
    """A lease as it stands, with its `age` in seconds by the clock of the store."""
    told = objects.head(key)
    content = objects.get(key)
    if told is None or content is None:
        return None
    now = parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"])
    return {**json.loads(content), "age": (now - told["LastModified"]).total_seconds()}


def _newest(objects: S3Objects) -> str | None:
    return max(objects.keys(FOLDER), default=None)


def _key(number: int) -> str:
    return f"{FOLDER}/{number:012d}.json"


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].removesuffix(".json"))


def _record(owner: str, fence: int, seconds: int, released: bool = False) -> bytes:
    written = datetime.now(timezone.utc).isoformat(timespec="seconds")
    told = {"owner": owner, "fence": fence, "seconds": seconds, "written_at": written, "released": released}
    return json.dumps(told, sort_keys=True).encode()
