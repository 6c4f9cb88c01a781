"""Events of accounts from the label's own books: what is booked, and what is told to whom sends something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Findings
from lakehouse.sources.events import read_events

HEADER = "event_id,period,event,contract,payee,amount,currency\n"


def _read(tmp_path: Path, *lines: str) -> list[dict[str, object]]:
    (tmp_path / "events.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return read_events([tmp_path / "events.csv"])


def test_an_event_is_read_with_what_it_leaves_out(tmp_path: Path) -> None:
    (event,) = _read(tmp_path, "A-1,2026-05,advance,C-1,,100.5,EUR")
    assert {name: str(value) for name, value in event.items()} == {
        "event_id": "A-1", "period": "2026-05", "event": "advance", "contract": "C-1", "payee": "", "amount": "100.500000000000000000",
        "currency": "EUR", "cost_type": "None", "territory": "ZZ", "date": "None",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("A-1,2026-05,bonus,C-1,,1,EUR", "events.csv line 2: event 'bonus' is none of cost, advance, payment, society_payment"),
        ("A-1,2026-05,return,C-1,,1,EUR", "a lake has returns from reports, as lines with negative units"),
        (
            "A-1,2026-05,adjustment,,,-1,EUR",
            "it changes what lines are worth; `lakehouse adjust` spreads it over the usage of its month",
        ),
        ("A-1,2026-05,cost,,,1,EUR", "a cost needs its contract"),
        ("A-1,2026-05,payment,,,1,EUR", "a payment needs its payee"),
        ("A-1,2026-05,cost,C-1,,-1,EUR", "amount '-1' is no positive number"),
    ],
)
def test_what_cannot_be_booked_says_why(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(Findings) as refused:
        _read(tmp_path, line)
    assert message in str(refused.value)
