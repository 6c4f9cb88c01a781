"""What reading a file may cost, and how a file is turned away."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """Why a file cannot be unpacked, for the person who sent it."""


@dataclass(frozen=True)
class Limits:
    """What unpacking may cost. A report shrinks some 10 to 60 times; a bomb a thousand times."""

    unpacked_bytes: int = 4 << 30
    ratio: int = 250
    # Small files may shrink as they like: the ratio counts from here.
    ratio_from: int = 16 << 20
    members: int = 1000

    def check(self, unpacked: int, packed: int) -> None:
        if unpacked > self.unpacked_bytes:
            raise Refused(f"it unpacks to more than {self.unpacked_bytes} bytes")
        if unpacked > self.ratio_from and unpacked > self.ratio * packed:
            raise Refused(f"it unpacks to more than {self.ratio} times its size: a decompression bomb")


DEFAULT_LIMITS = Limits()
