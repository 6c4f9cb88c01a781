"""A format of the house may say who listened: text as the report has it, under the field `subscriber`, in no identity of a recording."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.errors import Misuse
from lakehouse.model.usage import FIELDS, reasons_against
from lakehouse.sources.columns import ColumnReader
from lakehouse.sources.dialect import Dialect
from lakehouse.sources.mapping import RowReader
from lakehouse.sources.recognise import load_dialect
from tests.support.reports import dialects

HARBOUR = Path(__file__).parents[1] / "golden/26-what-a-subscriber-pays/sources/harbour.yaml"


def _row(listener: str | None) -> list[str | None]:
    return ["2026-05", "DE", listener, "QZABC2600001", "Salt Road", "Mira Okoye", "90", "10.00"]


@pytest.fixture(scope="module")
def harbour() -> Dialect:
    return load_dialect(HARBOUR)


@pytest.mark.parametrize(
    ("cell", "told"), [("h-81c2", "h-81c2"), ("00120", "00120"), (" h-81c2 ", "h-81c2"), ("1.0", "1.0"), ("", None), (None, None)]
)
def test_who_listened_is_read_as_the_report_has_it(harbour: Dialect, cell: str | None, told: str | None) -> None:
    fields, faults = RowReader(harbour).read(_row(cell), {}, None)
    line = dict(zip(FIELDS, fields, strict=True))
    assert (line["subscriber"], faults, reasons_against(line)) == (told, [], [])
    by_column = ColumnReader(harbour).read(pa.array([_row(cell)], pa.list_(pa.string())), {})
    assert by_column.fields[list(FIELDS).index("subscriber")].to_pylist() == [told]


def test_an_id_that_is_no_id_refuses_the_line(harbour: Dialect) -> None:
    fields, _ = RowReader(harbour).read(_row("h" * 2001), {}, None)
    (reason,) = reasons_against(dict(zip(FIELDS, fields, strict=True)))
    assert (reason.column, reason.rule) == ("subscriber", "text")


def test_no_shipped_format_names_its_subscribers() -> None:
    assert not [dialect.id for dialect in dialects().by_id.values() if "subscriber" in dialect.map]


def test_a_column_that_is_blanked_tells_no_subscriber(tmp_path: Path) -> None:
    """A personal column never reaches a cell: every listener would be the same one."""
    path = tmp_path / "harbour.yaml"
    path.write_text(HARBOUR.read_text(encoding="utf-8") + "personal: [Listener]\n", encoding="utf-8")
    with pytest.raises(Misuse, match="'Listener' is personal, so that it is blank and tells no subscriber"):
        load_dialect(path)
