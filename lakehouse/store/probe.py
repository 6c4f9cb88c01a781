"""Whether a store keeps writers apart: it must refuse to put an object where there is one, when asked to."""

from __future__ import annotations

import uuid

from lakehouse.errors import Misuse
from lakehouse.store.s3 import S3Objects


def require_conditional_writes(objects: S3Objects) -> None:
    """Puts one object twice. Raises Misuse where the second put is not refused and no single writer is declared in the settings."""
    key = f"_leases/probe/{uuid.uuid4().hex}"
    try:
        objects.put_new(key, b"first")
        honoured = not objects.put_new(key, b"second") and objects.get(key) == b"first"
    finally:
        objects.remove(key)
    if not honoured and not objects.place.single_writer:
        raise Misuse(
            f"{objects.place.root}: the store does not honour If-None-Match, so two writers could overwrite each other's commits. "
            "Use a store that does, or set LAKEHOUSE_SINGLE_WRITER=true and see to it that only one process ever writes."
        )
