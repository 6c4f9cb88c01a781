"""What a dialect document may say: one report format, in `conf/sources/<id>.yaml`.

A dialect says how a file is recognised (container, encoding, delimiter, preamble, header), how its text becomes cells, how
cells become the fields of a usage line (`map` under `grammar`), and what its rows mean. It holds no code; adding a format
is adding a document. `Dialect.model_json_schema()` is its JSON Schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from lakehouse.model.usage import FIELDS
from lakehouse.model.vocabulary import CONFIGURATIONS, MEANINGS, NOT_INCOME, UNKNOWN
from lakehouse.sources.dsr_layouts import Layouts

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Encoding = Literal["utf-8", "utf-8-bom", "utf-16-le-bom", "latin-1", "cp1252", "cp932"]
Delimiter = Literal["TAB", ",", ";", "|"]
# What a file may lie in. Sheets of workbooks and HTML tables are read as comma-separated UTF-8, see unpack.
Container = Literal["plain", "gzip", "zip", "xlsx", "html"]
# What landing knows of every report besides what it captured: its statement month.
REPORT_PERIOD = "report_period"
# What a DDEX flat file's HEAD record says about the whole file.
HEAD_CAPTURES = (
    "SenderPartyId", "SenderName", "RecipientPartyId", "ServiceDescription", "UsageStartDate", "UsageEndDate", "FileNumber",
)  # fmt: skip
DELIMITERS = {"TAB": "\t", ",": ",", ";": ";", "|": "|"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Condition(_Strict):
    """Holds when the trimmed cell of `column` is one of `any`, is not blank and none of `none_of`, or is blank. Case does not matter."""

    column: str
    any: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    blank: Literal[True] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Condition:
        if sum(map(bool, (self.any, self.none_of, self.blank))) != 1:
            raise ValueError(f"condition on {self.column!r}: give exactly one of `any`, `none_of` and `blank`")
        return self

    def __str__(self) -> str:
        if self.blank:
            return f"{self.column} is blank"
        return f"{self.column} is " + (", ".join(self.any) or "other than " + ", ".join(self.none_of))


class Read(_Strict):
    """Where the text of one field comes from: exactly one of a column, the first column that is not blank, a value captured
    from the whole file, a constant, or an exact sum of columns (blank ones count as 0, but not all may be blank)."""

    # Documents write lists; a nested reading is handed on as a Python object, where strict mode would want tuples.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=True)

    column: str | None = None
    first: tuple[str, ...] = ()
    captured: str | None = None
    constant: str | None = None
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    matching: str | None = Field(
        None, description="A cell that is not this regular expression, whole, counts as blank; a group in it is what is read"
    )
    lookup: dict[str, str] = Field({}, description="Cell, upper and lower case alike: value it stands for")
    otherwise: str | None = Field(
        None, description="Value of a cell that `lookup` does not list; without it the cell's own text stays"
    )
    otherwise_read: Read | None = Field(None, alias="or", description="Read this instead where the first reading is blank")

    @model_validator(mode="after")
    def _has_one_origin(self) -> Read:
        origins = [self.column, self.first, self.captured, self.constant, self.plus]
        if sum(bool(origin) for origin in origins) != 1:
            raise ValueError("give exactly one of column, first, captured, constant, plus")
        if self.minus and not self.plus:
            raise ValueError("minus needs plus")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that this reading looks at."""
        own = tuple(name for name in (self.column, *self.first, *self.plus, *self.minus) if name)
        return own + (self.otherwise_read.columns if self.otherwise_read else ())


