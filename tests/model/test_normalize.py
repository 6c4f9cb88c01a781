"""The normal form of titles and names."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.model.normalize import fold_table, normalize

SAME = [
    ("Beyoncé ", "BEYONCE"),
    ("Beyonce\u0301", "beyoncé"),
    ("Don't  Stop!", "don’t stop"),
    ("Straße", "STRASSE"),
    ("ﬁn de siècle", "Fin de Siecle"),
    ("ｶﾞﾗｽ", "ガラス"),
    ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),
    ("أَحْمَد", "احمد"),
    ("Øystein Ærlig", "oystein aerlig"),
    ("Simon & Garfunkel", "Simon  Garfunkel"),
    ("Song 🎵", "song"),
]
DIFFERENT = [("カラス", "ガラス"), ("!!!", "???"), ("÷", "+"), ("कि", "की"), ("ไป", "ใป"), ("Ночь", "Noch")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_name_share_their_normal_form(one: str, other: str) -> None:
    assert normalize(one) == normalize(other) != ""


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_names_keep_other_normal_forms(one: str, other: str) -> None:
    assert normalize(one) != normalize(other)


def test_nothing_and_blank_have_the_empty_normal_form() -> None:
    assert [normalize(text) for text in (None, "", " \t\u00a0", "\u200b")] == ["", "", "", ""]


@given(st.text())
def test_normalizing_again_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1))
def test_a_text_of_letters_and_digits_of_any_script_never_vanishes(text: str) -> None:
    assert all(normalize(char) for char in text if not _is_spacing_mark(char))


@given(st.text())
def test_case_and_composition_do_not_matter_to_the_form(text: str) -> None:
    known = "".join(char for char in text if unicodedata.ucd_3_2_0.category(char) != "Cn")
    assert normalize(unicodedata.ucd_3_2_0.normalize("NFC", known)) == normalize(known)


def test_the_table_of_v1_is_frozen() -> None:
    """A key made today is found again in ten years: the table may change only with NORMALIZER_VERSION."""
    table = fold_table()
    text = repr([sorted(part.items()) for part in (table.single, table.expanded, table.voiced, table.symbols)])
    assert hashlib.sha256(text.encode()).hexdigest() == "10acdb1020ecd612c4be6f4d669dc6e108e323f003195a3c0a0ede9edc0459c5"


def _is_spacing_mark(char: str) -> bool:
    """Presentation forms of an Arabic vowel alone: a mark on a space, in the clothes of a letter."""
    return unicodedata.normalize("NFKD", char).startswith((" ", "\u0640"))
