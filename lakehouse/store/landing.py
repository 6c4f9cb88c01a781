"""Landing: files as they came, under the SHA-256 of what is in them, each with a receipt.

`landing/files/<file_id>` is the unpacked file, and `landing/originals/<file_id>/` the container it came in, where it came in one.
`landing/receipts/<report_period>/<file_id>.json` says what it is;
`landing/names/<file_id>/` remembers every further name it came under. Nothing here is ever changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from lakehouse.place import Place
from lakehouse.sources.limits import Refused
from lakehouse.sources.payload import FileBytes, Payload, payload_of, sha256_of
from lakehouse.sources.recognise import Dialects, Recognition
from lakehouse.sources.report import describe_report
from lakehouse.sources.told import Told, told_beside
from lakehouse.store.objects import object_store


@dataclass(frozen=True)
class Receipt:
    """What landing knows of one file. `report_period` is YYYY-MM; money is not looked at here."""

    file_id: str
    name: str
    source: str | None
    dialect_sha256: str | None
    variant: str | None
    encoding: str | None
    captured: dict[str, str]
    report_period: str | None
    report_key: str
    report_version: int
    bytes: int
    status: str
    reason: str | None
    received_at: str


@dataclass(frozen=True)
class Landed:
    """What became of one path that was given to `land`: landed, duplicate or rejected, and why."""

    path: str
    file_id: str
    source: str | None
    status: str
    reason: str | None


class Landing:
    def __init__(self, root: str | Place) -> None:
        self._objects = object_store(root)

    def put(
        self, path: Path, dialects: Dialects, source: str | None = None, period: str | None = None, told: Told | None = None
    ) -> Landed:
        """Stores the file unless its content is here already. `source` insists on a dialect, `period` on a report period; `told`
        comes before what the document beside the file says."""
        raw = payload_of(path)
        try:
            told = (told or Told()).over(told_beside(path))
            seen = dialects.recognise(raw, path.name, given=told.given)
        except Refused as refusal:
            told, seen = Told(), Recognition(path.name, raw, "plain", reason=f"{refusal}.")
        file_id = seen.file_id
        receipt = _receipt(path, file_id, seen, source, period or told.period, told)
        known = self._known(file_id)
        if known and known.status == "landed":
            self._objects.put_new(
                f"landing/names/{file_id}/{hashlib.sha256(path.name.encode()).hexdigest()[:16]}", path.name.encode()
            )
            return Landed(str(path), file_id, known.source, "duplicate", f"the same content as {known.name}")
        folder = receipt.report_period if receipt.status == "landed" else "rejected"
        self._store(f"landing/files/{file_id}", seen.payload, file_id)
        if (original := sha256_of(raw)) != file_id:
            self._store(f"landing/originals/{file_id}/{original}", raw, original)
        self._objects.put_new(f"landing/receipts/{folder}/{file_id}.json", json.dumps(asdict(receipt), sort_keys=True).encode())
        if receipt.status == "landed":
            self._objects.put_new(f"landing/landed/{file_id}", str(folder).encode())
        return Landed(str(path), file_id, receipt.source, receipt.status, receipt.reason)

    def _store(self, key: str, content: Payload, sha256: str) -> None:
        if isinstance(content, FileBytes):
            self._objects.put_file(key, content.path, sha256)
        else:
            self._objects.put_new(key, content)

    def _known(self, file_id: str) -> Receipt | None:
        folder = self._objects.get(f"landing/landed/{file_id}")
        content = self._objects.get(f"landing/receipts/{(folder or b'rejected').decode()}/{file_id}.json")
        return Receipt(**json.loads(content)) if content else None

    def receipts(self, report_period: str) -> Iterator[Receipt]:
        """The receipts of one report period, or of ``rejected``, in order of file_id."""
        for key in self._objects.keys(f"landing/receipts/{report_period}"):
            content = self._objects.get(key)
            if content:
                yield Receipt(**json.loads(content))

    def report_periods(self) -> list[str]:
        """Every report period for which something has landed."""
        folders = {key.split("/")[2] for key in self._objects.keys("landing/receipts")}
        return sorted(folders - {"rejected"})

    def count(self, report_period: str) -> int:
        """How many files have landed for a report period."""
        return sum(1 for _ in self._objects.keys(f"landing/receipts/{report_period}"))

    def open(self, file_id: str) -> BinaryIO:
        """A landed file as a stream that seeks. Any process that reaches the store can call this: executors do."""
        return self._objects.open(f"landing/files/{file_id}")


def _version(hint: str | None) -> int:
    """A name without a mark is the first sending; `v2` is the second, and a mark without a number comes after the first."""
    digits = "".join(character for character in hint or "" if character.isdigit())
    return int(digits) if digits else int(hint is not None)


def _receipt(path: Path, file_id: str, seen: Recognition, source: str | None, period: str | None, told: Told) -> Receipt:
    """What the file is; rejected with a reason when it is no report, not the one expected, or of no known period."""
    dialect, reason, facts = seen.dialect, seen.reason, None
    if dialect and source and dialect.id != source:
        reason = f"it is a {dialect.id} report, not a {source} one"
    elif dialect:
        facts = describe_report(seen, period)
        if not facts.report_period:
            reason = "the report does not say which statement period it belongs to: give --period YYYY-MM"
    return Receipt(
        file_id=file_id,
        name=path.name,
        source=dialect.id if dialect else None,
        dialect_sha256=dialect.sha256 if dialect else None,
        variant=seen.variant,
        encoding=seen.encoding,
        captured={**seen.captured, **told.captured},
        report_period=facts.report_period if facts else period,
        report_key=facts.report_key if facts else path.name,
        report_version=_version(facts.version_hint) if facts else 0,
        bytes=len(seen.payload),
        status="rejected" if reason else "landed",
        reason=reason,
        received_at=datetime.now(timezone.utc).isoformat(timespec="microseconds"),
    )
