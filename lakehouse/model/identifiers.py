"""Identifiers of recordings, releases and works."""

from __future__ import annotations

import re
from functools import cache

# ISO 3901: country code, three-character registrant, two digits of the year, five of the designation.
ISRC = "[A-Z]{2}[A-Z0-9]{3}[0-9]{7}"
# ISO 15707: T, nine digits of the work, a check digit.
ISWC = "T[0-9]{10}"
# A GS1 article number (EAN-8, UPC-A, EAN-13, GTIN-14), padded to 14 digits.
UPC = "[0-9]{14}"

WRONG_CHECK_DIGIT = "upc: the check digit is wrong"


def padded_upc(text: str | None) -> str:
    """A UPC or EAN without blanks and hyphens, padded to 14 digits; what is none stays as it is."""
    digits = re.sub(r"[\s-]", "", text or "")
    return digits.zfill(14) if re.fullmatch(r"[0-9]{8,14}", digits) else (text or "")


def gtin_check_digit_holds(upc: str) -> bool:
    """Whether the last of the 14 digits is the GS1 check digit of the other 13: weights 3 and 1 in turn, sum to a multiple of 10.
    Source: GS1 General Specifications, section 7.9."""
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(upc)) % 10 == 0


def plain_isrc(text: str | None) -> str:
    """An ISRC without blanks and hyphens, in capitals: US-RC1-76-07839 is USRC17607839; what is none stays as it is."""
    code = re.sub(r"[\s-]", "", text or "").upper()
    return code if re.fullmatch(ISRC, code) else (text or "")


def plain_iswc(text: str | None) -> str:
    """An ISWC without blanks, hyphens and points: T-034.524.680-1 is T0345246801."""
    return re.sub(r"[^0-9A-Z]", "", (text or "").upper())


def iswc_check_digit_holds(iswc: str) -> bool:
    """Whether the last digit is the check digit of the other nine: 1 and each digit times its place sum, with it, to a multiple of 10.
    Source: ISO 15707, annex A."""
    return bool(re.fullmatch(ISWC, iswc)) and (1 + sum(n * int(iswc[n]) for n in range(1, 10)) + int(iswc[10])) % 10 == 0


@cache
def currency_codes() -> frozenset[str]:
    """ISO 4217 codes of currencies in which money can be paid."""
    from iso4217 import Currency

    return frozenset(currency.code for currency in Currency)