def _column_shorthand(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


Reading = Annotated[Read, BeforeValidator(_column_shorthand)]


class Grammar(_Strict):
    """How numbers, dates, months and territories are spelled. What does not fit is refused, never interpreted."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = Field("", description="Mark between groups of three digits")
    currency_signs: tuple[str, ...] = ()
    parentheses: bool = Field(False, description="(12.34) is negative")
    trailing_minus: bool = Field(False, description="12.34- is negative")
    excel: bool = Field(False, description='Cells may be wrapped as ="008"')
    dates: tuple[str, ...] = Field(("YYYY-MM-DD",), description="Spellings of a day, see grammar.time_pattern")
    months: tuple[str, ...] = Field(("YYYY-MM",), description="Spellings of a month; a day also stands for its month")
    territories: tuple[Literal["alpha2", "alpha3", "name"], ...] = ("alpha2",)
    missing: tuple[str, ...] = Field(
        ("", "N/A", "NA", "NULL", "NONE", "-", "UNKNOWN"), description="Spellings of no value in text and identifiers, any case"
    )

    @model_validator(mode="after")
    def _marks_differ(self) -> Grammar:
        if self.decimal == self.thousands:
            raise ValueError("the decimal mark and the thousands mark are the same")
        return self


class Header(_Strict):
    """The column names. The cells of a record are kept in the order of `columns` then `optional`, whatever the file's order."""

    columns: tuple[str, ...] = Field(min_length=1)
    optional: tuple[str, ...] = Field(
        (), description="Columns a file may have besides: trailing and in this order, where order is exact"
    )
    order: Literal["exact", "set"] = "exact"
    also: dict[str, tuple[str, ...]] = Field({}, description="Column: other names under which senders are known to write it")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Header:
        names = [*self.fields, *(other for others in self.also.values() for other in others)]
        if len(set(names)) != len(names):
            raise ValueError("a column name stands twice")
        if unknown := sorted(set(self.also) - set(self.fields)):
            raise ValueError(f"also: there is no column {unknown[0]!r}")
        return self

    def named(self, names: list[str]) -> list[str]:
        """The file's column names with every declared other name replaced by the column's own."""
        own = {other: column for column, others in self.also.items() for other in others}
        return [own.get(name, name) for name in names]

    @property
    def fields(self) -> tuple[str, ...]:
        return self.columns + self.optional


class Footer(_Strict):
    """The end of the data: a line that starts with one of `starts_with` and every shorter line after it."""

    starts_with: tuple[str, ...] = Field(min_length=1)
    capture: dict[str, str] = Field({}, description="Name: regular expression whose first group is the value")


class Variant(_Strict):
    """Another way in which the same report is written: only what differs from the dialect itself."""

    id: Name
    doc: str
    containers: tuple[Container, ...] | None = None
    encodings: tuple[Encoding, ...] | None = None
    delimiter: Delimiter | None = None
    quoting: Literal["minimal", "none"] | None = None
    header: Header | None = Field(None, description="Other column names, one for one as in the dialect")
    grammar: Grammar | None = None


class Meaning(_Strict):
    """What a row is, when the condition holds. The first that holds decides; a row that none names is generation, and one that is
    `unknown` goes to quarantine."""

    when: Condition
    is_: str = Field(alias="is")

    @model_validator(mode="after")
    def _is_known(self) -> Meaning:
        if self.is_ not in (known := (*MEANINGS, *NOT_INCOME, UNKNOWN)):
            raise ValueError(f"{self.is_!r} is not one of {', '.join(known)}")
        return self


class Sign(_Strict):
    """The sign that the amount of such rows must have (0 passes): a return that is printed positive is refused, not paid."""

    when: Condition
    must_be: Literal["negative", "positive"]


class ReportPeriod(_Strict):
    """Which value gives the statement month of the report: the latest month in a column, or a captured value. `told` where the
    file says none: whoever lands it does."""

    column: str | None = None
    captured: str | None = None
    told: Literal[True] | None = None

    @model_validator(mode="after")
    def _has_one_origin(self) -> ReportPeriod:
        if sum(map(bool, (self.column, self.captured, self.told))) != 1:
            raise ValueError("give exactly one of column, captured, told")
        return self


class Control(_Strict):
    """A figure the sender declares about the file, and what it is held against: the count of data rows, or a column's sum."""

    name: Name
    captured: str
    found: Literal["rows", "sum"]
    column: str | None = None

    @model_validator(mode="after")
    def _sums_a_column(self) -> Control:
        if (self.found == "sum") != (self.column is not None):
            raise ValueError(f"control {self.name}: a sum, and only a sum, needs a column")
        return self


class Check(_Strict):
    """Arithmetic that the sender is known to follow in every row: `equals` is the product, or the sum, of other columns. A row in
    which it does not hold, beyond what the printed digits allow, is kept with a warning that shows the figures."""

    equals: str
    product: tuple[str, ...] = ()
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    rounded: tuple[str, ...] = Field(
        (), description="Columns that print less digits than were reckoned with, such as exchange rates"
    )

    @model_validator(mode="after")
    def _is_one_formula(self) -> Check:
        if bool(self.product) == bool(self.plus) or (self.minus and not self.plus):
            raise ValueError(f"check of {self.equals!r}: give product, or plus with an optional minus")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.equals, *self.product, *self.plus, *self.minus, *self.rounded)

    def __str__(self) -> str:
        if self.product:
            return " x ".join(self.product)
        return " + ".join(self.plus) + "".join(f" - {column}" for column in self.minus)


