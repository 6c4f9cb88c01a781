"""Months: statement periods and usage periods, `YYYY-MM`."""

from __future__ import annotations

# The last thirty years of digital sales and the coming ones: a year outside is a misread date.
PERIOD = "(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])"
DAY = PERIOD + "-(0[1-9]|[12][0-9]|3[01])"

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip


def month_numbers() -> dict[str, str]:
    """English month names and their first three letters, in lower case: the month's two digits."""
    numbers: dict[str, str] = {}
    for number, name in enumerate(MONTHS, start=1):
        numbers[name] = numbers[name[:3]] = f"{number:02d}"
    # Reports abbreviate September with four letters too.
    numbers["sept"] = "09"
    return numbers


def next_period(period: str) -> str:
    """The month after: 2026-12 gives 2027-01."""
    year, month = int(period[:4]), int(period[5:])
    return f"{year + month // 12}-{month % 12 + 1:02d}"


def previous_period(period: str) -> str:
    """The month before: 2027-01 gives 2026-12."""
    return later(period, -1)


def later(period: str, months: int) -> str:
    """The month so many months after: 2026-11 and 3 give 2027-02."""
    count = int(period[:4]) * 12 + int(period[5:]) - 1 + months
    return f"{count // 12}-{count % 12 + 1:02d}"
