"""One usage line: the contract between a report and the books.

A line arrives as *canonical text*: what a dialect's grammar made of a report's cells, each field text or None. Decimals are in
plain notation, days `YYYY-MM-DD`, months `YYYY-MM`, territories alpha-2, currencies ISO 4217, identifiers bare. `UsageLine`
says what each field must be and gives it its type. The rules are data (`Rule`), so that `checks.rows` compiles the very same
ones to Spark expressions; Pydantic then sees only the rows that were refused, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import PydanticCustomError, core_schema

from lakehouse.model.identifiers import ISRC, UPC, WRONG_CHECK_DIGIT, currency_codes, gtin_check_digit_holds
from lakehouse.model.period import DAY, PERIOD
from lakehouse.model.territories import alpha2_codes
from lakehouse.model.vocabulary import CONFIGURATIONS, MEANINGS

MAX_TEXT = 2000
AMOUNT = (38, 18)
UNITS = (20, 6)


class Reason(NamedTuple):
    """One thing that is wrong with a record, in the columns of `ops.quarantine.reasons`."""

    column: str
    rule: str
    value: str | None
    message: str


@dataclass(frozen=True)
class Rule:
    """What the canonical text of one field must be. `kind` names the rule in a reason.

    `pattern` (matched whole), `codes` (a closed list) and `decimal` (precision, scale) are the constraint; `expected` tells a
    person what was expected. None passes exactly when the field is not `required`."""

    kind: Literal["text", "pattern", "code", "decimal", "day"]
    expected: str
    required: bool = False
    pattern: str = ""
    codes: frozenset[str] = frozenset()
    decimal: tuple[int, int] = (0, 0)

    @property
    def decimal_pattern(self) -> str:
        """Plain notation that fits `decimal` without loss."""
        precision, scale = self.decimal
        return rf"-?[0-9]{{1,{precision - scale}}}(\.[0-9]{{1,{scale}}})?"

    def fits(self, text: str) -> bool:
        if self.kind == "text":
            return 1 <= len(text) <= MAX_TEXT
        if self.kind == "code":
            return text in self.codes
        if self.kind == "decimal":
            return re.fullmatch(self.decimal_pattern, text) is not None
        if self.kind == "day":
            return re.fullmatch(DAY, text) is not None and _is_calendar_day(text)
        return re.fullmatch(self.pattern, text) is not None

    def read(self, text: Any) -> Any:
        """The typed value of `text`. Raises PydanticCustomError naming the rule that is broken."""
        if text is None:
            if self.required:
                raise PydanticCustomError("required", "a value is needed: {expected}", {"expected": self.expected})
            return None
        if not isinstance(text, str) or not self.fits(text):
            raise PydanticCustomError(self.kind, "expected {expected}", {"expected": self.expected})
        if self.kind == "decimal":
            return Decimal(text)
        return date.fromisoformat(text) if self.kind == "day" else text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))


def _is_calendar_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _text(expected: str, required: bool = False) -> Rule:
    return Rule("text", f"{expected}, at most {MAX_TEXT} characters", required)


_PLAIN = "a plain number with at most {} digits before and {} after the point"

OptionalText = Annotated[str | None, _text("text")]


class UsageLine(BaseModel):
    """A usage line with its types. Built from canonical text; raises ValidationError with every reason at once."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    usage_period: Annotated[str, Rule("pattern", "a month of use or sale, YYYY-MM", True, pattern=PERIOD)]
    sale_date: Annotated[date | None, Rule("day", "a day of the calendar, YYYY-MM-DD")] = None
    meaning: Annotated[str, Rule("code", f"one of {', '.join(MEANINGS)}", True, codes=frozenset(MEANINGS))]
    channel: Annotated[str, _text("the DSP or store", required=True)]
    configuration: Annotated[
        str, Rule("code", f"a kind of use or sale: one of {', '.join(CONFIGURATIONS)}", True, codes=frozenset(CONFIGURATIONS))
    ]
    territory: Annotated[str, Rule("code", "an ISO 3166-1 alpha-2 country, or ZZ for none", True, codes=alpha2_codes())]
    price_category: OptionalText = None
    isrc: Annotated[str | None, Rule("pattern", "an ISRC of 12 characters such as QZABC2600001", pattern=ISRC)] = None
    upc: Annotated[str | None, Rule("pattern", "a UPC or EAN of 8 to 14 digits", pattern=UPC)] = None
    title: OptionalText = None
    artist: OptionalText = None
    album: OptionalText = None
    label: OptionalText = None
    proprietary_id: OptionalText = None
    subscriber: OptionalText = None
    units: Annotated[Decimal, Rule("decimal", _PLAIN.format(14, 6), True, decimal=UNITS)]
    amount: Annotated[Decimal, Rule("decimal", _PLAIN.format(20, 18), True, decimal=AMOUNT)]
    currency: Annotated[str, Rule("code", "an ISO 4217 currency code such as EUR", True, codes=currency_codes())]
    gross: Annotated[Decimal | None, Rule("decimal", _PLAIN.format(20, 18), decimal=AMOUNT)] = None
    ppd: Annotated[Decimal | None, Rule("decimal", _PLAIN.format(20, 18), decimal=AMOUNT)] = None
    retail: Annotated[Decimal | None, Rule("decimal", _PLAIN.format(20, 18), decimal=AMOUNT)] = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd but was kept."""
        wrong = self.upc is not None and not gtin_check_digit_holds(self.upc)
        return (WRONG_CHECK_DIGIT,) if wrong else ()


def _rule_of(name: str) -> Rule:
    return next(item for item in UsageLine.model_fields[name].metadata if isinstance(item, Rule))


FIELDS: dict[str, Rule] = {name: _rule_of(name) for name in UsageLine.model_fields}
"""Field of a usage line: its rule, in the order of the model."""


def reasons_against(canonical: Mapping[str, str | None]) -> list[Reason]:
    """Everything that keeps this canonical text from being a usage line; empty when nothing does."""
    try:
        UsageLine.model_validate(dict(canonical))
    except ValidationError as error:
        return [
            Reason(str(item["loc"][0]), item["type"], None if item.get("input") is None else str(item["input"]), item["msg"])
            for item in error.errors(include_url=False)
        ]
    return []