class SumRows(_Strict):
    """Rows that add up the rows above them, back to the last of their kind. They are controls, never income."""

    when: tuple[Condition, ...] = Field(min_length=1, description="All of these hold in a sum row, and in no other")
    columns: tuple[str, ...] = Field(min_length=1, description="What it adds up; a blank cell adds up nothing")


class Dsr(_Strict):
    """A DDEX flat file: the profiles in its HEAD or SRHE record, the record layouts in conf/dsr, and which records carry money."""

    profiles: tuple[str, ...] = Field(min_length=1, description="As `layouts` names them; a file may add SRB to the name")
    layouts: str = Field("records", pattern=r"^[a-z0-9.-]+$", description="Name of a document in conf/dsr")
    rows: tuple[Literal["SU", "SR", "LI", "ML"], ...] = Field(("SU", "SR"), description="Kinds of record that are data")
    shared: tuple[str, ...] = Field(
        (), description="Summary columns of the amount that the rows share by their usages, the first that is filled; "
        "without any, the rows state their own money"
    )  # fmt: skip
    fees: tuple[str, ...] = Field(
        (), description="Summary columns of money beside the rows: the summary is then a row of its own"
    )
    totals: dict[str, str] = Field({}, description="Summary column: row column, whose sum over the summary's rows it declares")


