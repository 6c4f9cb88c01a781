"""The usage key: which recording a usage line names, as one hash that the matcher decides on.

Key version v1. Each of the seven fields is brought to its normal form and written as `octets:text`, or `N` when
it is missing or blank; the key is SHA-256, in hex, over `v1|isrc|upc|title|artist|album|label|proprietary_id`.
The lengths make the text unambiguous whatever the fields contain.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from lakehouse.model.normalize import normalize

KEY_VERSION: Final = "v1"
KEY_FIELDS: Final = ("isrc", "upc", "title", "artist", "album", "label", "proprietary_id")

_NOT_CODE = re.compile("[^0-9A-Za-z]")


def usage_key(
    isrc: str | None, upc: str | None, title: str | None, artist: str | None, album: str | None, label: str | None,
    proprietary_id: str | None,
) -> str:  # fmt: skip
    """The key of a usage line: 64 hex digits. Any field may be None; blank counts as missing."""
    codes = [_NOT_CODE.sub("", code or "").upper() for code in (isrc, upc)]
    names = [normalize(name) for name in (title, artist, album, label)]
    parts = [_framed(part) for part in (*codes, *names, (proprietary_id or "").strip(" "))]
    return hashlib.sha256("|".join([KEY_VERSION, *parts]).encode()).hexdigest()


def _framed(text: str) -> str:
    return f"{len(text.encode())}:{text}" if text else "N"
