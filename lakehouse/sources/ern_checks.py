"""What is deficient in a DDEX ERN message: missing fields, roles that the standard does not list, shares that make no whole.

Nothing is refused or mended here: each flag names the place by its XPath, for the sender to correct.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lakehouse.model.plain_yaml import read_yaml
from lakehouse.settings import conf_dir
from lakehouse.sources.ern_xml import local, texts, xpath

if TYPE_CHECKING:
    from lxml.etree import _Element

_SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,12})?")
_WHOLE = Decimal(100)
# Where artists and contributors of a recording may be credited with one another's roles.
_CREDITS = ("contributor", "work", "artist")


class Flag(NamedTuple):
    """One deficiency: where it is, by line and XPath, and what is wrong."""

    line: int
    xpath: str
    rule: str
    message: str


class Rights(NamedTuple):
    """A rights controller of a resource and the percentage it is said to control; None where the message leaves it open."""

    element: _Element
    share: str | None


class _Needed(NamedTuple):
    column: str
    path: str
    rule: str
    why: str


# Title and artist of a recording are judged by the catalog, which leaves the recording out.
_RECORDING = (
    _Needed("isrc", "ISRC", "missing_isrc", "no ISRC: reports can find the recording by its names alone"),
    _Needed("duration", "Duration", "missing_duration", "no Duration"),
    _Needed("year", "PLine", "missing_p_line", "no PLine: nothing says who has the phonogram right, and since when"),
)
_RELEASE = (
    _Needed("upc", "ReleaseId/ICPN", "missing_upc", "no ICPN: reports by UPC or EAN cannot find the release"),
    _Needed("album", "DisplayTitleText", "missing_title", "no title"),
    _Needed("artist", "DisplayArtistName", "missing_artist", "no display artist"),
    _Needed("label", "ReleaseLabelReference", "missing_label", "no label"),
    _Needed("release_type", "ReleaseType", "missing_release_type", "no ReleaseType"),
    _Needed("p_line", "PLine", "missing_p_line", "no PLine"),
    _Needed("c_line", "CLine", "missing_c_line", "no CLine"),
    _Needed("genre", "Genre", "missing_genre", "no Genre"),
)


def check_recording(element: _Element, cells: Mapping[str, str | None]) -> Iterator[Flag]:
    return _missing(element, cells, _RECORDING)


def check_release(element: _Element, cells: Mapping[str, str | None]) -> Iterator[Flag]:
    yield from _missing(element, cells, _RELEASE)
    if not (cells.get("release_date") or cells.get("original_release_date")):
        yield Flag(element.sourceline or 0, xpath(element, "ReleaseDate"), "missing_release_date", "the release has no date")


def _missing(element: _Element, cells: Mapping[str, str | None], needed: Sequence[_Needed]) -> Iterator[Flag]:
    for one in needed:
        if not cells.get(one.column):
            name = "release" if local(element) == "Release" else "recording"
            yield Flag(element.sourceline or 0, xpath(element, one.path), one.rule, f"the {name} has {one.why}")


def check_role(element: _Element, role: str) -> Iterator[Flag]:
    """Whether the role is one that the standard lists."""
    if role not in _allowed():
        yield Flag(element.sourceline or 0, xpath(element), "role", f"{role!r} is not a role that the standard lists")


@cache
def _allowed() -> frozenset[str]:
    roles = read_yaml((conf_dir() / "ern" / "roles.yaml").read_text(encoding="utf-8"))
    return frozenset(role for kind in _CREDITS for role in roles[kind].split())


def check_shares(rights: Sequence[Rights]) -> Iterator[Flag]:
    """Whether percentages are percentages, and those of one kind of right in one territory make a hundred."""
    groups: dict[tuple[str, ...], list[Rights]] = defaultdict(list)
    for one in {id(one.element): one for one in rights}.values():
        if one.share is not None and not (_SHARE.fullmatch(one.share) and Decimal(one.share) <= _WHOLE):
            where = xpath(one.element, "RightSharePercentage")
            yield Flag(one.element.sourceline or 0, where, "share", f"{one.share!r} is not a percentage from 0 to 100")
        groups[_scope(one.element)].append(one)
    for scope, members in groups.items():
        shares = [one.share for one in members]
        if all(share is not None and _SHARE.fullmatch(share) for share in shares):
            total = sum(Decimal(share or 0) for share in shares)
            if total != _WHOLE:
                element = members[0].element
                message = f"the shares {' + '.join(map(str, shares))} in {', '.join(scope[2:]) or 'all territories'} make {total:f}, not 100"
                yield Flag(element.sourceline or 0, xpath(element), "share_sum", message)


def _scope(element: _Element) -> tuple[str, ...]:
    """What shares must make a whole of: one kind of controller, one kind of right, the same territories."""
    parent = element.getparent()
    territories = texts(element, "..TerritoryCode") or (texts(parent, "TerritoryCode") if parent is not None else [])
    return (local(element), ",".join(texts(element, "..RightsType")), *sorted(territories))