class Dialect(_Strict):
    """One report format."""

    id: Name
    name: str
    doc: str
    version: str
    shape: Literal["delimited", "dsr"] = "delimited"
    containers: tuple[Container, ...] = ("plain", "gzip", "zip")
    encodings: tuple[Encoding, ...] = ("utf-8", "utf-8-bom")
    delimiter: Delimiter = ","
    quoting: Literal["minimal", "none"] = "minimal"
    preamble: tuple[str, ...] = Field(
        (), description="One regular expression per line before the header; named groups are captured"
    )
    header: Header
    footer: Footer | None = None
    grammar: Grammar = Grammar()
    variants: tuple[Variant, ...] = ()
    decided_by: tuple[str, ...] = Field((), description="Number columns that tell apart variants which share a header")
    map: dict[str, Reading]
    meaning: tuple[Meaning, ...] = ()
    signs: tuple[Sign, ...] = ()
    period: ReportPeriod
    key: tuple[str, ...] = Field(("name",), description="What besides period identifies the report: `name`, or captured values")
    controls: tuple[Control, ...] = ()
    sum_rows: SumRows | None = None
    amounts: tuple[str, ...] = Field((), description="Further number columns, kept typed beside the payable amount of a row")
    checks: tuple[Check, ...] = ()
    given: tuple[Literal["currency"], ...] = Field((), description="What no file of the format says: whoever lands one says it")
    personal: tuple[str, ...] = Field((), description="Columns of personal data, blanked before anything is stored")
    dsr: Dsr | None = None

    _sha256: str = PrivateAttr("")
    _layouts: Layouts = PrivateAttr(default_factory=Layouts)

    @property
    def sha256(self) -> str:
        """SHA-256 of everything that decides how a file is read: the document, and the record layouts it names."""
        return self._sha256

    @property
    def layouts(self) -> Layouts:
        """The record layouts of its profiles. Empty unless the shape is dsr."""
        return self._layouts

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of a data record's cells, in order."""
        return self.header.fields

    def position(self, column: str) -> int:
        return self.fields.index(column)

    def under(self, variant: str | None) -> Dialect:
        """The dialect as it reads a file of that variant; None is the dialect itself."""
        if variant is None:
            return self
        chosen = next(candidate for candidate in self.variants if candidate.id == variant)
        # The mapping names the dialect's own columns, so a variant's header never replaces `header`.
        changes = {name: getattr(chosen, name) for name in ("containers", "encodings", "delimiter", "quoting", "grammar")}
        return self.model_copy(update={name: value for name, value in changes.items() if value is not None})

    def file_header(self, variant: str | None) -> Header:
        """The header as it stands in a file of that variant."""
        chosen = next((candidate.header for candidate in self.variants if candidate.id == variant), None)
        return chosen or self.header

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Dialect:
        problems = [*self._unknown_columns(), *self._map_problems(), *self._unknown_captures()]
        for variant in self.variants:
            if variant.header and len(variant.header.fields) != len(self.fields):
                problems.append(f"variant {variant.id}: its header must name {len(self.fields)} columns, one for one")
        if (self.shape == "dsr") != (self.dsr is not None):
            problems.append("shape dsr and the section `dsr` go together")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unknown_columns(self) -> list[str]:
        named: dict[str, Iterable[str | None]] = {
            "map": [column for read in self.map.values() for column in read.columns],
            "meaning": [rule.when.column for rule in self.meaning],
            "signs": [rule.when.column for rule in self.signs],
            "period": [self.period.column],
            "controls": [control.column for control in self.controls],
            "sum_rows": [*(c.column for c in self.sum_rows.when), *self.sum_rows.columns] if self.sum_rows else [],
            "amounts": self.amounts,
            "checks": [column for check in self.checks for column in check.columns],
            "personal": self.personal,
            "decided_by": self.decided_by,
        }
        return [
            f"{section}: there is no column {column!r}"
            for section, columns in named.items()
            for column in columns
            if column is not None and column not in self.fields
        ]

    def _map_problems(self) -> list[str]:
        mapped = {*self.map, "meaning"}
        unknown = [f"map: a usage line has no field {name!r}" for name in self.map if name not in FIELDS or name == "meaning"]
        absent = [f"map: the field {name!r} is needed" for name, field in FIELDS.items() if field.required and name not in mapped]
        blank = {*self.personal} & {*(self.map["subscriber"].columns if "subscriber" in self.map else ())}
        unheard = [f"map: {column!r} is personal, so that it is blank and tells no subscriber" for column in sorted(blank)]
        return unknown + absent + unheard + self._wrong_configurations()

    def _wrong_configurations(self) -> list[str]:
        read = self.map.get("configuration")
        values = (*read.lookup.values(), read.otherwise, read.constant) if read else ()
        wrong = [value for value in values if value is not None and value not in CONFIGURATIONS]
        return [f"map: configuration {value!r} is not one of {', '.join(CONFIGURATIONS)}" for value in wrong]

    def _unknown_captures(self) -> list[str]:
        known = {name for pattern in self.preamble for name in re.compile(pattern).groupindex}
        known |= set(self.footer.capture) if self.footer else set()
        if REPORT_PERIOD in known:
            return [f"{REPORT_PERIOD!r} is the file's statement month: capture under another name"]
        known |= {REPORT_PERIOD, *self.given}
        # The fields of HEAD stand for the whole file.
        known |= set(HEAD_CAPTURES) if self.dsr else set()
        used = [self.period.captured, *(c.captured for c in self.controls), *(part for part in self.key if part != "name")]
        used += [read.captured for read in self.map.values()]
        return [f"no value named {name!r} is captured" for name in used if name is not None and name not in known]
