"""When a term applies, and which of several that do: the published precedence of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from lakehouse.model.clauses.usage import Usage
from lakehouse.model.identifiers import padded_upc, plain_isrc
from lakehouse.model.places import countries_of, is_group, rolled_up

DATE = r"^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$"

# The published order of dimensions, highest first: Curve Royalty Systems, help article 348 (Cat Type > Cat Group > Territory > Channel >
# Configuration > Price Category > Source). A recording or a release named by itself stands above all of them (Revelator: the lower level
# overrides), and the type of a cost, which no usage has, above the place where it arose (Curve, help article 49).
DIMENSIONS = (
    "recording", "release", "release_type", "catalog_group", "cost_type", "territory", "channel", "configuration", "price_category", "source",
)  # fmt: skip
_LAST = "9999-12"


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


_ONE_OR_MANY = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_INCLUDE = {"type": "object", "properties": {"include": _ONE_OR_MANY, "exclude": _ONE_OR_MANY}, "additionalProperties": False}
OneOrMany = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1), WithJsonSchema(_ONE_OR_MANY)]
# The same, of which there may be none.
Many = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), WithJsonSchema(_ONE_OR_MANY)]


class Condition(BaseModel):
    """To which usage a term applies. A single value is a direct condition, a list a group; no value fits everything.

    Territories are ISO 3166-1 alpha-2 codes, TIS groups by name or number, or ``{include: [...], exclude: [...]}`` of these.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, ignored_types=(cached_property,))

    recording: OneOrMany | None = Field(None, description="ISRC or recording id")
    release: OneOrMany | None = Field(None, description="UPC or release id")
    release_type: OneOrMany | None = Field(None, description="album, ep, single, ...")
    catalog_group: OneOrMany | None = Field(None, description="a group of releases, as the catalog names it")
    cost_type: OneOrMany | None = Field(None, description="of cost terms: video, tour, ...")
    territory: Annotated[OneOrMany | None, WithJsonSchema({"anyOf": [*_ONE_OR_MANY["anyOf"], _INCLUDE]})] = Field(
        None, description="ISO 3166-1 alpha-2 codes, TIS groups, or include and exclude"
    )
    territory_except: OneOrMany | None = Field(None, description="what `territory: {exclude: ...}` takes out")
    channel: OneOrMany | None = Field(None, description="DSP, store or society")
    configuration: OneOrMany | None = Field(None, description="stream, download, physical, ...")
    price_category: OneOrMany | None = None
    source: OneOrMany | None = Field(None, description="the report's dialect id")
    from_period: str | None = Field(None, alias="from", pattern=DATE, description="first month or day of use")
    to_period: str | None = Field(None, alias="to", pattern=DATE, description="last month or day of use")

    @model_validator(mode="before")
    @classmethod
    def _include_and_exclude(cls, data: Any) -> Any:
        """`territory: {include: .., exclude: ..}` in its two fields."""
        places = data.get("territory") if isinstance(data, dict) else None
        if not isinstance(places, dict):
            return data
        if unknown := set(places) - {"include", "exclude"}:
            raise ValueError(f"territory knows `include` and `exclude`, not {sorted(unknown)[0]!r}")
        return {**data, "territory": places.get("include", "WORLD"), "territory_except": places.get("exclude")}

    @field_validator("*", mode="after")
    @classmethod
    def _named_groups(cls, value: Any, info: ValidationInfo) -> Any:
        """The values of the groups that the book names."""
        name = "territory" if info.field_name == "territory_except" else info.field_name
        groups = ((info.context or {}).get("groups") or {}).get(name, {})
        if not isinstance(value, tuple):
            return value
        members = (member for one in value for member in groups.get(one, (one,)))
        form = {"release": padded_upc, "recording": plain_isrc}.get(str(name), str)
        return tuple(dict.fromkeys(map(form, members)))

    @cached_property
    def wanted(self) -> dict[str, frozenset[str]]:
        """The values that fit, for each dimension with a condition."""
        found = {d: frozenset(values) for d in DIMENSIONS if (values := getattr(self, d)) is not None}
        if self.territory is not None:
            places = frozenset().union(*(countries_of(name) or {name} for name in self.territory))
            found["territory"] = places - frozenset().union(*map(countries_of, self.territory_except or ()))
        return found

    @property
    def dated(self) -> bool:
        """Whether the term holds from a date or to one."""
        return bool(self.from_period or self.to_period)

    def fits(self, usage: Usage, basis: str = "iso") -> bool:
        """Whether the usage meets every condition. On the `tis` basis dependent territories count as their country."""
        if not self.holds(usage.sale_date or usage.usage_period):
            return False
        for dimension, values in self.wanted.items():
            value = getattr(usage, dimension)
            if value not in values and not (basis == "tis" and dimension == "territory" and rolled_up(value) in values):
                return False
        return True

    def holds(self, date: str) -> bool:
        """Whether the term is in force on a day or in a month; months are compared where one of the two is a month."""
        start, end = self.from_period or "", self.to_period or _LAST
        return start[: len(date)] <= date[: len(start)] and date[: len(end)] <= end[: len(date)]

    def specificity(self, order: Sequence[str] = DIMENSIONS) -> tuple[int, ...]:
        """0 none, 1 group, 2 direct, for each dimension in the order of the book; the larger vector wins."""
        return tuple(self._level(dimension) for dimension in order)

    def _level(self, dimension: str) -> int:
        named = getattr(self, dimension)
        if named is None:
            return 0
        grouped = dimension == "territory" and (self.territory_except is not None or is_group(named[0]))
        return 1 if len(named) > 1 or grouped else 2

    def covers(self, other: Condition) -> bool:
        """Whether all usage that fits the other fits this one, dates left aside."""
        return all(d in other.wanted and other.wanted[d] <= mine for d, mine in self.wanted.items())

    def overlaps(self, other: Condition) -> bool:
        """Whether some usage fits both."""
        first, last = max(self.from_period or "", other.from_period or ""), min(self.to_period or _LAST, other.to_period or _LAST)
        if first[: len(last)] > last[: len(first)]:
            return False
        return all(d not in other.wanted or mine & other.wanted[d] for d, mine in self.wanted.items())
